"""The mouse, through pyautogui, in screen units. Used in the worker only: pyautogui knows one display per process."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from envs.actions import Direction
from envs.base import EnvError, SetupError, UnsupportedAction
from envs.desktop.control import Control

_MOVES = 12
"""Moves per leg of a drag; programs tell drags from clicks by them."""
_MOVE_SECONDS = 0.01
_HOVER_SECONDS = 0.03
"""Between arriving and pressing: menus and lists react to the pointer first."""
_DROP_SECONDS = 0.15
"""Before letting go: the target of a drop has to say first that it takes it."""
_CLICK_SECONDS = 0.02
_WHEEL_SECONDS = 0.005
_NOTCH = {"win32": 120}
"""Wheel units of one notch; 1 where not named."""

Spot = tuple[int, int]


def load_pyautogui() -> Any:
    """The module, without tkinter and without ~/.Xauthority. Raises SetupError."""
    # It wants tkinter for a window that nobody asked for, and takes it well when that is missing.
    cast("dict[str, object]", sys.modules)["mouseinfo"] = None
    if "XAUTHORITY" not in os.environ and not (Path.home() / ".Xauthority").exists():
        os.environ["XAUTHORITY"] = os.devnull
    try:
        import pyautogui
    except EnvError:
        raise
    except (Exception, SystemExit) as error:
        raise SetupError(f"pyautogui does not start: {error}", "pip install --force-reinstall pyautogui") from error
    pyautogui.PAUSE = 0
    # A corner is a place like any other; the stop key and the person's hand are the way to stop.
    pyautogui.FAILSAFE = False
    return pyautogui


class Pointer:
    """The mouse of one display. Whatever interrupts a gesture, the button is let go."""

    def __init__(self, pyautogui: Any, control: Control) -> None:
        self._gui = pyautogui
        self._control = control

    def move(self, at: Spot) -> None:
        self._control.check()
        self._gui.moveTo(*at)

    def click(self, at: Spot, button: str, count: int) -> None:
        """Move there, wait as a hand would, and press the button `count` times."""
        self.move(at)
        self._control.sleep(_HOVER_SECONDS)
        for number in range(count):
            if number:
                self._control.sleep(_CLICK_SECONDS)
            try:
                self._gui.mouseDown(button=button)
            finally:
                self._gui.mouseUp(button=button)

    def hold(self, at: Spot, seconds: float) -> None:
        """Left button down for `seconds`."""
        self.move(at)
        self._control.sleep(_HOVER_SECONDS)
        try:
            self._gui.mouseDown(button="left")
            self._control.sleep(seconds)
        finally:
            self._gui.mouseUp(button="left")

    def drag(self, path: Sequence[Spot], seconds: float) -> None:
        """Left button down at the first point, up at the last."""
        pause = max(_MOVE_SECONDS, seconds / (_MOVES * (len(path) - 1)))
        self.move(path[0])
        self._control.sleep(_HOVER_SECONDS)
        try:
            self._gui.mouseDown(button="left")
            for start, end in pairwise(path):
                for step in range(1, _MOVES + 1):
                    self._control.sleep(pause)
                    x = start[0] + round((end[0] - start[0]) * step / _MOVES)
                    y = start[1] + round((end[1] - start[1]) * step / _MOVES)
                    self._gui.moveTo(x, y)
            self._control.sleep(_DROP_SECONDS)
        finally:
            self._gui.mouseUp(button="left")

    def scroll(self, at: Spot, direction: Direction, amount: int) -> None:
        """`amount` clicks of the wheel; down and right show what is further down and to the right."""
        if direction in ("left", "right") and sys.platform == "win32":
            raise UnsupportedAction("pyautogui cannot scroll sideways on Windows")
        self.move(at)
        self._control.sleep(_HOVER_SECONDS)
        turn = self._gui.vscroll if direction in ("up", "down") else self._gui.hscroll
        step = _NOTCH.get(sys.platform, 1) * (1 if direction in ("up", "right") else -1)
        for _ in range(amount):
            self._control.sleep(_WHEEL_SECONDS)
            turn(step)
