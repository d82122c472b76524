"""The finger on the screen: X's test events, which Chromium takes for touches."""

from __future__ import annotations

import threading
import time

from envs.android.simulator.x_screen import XScreen

Point = tuple[float, float]

_STEP_SECONDS = 0.01
_TAP_SECONDS = 0.02
LONG_PRESS_SECONDS = 0.8
"""After so long a finger that rests is a long press (Android: 0.5 s, Chromium: 0.68 s)."""


class Finger:
    """One finger; a gesture waits for the one before to end. Coordinates are pixels of the screen."""

    def __init__(self, x_screen: XScreen) -> None:
        self._x_screen = x_screen
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._down = False

    def stop(self) -> None:
        """End a gesture that is going on, and do no more waiting."""
        self._stopped.set()

    def tap(self, at: Point) -> None:
        with self._lock:
            self.press(at)
            self._stopped.wait(_TAP_SECONDS)
            self.lift()

    def swipe(self, start: Point, end: Point, seconds: float, hold: float = 0.0) -> None:
        """Down at `start`, still for `hold` seconds, to `end` in `seconds`, up."""
        with self._lock:
            self.press(start)
            try:
                self._stopped.wait(hold)
                began = time.monotonic()
                while (spent := time.monotonic() - began) < seconds and not self._stopped.is_set():
                    part = spent / seconds
                    self.move((start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part))
                    self._stopped.wait(_STEP_SECONDS)
                self.move(end)
            finally:
                self.lift()

    def press(self, at: Point) -> None:
        with self._lock:
            self.move(at)
            if not self._down:
                self._down = True
                self._x_screen.button(down=True)

    def move(self, at: Point) -> None:
        with self._lock:
            self._x_screen.point(round(at[0]), round(at[1]))

    def lift(self) -> None:
        with self._lock:
            if self._down:
                self._down = False
                self._x_screen.button(down=False)
