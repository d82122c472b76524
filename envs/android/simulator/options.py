"""What the simulated phone is like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from envs.base import SetupError

LARGEST_SIDE = 4096
DENSITY_OF_ONE = 160
"""Dots per inch at which a CSS pixel (Android's dp) is one pixel of the screen."""

Lock = Literal["none", "swipe", "pin"]


@dataclass(frozen=True)
class PhoneOptions:
    """Raises SetupError on values that no phone has.

    size: width and height of the screen held upright, in pixels.
    density: dots per inch; 420 makes a CSS pixel 2.625 pixels of the screen.
    lock: what guards the screen after it was off: nothing, a swipe upwards, or `pin`.
    adb_keyboard: is the keyboard installed that takes text of any language from a broadcast?
    """

    size: tuple[int, int] = (1080, 2340)
    density: int = 420
    serial: str = "SIM0A1B2C3D4"
    name: str = "Simulated Phone"
    lock: Lock = "swipe"
    pin: str = "1234"
    adb_keyboard: bool = True

    def __post_init__(self) -> None:
        if not all(100 <= side <= LARGEST_SIDE for side in self.size):
            raise SetupError(f"size is 100 to {LARGEST_SIDE} pixels each way, not {self.size[0]}x{self.size[1]}")
        if not 72 <= self.density <= 1000:
            raise SetupError(f"density is 72 to 1000 dots per inch, not {self.density}")
        if self.lock == "pin" and not self.pin.isdecimal():
            raise SetupError("pin is made of digits")
