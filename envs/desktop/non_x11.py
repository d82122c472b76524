"""Keys and text where there is no X11 (macOS and Windows): pyautogui's keys, and the clipboard for text.

Nothing here was tried on those systems; the tests use stand-ins for pyautogui and the clipboard.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Protocol

from envs.base import ActionFailed
from envs.desktop.control import Control

_NAMES = {
    "escape": "esc", "meta": "command" if sys.platform == "darwin" else "win", "menu": "apps",
    "volumemute": "volumemute",
}  # fmt: skip
_PASTE = ("command", "v") if sys.platform == "darwin" else ("ctrl", "v")
_PASTE_SECONDS = 0.3
"""Programs fetch what was pasted a little later; only then is the clipboard restored."""


class Clipboard(Protocol):
    def copy(self, text: str) -> None: ...

    def paste(self) -> str: ...


class OtherKeyboard:
    """The same as `envs.desktop.x11.keyboard.Keyboard`."""

    def __init__(self, pyautogui: Any, clipboard: Clipboard, control: Control) -> None:
        self._gui, self._clipboard, self._control = pyautogui, clipboard, control
        self._held: list[str] = []

    def close(self) -> None:
        self.release_all()

    def chord(self, names: Sequence[str]) -> None:
        """All down in order, up in reverse."""
        if len(names) == 1 and len(names[0]) == 1:
            self.write(names[0])
            return
        keys = [self._key(name) for name in names]
        down: list[str] = []
        try:
            for key in keys:
                self._control.check()
                down.append(key)
                self._gui.keyDown(key)
        finally:
            for key in reversed(down):
                self._gui.keyUp(key)

    def down(self, name: str) -> None:
        """Hold a key until `up` or the end."""
        if name not in self._held:
            key = self._key(name)
            self._held.append(name)
            self._gui.keyDown(key)

    def up(self, name: str) -> None:
        if name in self._held:
            self._held.remove(name)
            self._gui.keyUp(self._key(name))

    def release_all(self) -> None:
        """Nothing stays held."""
        for name in reversed(self._held.copy()):
            self.up(name)

    def write(self, text: str) -> None:
        """Exactly this text, line by line over the clipboard, which has its own text back afterwards."""
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        before = self._clipboard.paste()
        try:
            for number, line in enumerate(lines):
                self._control.check()
                if number:
                    self.chord(("enter",))
                if line:
                    self._clipboard.copy(line)
                    self.chord(_PASTE)
                    self._control.sleep(_PASTE_SECONDS)
        finally:
            self._clipboard.copy(before)

    def _key(self, name: str) -> str:
        """pyautogui's name. Raises ActionFailed: pyautogui itself says nothing about names it does not know."""
        key = _NAMES.get(name, name.lower())
        if key not in self._gui.KEYBOARD_KEYS:
            raise ActionFailed(f"there is no key {name!r} on this keyboard", "use the action that types text")
        return key
