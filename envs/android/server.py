"""A private adb server: its own keys, home and socket, so that the user's server and devices are left alone.

It listens on a Unix socket in a folder that only this user can enter: whoever reaches an adb server commands every
device that is connected to it. A port leads there for programs that speak to ports, guarded by `Relay`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

from adbutils import AdbError, adb_path

from envs.android.relay import Relay
from envs.base import SetupError

_START_SECONDS = 60.0
_LONGEST_SOCKET = 100
"""Characters of a path that a Unix socket has room for."""
_HINT = "pip install adbutils (its wheels hold adb), or: apt-get install adb"


def find_adb() -> str:
    """Path of the adb program: $ADBUTILS_ADB_PATH, PATH, or the one inside adbutils. Raises SetupError."""
    try:
        program = adb_path()
    except AdbError as error:
        raise SetupError("there is no adb program", _HINT) from error
    if shutil.which(program) is None:
        raise SetupError(f"{program} is no program that can be run", _HINT)
    return program


def answers(port: int, host: str = "127.0.0.1", seconds: float = 2.0) -> bool:
    """Does an adb server answer there, within so long?"""
    return _asks(socket.AF_INET, (host, port), seconds)


def _asks(family: socket.AddressFamily, address: str | tuple[str, int], seconds: float) -> bool:
    """Does what listens at the address (a path, or host and port) tell the version of its protocol?"""
    try:
        with socket.socket(family) as connection:
            connection.settimeout(seconds)
            connection.connect(address)
            connection.sendall(b"000chost:version")
            return connection.recv(4) == b"OKAY"
    except OSError:
        return False


class AdbServer:
    """An adb server for this user's processes alone, which sees only the devices that are connected to it by address.

    `port` is on loopback; requests of other users are hung up on there. Use as a context manager, or close it; closing
    twice does no harm.
    """

    def __init__(self) -> None:
        """Raises SetupError, and leaves nothing behind then."""
        self.program = find_adb()
        self._process: subprocess.Popen[bytes] | None = None
        self._relay: Relay | None = None
        self._home = Path(tempfile.mkdtemp(prefix="guikv-adb-"))
        self.socket = self._home / "socket"
        try:
            if len(str(self.socket)) > _LONGEST_SOCKET:
                raise SetupError(f"{self._home} is too long a path for a socket", "set TMPDIR to a short path")
            self._process = self._launch(_options(self.program, self._environment()))
            self._relay = Relay(self.socket)
            self.port = self._relay.port
            threading.Thread(target=_close_after, args=(self._process, self._relay), daemon=True).start()
        except OSError as error:
            self.close()
            raise SetupError(f"no adb server could be started: {error}", _HINT) from error
        except BaseException:
            self.close()
            raise

    @classmethod
    def start(cls) -> Self:
        """A server that answers. Raises SetupError."""
        return cls()

    @property
    def pid(self) -> int | None:
        """Process id, or None after close."""
        return None if self._process is None else self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """Variables for `adb` on the command line, with which it speaks to this server and no other."""
        return {**self._environment(), "ANDROID_ADB_SERVER_PORT": str(self.port)}

    def log(self) -> str:
        """The end of what the server wrote."""
        try:
            return (self._home / "log").read_text(encoding="utf-8", errors="replace").strip()[-500:]
        except OSError:
            return ""

    def close(self) -> None:
        self._end()
        shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _environment(self) -> dict[str, str]:
        home = str(self._home)
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": home,
            "ANDROID_USER_HOME": home,
            "TMPDIR": home,
            # No emulators and no devices of the network: those are the user's server's.
            "ADB_LOCAL_TRANSPORT_MAX_PORT": "5553",
            "ADB_MDNS": "0",
            "ADB_USB": "0",
            "ADB_MDNS_AUTO_CONNECT": "0",
        }

    def _launch(self, options: list[str]) -> subprocess.Popen[bytes]:
        """The server's process, once it answers. Raises SetupError and OSError."""
        with (self._home / "log").open("wb") as log:
            process = self._process = subprocess.Popen(
                [self.program, "-L", f"localfilesystem:{self.socket}", *options, "server", "nodaemon"],
                env=self._environment(),
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if _asks(socket.AF_UNIX, str(self.socket), 2.0):
                return process
            time.sleep(0.02)
        raise SetupError(f"no adb server could be started: {self.log() or 'it said nothing'}", _HINT)

    def _end(self) -> None:
        relay, self._relay = self._relay, None
        process, self._process = self._process, None
        if process is not None:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                process.kill()
            process.wait()
        if relay is not None:
            relay.close()


def _close_after(process: subprocess.Popen[bytes], relay: Relay) -> None:
    """A port behind which nobody listens would look like a server that hangs up."""
    process.wait()
    relay.close()


def _options(program: str, environment: dict[str, str]) -> list[str]:
    """What keeps the server from claiming devices on USB, where this adb knows it."""
    try:
        done = subprocess.run(
            [program, "help"], env=environment, capture_output=True, timeout=_START_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{program} does not run: {error}", _HINT) from error
    return ["--one-device", "none"] if b"--one-device" in done.stdout + done.stderr else []
