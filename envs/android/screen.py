"""Whether the screen can be seen and used: switched on, unlocked, and not protected."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from PIL import Image

from envs.android import dumps
from envs.android.device import Device
from envs.android.dumps import Focus, Keyguard
from envs.base import ScreenshotError
from envs.geometry import Size

_WAKE_UP = "224"
_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.15
_GLANCE = (90, 90)
_BLACK_SHARE = 0.5
"""From this share of black on, a picture is looked into: a protected window leaves the bars of the system visible."""


Trouble = Literal["mended", "protected"]


class Locked(ScreenshotError):
    """The lock screen cannot be passed without a person."""


def is_dark(image: Image.Image) -> bool:
    """Is at least half of the picture pure black?"""
    small = image.resize(_GLANCE, Image.Resampling.NEAREST).convert("L")
    return small.histogram()[0] >= _BLACK_SHARE * _GLANCE[0] * _GLANCE[1]


class Screen:
    """The state of the device's screen. `tell` is called with what was done to it."""

    def __init__(self, device: Device, unlock: bool, tell: Callable[[str], None]) -> None:
        self._device, self._unlock, self._tell = device, unlock, tell

    def awake(self) -> bool:
        """Is it on? A device that does not say so counts as on."""
        return dumps.awake(self._device.ask("dumpsys", "power").text) is not False

    def why_black(self) -> Trouble | None:
        """What keeps a person's view out of a picture, if anything; what can be mended is. Raises ScreenshotError."""
        if not self.awake():
            self.ready()
            return "mended"
        window = self._window()
        if dumps.keyguard(window).showing:
            self.pass_keyguard()
            return "mended"
        return "protected" if dumps.focus_is_secure(window) else None

    def focus(self) -> Focus:
        # The whole dump is long; only two kinds of lines are of interest.
        return dumps.focus(self._device.script("dumpsys window | grep -E 'mCurrentFocus|mFocusedApp'").text)

    def keyguard(self) -> Keyguard:
        """Raises ScreenshotError or EnvironmentDied, as everything here."""
        return dumps.keyguard(self._window())

    def size(self) -> Size:
        """In input units, the device held as it was built. Raises ScreenshotError."""
        text = self._device.ask("wm", "size").text
        size = dumps.screen_size(text)
        if size is None:
            raise ScreenshotError(f"the device does not tell the size of its screen: {text.strip()[:100]!r}")
        return size

    def size_now(self) -> Size:
        """In input units, as the device is held. Raises ScreenshotError."""
        return dumps.current_size(self._device.ask("dumpsys", "window", "displays").text) or self.size()

    def ready(self) -> bool:
        """Switch it on and pass an open lock screen; was there anything to do? Raises Locked or ScreenshotError."""
        woken = not self.awake()
        if woken:
            self._device.ask("input", "keyevent", _WAKE_UP)
            if not self._until(self.awake):
                raise ScreenshotError("the screen is off and does not wake up")
            self._tell("woken")
        return self.pass_keyguard() or woken

    def pass_keyguard(self) -> bool:
        """Swipe an open lock screen away; was there one? Raises Locked."""
        guard = self.keyguard()
        if not guard.showing:
            return False
        if guard.secure:
            raise Locked("the device is locked with a PIN, pattern or password", "unlock it by hand")
        if not self._unlock:
            raise Locked("the lock screen is shown, and may not be swiped away", "unlock it by hand, or allow unlock")
        for attempt in (self._dismiss, self._swipe_up, self._swipe_up):
            attempt()
            if self._until(lambda: not self.keyguard().showing):
                self._tell("unlocked")
                return True
        raise Locked("the lock screen could not be swiped away", "unlock it by hand")

    def _dismiss(self) -> None:
        self._device.ask("wm", "dismiss-keyguard")

    def _swipe_up(self) -> None:
        size = self.size_now()
        x, top, bottom = size.width // 2, size.height // 5, size.height * 4 // 5
        self._device.ask("input", "swipe", str(x), str(bottom), str(x), str(top), "250")

    def _window(self) -> str:
        return self._device.ask("dumpsys", "window").text

    def _until(self, done: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            if done():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
