"""The phone as its user knows it: power, lock screen, apps, keys and fingers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image
from playwright.async_api import Page

from envs.android.simulator import apps
from envs.android.simulator.apps import App
from envs.android.simulator.keycodes import Key
from envs.android.simulator.lockscreen import LockScreen
from envs.android.simulator.options import PhoneOptions
from envs.android.simulator.screen import Screen
from envs.android.simulator.settings import Settings
from envs.android.simulator.touch import Finger, Point
from envs.base import ActionFailed

_KEY_SECONDS = 30.0
_UNLOCK_SHARE = 0.15
"""Of the screen's height: so far upwards a swipe opens the lock screen."""


class Handset:
    """Safe to be used from several threads. Raises EnvironmentDied when the screen is gone."""

    def __init__(self, options: PhoneOptions, resolve: Callable[[str], Path]) -> None:
        """`resolve` finds the phone's files on this machine."""
        self.options, self.resolve = options, resolve
        self.settings = Settings(options)
        self.awake = True
        self.lock_screen = LockScreen(options.lock, options.pin)
        self.size_override: tuple[int, int] | None = None
        self.density_override: int | None = None
        self.lock = threading.RLock()
        self._last_pages: dict[str, str] = {}
        self._order: list[str] = []
        self.screen = Screen(options)
        try:
            self.finger = Finger(self.screen.x_screen)
            self.home()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.screen.close()

    def reset(self) -> None:
        """As new: awake and unlocked at the home screen, with the settings it came with and no app in use."""
        with self.lock:
            self.awake, self.settings = True, Settings(self.options)
            self.lock_screen.open()
            self.size_override = self.density_override = None
            self.refit()
            self.screen.close_other_tabs()
            self._last_pages.clear()
            self._order.clear()
            self.screen.goto(apps.LAUNCHER.url)
            self.screen.browser.evaluate("localStorage.clear()")

    # What is shown

    @property
    def locked(self) -> bool:
        return self.lock_screen.showing

    @locked.setter
    def locked(self, locked: bool) -> None:
        self.lock_screen.lock() if locked else self.lock_screen.open()

    @property
    def foreground(self) -> App:
        return apps.app_at(self.screen.url)

    @property
    def rotation(self) -> int:
        """Quarter turns to the left. The phone itself is always held upright."""
        fixed = self.settings.get("system", "accelerometer_rotation") == "0"
        value = self.settings.get("system", "user_rotation") or "0"
        return int(value) % 4 if fixed and value.isdecimal() else 0

    @property
    def upright_size(self) -> tuple[int, int]:
        return self.size_override or self.options.size

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as the screen is turned now; pictures and input have it."""
        width, height = self.upright_size
        return (height, width) if self.rotation % 2 else (width, height)

    @property
    def density(self) -> int:
        return self.density_override or self.options.density

    def picture(self) -> Image.Image:
        """What a picture of the screen shows: black while it is off, and in place of a secure window."""
        if not self.awake:
            return Image.new("RGB", self.size)
        if self.locked:
            return self.lock_screen.draw(self.size, self.density)
        return Image.new("RGB", self.size) if self.foreground.secure else self.screen.picture()

    def refit(self) -> None:
        """Make the screen what settings and overrides say."""
        with self.lock:
            self.screen.resize(self.size)
            self.screen.rescale(self.density)

    # Power and lock

    def power(self) -> None:
        self.sleep() if self.awake else self.wake()

    def sleep(self) -> None:
        with self.lock:
            self.awake = False
            self.lock_screen.lock()

    def wake(self) -> None:
        with self.lock:
            self.awake = True

    def dismiss_lock(self) -> None:
        """Open the lock screen, or ask for the PIN where there is one."""
        with self.lock:
            if self.awake:
                self.lock_screen.dismiss()

    # Apps

    def launch(self, app: App) -> None:
        """Show the app where it was left."""
        with self.lock:
            self._go(self._last_pages.get(app.package, app.url))

    def view(self, url: str) -> None:
        """Show a web page in the browser."""
        with self.lock:
            self._go(url)

    def stop(self, package: str) -> None:
        """End an app as `am force-stop` does; the home screen comes up where it was shown."""
        with self.lock:
            shown = self.foreground.package == package
            self._remember()
            if package in self._order:
                self._order.remove(package)
            if shown:
                self.screen.goto(apps.LAUNCHER.url)
            self._last_pages.pop(package, None)

    def home(self) -> None:
        with self.lock:
            self._go(apps.LAUNCHER.url)

    def back(self) -> None:
        """The page before, within the app; before the first the tab before, or the home screen."""
        with self.lock:
            if self.locked:
                self.lock_screen.back()
                return
            app, before = self.foreground, self.screen.back()
            if before is not None and apps.app_at(before) is app and app is not apps.LAUNCHER:
                self.screen.step_back()
            elif before is not None or not self.screen.close_tab():
                self._go(apps.LAUNCHER.url)

    def recents(self) -> None:
        """The list of apps that were in use, the latest first."""
        with self.lock:
            self._remember()
            rows = []
            for package in self._order:
                app = apps.app_of(package)
                if app is not None:
                    rows.append({"label": app.label, "url": self._last_pages.get(package, app.url)})
            page = (apps.FOLDER / apps.RECENTS_PAGE).as_uri()
            self.screen.goto(f"{page}#{quote(json.dumps(rows))}")

    def _go(self, url: str) -> None:
        self._remember()
        try:
            self.screen.goto(url)
        except ActionFailed:
            # The browser itself says on the screen what is wrong with the page.
            return

    def _remember(self) -> None:
        """Note what is in front before something else is."""
        url = self.screen.url
        app = apps.app_at(url)
        if app is not apps.LAUNCHER and url != "about:blank":
            self._last_pages[app.package] = url
            self._order = [app.package, *(each for each in self._order if each != app.package)]

    # Input

    @property
    def usable(self) -> bool:
        """Do fingers and keys reach the app?"""
        return self.awake and not self.locked

    def tap(self, at: Point) -> None:
        if self.usable:
            self.finger.tap(at)

    def swipe(self, start: Point, end: Point, seconds: float, hold: float = 0.0) -> None:
        if self.usable:
            self.finger.swipe(start, end, seconds, hold)
        elif self.awake and start[1] - end[1] >= _UNLOCK_SHARE * self.size[1]:
            self.dismiss_lock()

    def type_text(self, text: str) -> None:
        """Key presses for each character, as a hardware keyboard makes them."""
        if self.usable:
            self._type(lambda page: page.keyboard.type(text))
        elif self.awake:
            self.lock_screen.type(text)

    def insert_text(self, text: str) -> None:
        """Put text into the field that has the focus at once, as a keyboard app does."""
        if self.usable and self.screen.focused():
            self._type(lambda page: page.keyboard.insert_text(text))

    def clear_text(self) -> None:
        if self.usable and self.screen.focused():
            self._type(lambda page: page.keyboard.press("Control+KeyA"))
            self._type(lambda page: page.keyboard.press("Delete"))

    def press(self, keys: tuple[Key, ...], held: float = 0.0) -> None:
        """Press the keys together. Those of the phone itself work whatever is on the screen."""
        names = [key.page_key for key in keys if key.page_key]
        for key in keys:
            if not key.page_key:
                self._phone_key(key.name)
        if names and self.usable:
            self._type(lambda page: page.keyboard.press("+".join(names), delay=held * 1000))
        elif names and self.awake:
            self.lock_screen.press(names[-1])

    def _phone_key(self, name: str) -> None:
        if name == "POWER":
            self.power()
        elif name == "WAKEUP":
            self.wake()
        elif name == "SLEEP":
            self.sleep()
        elif self.awake and name == "BACK":
            self.back()
        elif name.startswith("VOLUME"):
            self.settings.change_volume({"VOLUME_UP": 1, "VOLUME_DOWN": -1}.get(name, 0))
        elif self.usable and name == "HOME":
            self.home()
        elif self.usable and name == "APP_SWITCH":
            self.recents()

    def _type(self, use: Callable[[Page], Coroutine[Any, Any, None]]) -> None:
        with self.lock:
            self.screen.browser.with_tab(use, _KEY_SECONDS)
