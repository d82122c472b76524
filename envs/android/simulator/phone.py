"""`Phone`: a simulated phone for the real adb."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from PIL import Image

from envs.android.simulator.commands import COMMANDS
from envs.android.simulator.control import Output
from envs.android.simulator.daemon import Daemon
from envs.android.simulator.handset import Handset
from envs.android.simulator.home import Home
from envs.android.simulator.options import PhoneOptions
from envs.android.simulator.ports import LOOPBACK
from envs.base import EnvError
from envs.browser import Browser

_FEATURES = ("shell_v2", "cmd", "stat_v2", "ls_v2", "fixed_push_mkdir")
_NOT_FOUND = 127


class Phone:
    """The device side of adb, with a screen that Chromium draws. Use as a context manager.

    Simulated: support for tests and for the demonstration, no Android. It listens on loopback only, and only for
    processes of the same user; an adb server passes on what anybody asks it, so connect it to an `AdbServer`, which
    hangs up on other users, and not to one on adb's usual port. Its shell is this machine's /bin/sh in a private
    folder: not a sandbox.
    There is no status bar and no keyboard on the screen: what is typed arrives as key presses or, from ADBKeyboard's
    broadcasts, as text.

    Faults to switch on: `refuse_framebuffer`, `unauthorized` (for connections made from then on), `stalled` (connected,
    but nothing is answered), and `drop`.
    """

    def __init__(self, options: PhoneOptions | None = None) -> None:
        """Raises SetupError, and leaves nothing behind then."""
        self.options = options or PhoneOptions()
        self.refuse_framebuffer = False
        self.unauthorized = False
        self.stalled = False
        self._closing = threading.Lock()
        self._home = Home(COMMANDS)
        self._handset: Handset | None = None
        self._daemon: Daemon | None = None
        try:
            self._handset = Handset(self.options, self._home.resolve)
            self._daemon = Daemon(self, self._home.socket)
        except BaseException:
            self.close()
            raise

    @classmethod
    def start(cls, options: PhoneOptions | None = None) -> Self:
        return cls(options)

    @property
    def address(self) -> str:
        """For `adb connect`, and the serial that `adb devices` then shows."""
        return f"{LOOPBACK}:{self._daemon.port if self._daemon else 0}"

    @property
    def handset(self) -> Handset:
        """The phone in its user's hand: power, lock, apps."""
        if self._handset is None:
            raise EnvError("the phone has been closed")
        return self._handset

    @property
    def browser(self) -> Browser:
        """What draws the screen, for a harness to load a page and to read a verdict; another one after `wm density`."""
        return self.handset.screen.browser

    @property
    def display(self) -> str:
        """The X display that the screen is on."""
        return self.handset.screen.x_screen.display

    def drop(self) -> None:
        """Go out of reach: cut all connections and refuse new ones."""
        if self._daemon is not None:
            self._daemon.drop()

    def reconnect(self) -> None:
        """Be in reach again, at the same address."""
        if self._daemon is not None:
            self._daemon.listen()

    def close(self) -> None:
        """End every process and delete every file; may be called twice."""
        with self._closing:
            daemon, self._daemon = self._daemon, None
            handset, self._handset = self._handset, None
            try:
                if handset is not None:
                    handset.finger.stop()
                if daemon is not None:
                    daemon.close()
            finally:
                try:
                    if handset is not None:
                        handset.close()
                finally:
                    self._home.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # What the daemon asks for

    @property
    def environment(self) -> Mapping[str, str]:
        return self._home.environment

    @property
    def home(self) -> Path:
        return self._home.root

    @property
    def authorized(self) -> bool:
        return not self.unauthorized

    def banner(self) -> bytes:
        name = self.options.name.replace(" ", "_")
        facts = ("ro.product.name=simulated_phone", f"ro.product.model={name}", "ro.product.device=simulated")
        return f"device::{';'.join(facts)};features={','.join(_FEATURES)}".encode()

    def resolve(self, path: str) -> Path:
        return self._home.resolve(path)

    def framebuffer(self) -> Image.Image | None:
        return None if self.refuse_framebuffer else self.handset.picture()

    def run(self, command: list[str], output: Output) -> int:
        """Run one command of the shell; its exit code, as a shell has it."""
        name, arguments = command[0], command[1:]
        found = COMMANDS.get(name)
        if found is None:
            output.complain(f"/system/bin/sh: {name}: inaccessible or not found")
            return _NOT_FOUND
        try:
            return found(self.handset, arguments, output)
        except EnvError as error:
            output.complain(f"{name}: {error}")
            return 1
