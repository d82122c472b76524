"""A private adb server: its own port, keys and home, so that the user's server and devices are left alone."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from adbutils import AdbError, adb_path

from envs.base import SetupError

_START_SECONDS = 60.0
_ATTEMPTS = 5
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
    """Does an adb server answer there?"""
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.settimeout(seconds)
            connection.sendall(b"000chost:version")
            return connection.recv(4) == b"OKAY"
    except OSError:
        return False


class AdbServer:
    """An adb server on a free loopback port, which sees only the devices that are connected to it by address.

    Use as a context manager, or close it; closing twice does no harm.
    """

    def __init__(self) -> None:
        """Raises SetupError, and leaves nothing behind then."""
        self.program = find_adb()
        self._process: subprocess.Popen[bytes] | None = None
        self._home = Path(tempfile.mkdtemp(prefix="guikv-adb-"))
        try:
            options = _options(self.program, self._environment())
            # Another program may take the port between its choice and the start.
            for _ in range(_ATTEMPTS):
                self.port = _free_port()
                if self._launch(options):
                    return
                self._end()
            raise SetupError(f"no adb server could be started: {self.log() or 'it said nothing'}", _HINT)
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

    def _launch(self, options: list[str]) -> bool:
        with (self._home / "log").open("wb") as log:
            # Only the name localhost is understood, and means the loopback address alone.
            self._process = subprocess.Popen(
                [self.program, "-L", f"tcp:localhost:{self.port}", *options, "server", "nodaemon"],
                env=self._environment(),
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if answers(self.port):
                # The answer could be another's, if ours is just ending for want of the port.
                time.sleep(0.05)
                return self._process.poll() is None
            time.sleep(0.02)
        return False

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
        process.wait()


def _options(program: str, environment: dict[str, str]) -> list[str]:
    """What keeps the server from claiming devices on USB, where this adb knows it."""
    try:
        done = subprocess.run(
            [program, "help"], env=environment, capture_output=True, timeout=_START_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{program} does not run: {error}", _HINT) from error
    return ["--one-device", "none"] if b"--one-device" in done.stdout + done.stderr else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
