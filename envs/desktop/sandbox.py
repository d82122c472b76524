"""A desktop of the agent's own: X server, window manager, session bus and applications, ended whatever happens."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import envs
from envs.base import SetupError
from envs.desktop import belongings
from envs.desktop.options import SandboxOptions
from envs.desktop.services import start_bus, start_manager, start_watch
from envs.xvfb import Xvfb

_APT = "sudo apt-get install xvfb openbox dbus"
_POLL_SECONDS = 0.05
_BLANK_SECONDS = 5.0


class Sandbox:
    """A running sandbox. Use as a context manager."""

    def __init__(self, options: SandboxOptions | None = None) -> None:
        """Raises SetupError, and leaves nothing behind then."""
        self.options = options or SandboxOptions()
        self.watch_port: int | None = None
        self._processes: list[subprocess.Popen[bytes]] = []
        self._server: Xvfb | None = None
        self._reaper: subprocess.Popen[bytes] | None = None
        for program in ("Xvfb", "openbox", "dbus-daemon", *(("x11vnc",) if self.options.watch else ())):
            if shutil.which(program) is None:
                fix = "sudo apt-get install x11vnc" if program == "x11vnc" else _APT
                raise SetupError(f"a sandbox needs {program}, which is not installed", fix)
        self.folder = Path(tempfile.mkdtemp(prefix="guikv-desktop-"))
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @classmethod
    def start(cls, options: SandboxOptions | None = None) -> Self:
        """Start everything. Raises SetupError."""
        return cls(options)

    def _start(self) -> None:
        self._start_reaper()
        self._server = Xvfb(self.options.size)
        self._tell_reaper(f"server {self._server.pid}")
        self.display = self._server.display
        self.environment = belongings.variables(self.folder, self.display, self.options.environment)
        seconds = self.options.start_seconds
        bus, self.environment["DBUS_SESSION_BUS_ADDRESS"] = start_bus(self.environment, seconds)
        self._processes.append(bus)
        self._processes.append(start_manager(self.environment, seconds))
        if self.options.watch:
            watcher, self.watch_port = start_watch(self.environment, self.display, seconds)
            self._processes.append(watcher)
        if self.options.command:
            self._first_window(self.run(self.options.command))

    def run(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program on this desktop. Raises SetupError where there is none of that name."""
        log = self.folder / "output.log"
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    list(argv),
                    env=self.environment,
                    cwd=self.options.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:
            name = argv[0] if argv else ""
            raise SetupError(f"{name!r} does not start: {error}", "give a program that is installed") from error
        self._processes.append(process)
        return process

    def wait_window(self, title: str, seconds: float = 60.0) -> None:
        """Until a window with this part in its title is there and has drawn itself. Raises SetupError."""
        if not self._drawn(title, seconds, lambda: None):
            raise SetupError(f"no window {title!r} within {seconds:g} s", f"windows here: {self.titles()}")

    def titles(self) -> list[str]:
        """Titles of the windows, topmost first."""
        from envs.desktop.x11.windows import Windows

        windows = Windows(self.display)
        try:
            return windows.titles()
        finally:
            windows.close()

    @property
    def pids(self) -> frozenset[int]:
        """Ids of everything that runs in this sandbox, the X server included."""
        found = belongings.marked(self.folder)
        if self._server is not None and self._server.alive:
            found.add(self._server.pid)
        return frozenset(found)

    def close(self) -> None:
        """End it all; may be called twice."""
        try:
            belongings.end_all(self.folder, [process.pid for process in self._processes])
            for process in self._processes:
                process.wait()
            self._processes.clear()
        finally:
            server, self._server = self._server, None
            if server is not None:
                server.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            self._dismiss_reaper()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _first_window(self, process: subprocess.Popen[bytes]) -> None:
        name = self.options.command[0]

        def check() -> None:
            # Some programs leave and let another show the window.
            if process.poll():
                raise SetupError(f"{name!r} ended at once with {process.returncode}: {self._last_words()}")

        if self._drawn("", self.options.start_seconds, check):
            return
        state = "ended" if process.poll() is not None else "runs"
        raise SetupError(
            f"{name!r} showed no window within {self.options.start_seconds:g} s ({state}): {self._last_words()}"
        )

    def _drawn(self, title: str, seconds: float, check: Callable[[], None]) -> bool:
        """Wait for a window whose title has this part, and until it has drawn; `check` is called while there is none.

        One that stays of one colour for `_BLANK_SECONDS` is meant to be so.
        """
        from envs.desktop.x11.windows import Windows

        windows = Windows(self.display)
        try:
            now = time.monotonic()
            deadline, blank = now + seconds, now
            while True:
                look, now = windows.look(title), time.monotonic()
                if look == "none":
                    blank = now
                    check()
                if look == "drawn" or now - blank > _BLANK_SECONDS or now > deadline:
                    return look != "none"
                time.sleep(_POLL_SECONDS)
        finally:
            windows.close()

    def _last_words(self) -> str:
        lines = (self.folder / "output.log").read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "it said nothing")

    def _start_reaper(self) -> None:
        # Without the mark: it has to outlive what it ends.
        self._reaper = subprocess.Popen(
            [sys.executable, "-P", "-m", "envs.desktop.belongings", str(self.folder)],
            env={**os.environ, "PYTHONPATH": str(Path(envs.__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _tell_reaper(self, line: str) -> None:
        if self._reaper is not None and self._reaper.stdin is not None and not self._reaper.stdin.closed:
            try:
                self._reaper.stdin.write(line.encode() + b"\n")
                self._reaper.stdin.flush()
            except OSError:
                # Without it everything works, but for the agent's own violent end.
                self._reaper.stdin = None

    def _dismiss_reaper(self) -> None:
        self._tell_reaper("done")
        reaper, self._reaper = self._reaper, None
        if reaper is not None:
            if reaper.stdin is not None:
                reaper.stdin.close()
            reaper.wait()
