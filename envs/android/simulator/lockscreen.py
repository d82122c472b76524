"""The lock screen: what it looks like, and what opens it."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from envs.android.simulator.options import DENSITY_OF_ONE, Lock

_BACKGROUND = (24, 32, 64)
_TEXT = (240, 240, 250)


class LockScreen:
    """`showing` while it is in front; `asking_pin` once a swipe has brought up the field for the PIN."""

    def __init__(self, kind: Lock, pin: str) -> None:
        self.kind = kind
        self.showing, self.asking_pin = False, False
        self._pin, self._entered = pin, ""

    def lock(self) -> None:
        """The screen went off."""
        self.back()
        self.showing = self.showing or self.kind != "none"

    def dismiss(self) -> None:
        """A swipe upwards: open, or ask for the PIN."""
        if self.showing:
            self.asking_pin = self.kind == "pin"
            self.showing = self.asking_pin

    def open(self) -> None:
        self.showing, self.asking_pin, self._entered = False, False, ""

    def back(self) -> None:
        """Forget what has been entered."""
        self.asking_pin, self._entered = False, ""

    def type(self, text: str) -> None:
        if self.asking_pin:
            self._entered += "".join(each for each in text if each.isdecimal())

    def press(self, page_key: str) -> None:
        """A key by its name in a page."""
        if not self.asking_pin:
            return
        if page_key == "Enter" and self._entered == self._pin:
            self.open()
        elif page_key == "Enter":
            self._entered = ""
        elif page_key == "Backspace":
            self._entered = self._entered[:-1]
        elif page_key.startswith("Digit"):
            self._entered += page_key[-1]

    def draw(self, size: tuple[int, int], density: int) -> Image.Image:
        """RGB, `size` pixels: a clock, and what opens the phone."""
        scale = density / DENSITY_OF_ONE
        picture = Image.new("RGB", size, _BACKGROUND)
        pen = ImageDraw.Draw(picture)
        rows = (("12:00", 64, 0.25), ("Swipe up to open", 18, 0.85))
        for text, points, height in (("Enter PIN", 28, 0.3),) if self.asking_pin else rows:
            font = ImageFont.load_default(points * scale)
            pen.text((size[0] / 2, size[1] * height), text, _TEXT, font, anchor="mm")
        return picture
