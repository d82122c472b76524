"""What cannot be tried on an X server: other systems' keyboard, scaled pictures, imports without anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from envs.base import ActionFailed
from envs.desktop.area import Area
from envs.desktop.control import Control
from envs.desktop.non_x11 import OtherKeyboard
from envs.desktop.x11 import keysyms
from envs.keys import NAMED
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[3]


class FakeGui(SimpleNamespace):
    """Writes down what it is asked for, and knows only some keys, as pyautogui."""

    KEYBOARD_KEYS = ("ctrl", "v", "enter", "esc", "shift", "a")

    def __init__(self) -> None:
        self.done: list[str] = []

    def keyDown(self, key: str) -> None:
        self.done.append(f"+{key}")

    def keyUp(self, key: str) -> None:
        self.done.append(f"-{key}")


class FakeClipboard:
    def __init__(self) -> None:
        self.text, self.copied = "mine", list[str]()

    def copy(self, text: str) -> None:
        self.text = text
        self.copied.append(text)

    def paste(self) -> str:
        return self.text


def test_text_over_the_clipboard_which_is_restored() -> None:
    gui, clipboard = FakeGui(), FakeClipboard()
    keyboard = OtherKeyboard(gui, clipboard, Control("ignore"))
    keyboard.write("é<\r\n好😀")
    assert clipboard.copied == ["é<", "好😀", "mine"]
    assert gui.done == [*["+ctrl", "+v", "-v", "-ctrl", "+enter", "-enter", "+ctrl", "+v", "-v", "-ctrl"]]


def test_other_systems_keys_are_validated_and_let_go() -> None:
    gui = FakeGui()
    keyboard = OtherKeyboard(gui, FakeClipboard(), Control("ignore"))
    keyboard.chord(("escape",))
    with pytest.raises(ActionFailed, match="there is no key 'f23'"):
        keyboard.chord(("ctrl", "f23"))
    keyboard.down("shift")
    keyboard.down("shift")
    keyboard.close()
    assert gui.done == [*["+esc", "-esc", "+shift", "-shift"]]


def test_every_key_and_character_has_a_number() -> None:
    assert all(keysyms.of_key(name) for name in NAMED)
    assert keysyms.of_character("é") == 0xE9
    assert keysyms.of_character("€") == 0x010020AC
    assert keysyms.of_character("😀") == 0x0101F600
    assert keysyms.of_character("\x1b") is None
    assert keysyms.names_of(0xFFE4) == "ctrl"
    assert keysyms.names_of(0x51) == "q"


def test_areas() -> None:
    left = Area(-100, -50, 100, 80)
    assert left.common(Area(-10, 0, 30, 10)) == Area(-10, 0, 10, 10)
    assert left.common(Area(0, 0, 5, 5)) is None
    assert Area(-100, -50, 1, 1).within(left)
    assert not Area(-101, -50, 5, 5).within(left)


def test_imports_need_no_display_no_tkinter_and_no_xauthority(tmp_path: Path) -> None:
    """In a process that has none of them; nor is a missing package an accident without words."""
    script = """
import sys
sys.modules["tkinter"] = sys.modules["_tkinter"] = None
import envs.desktop, envs.desktop.worker, envs.desktop.checks
assert "pyautogui" not in sys.modules
import importlib.util
find = importlib.util.find_spec
from envs.desktop import driver
driver.find_spec = lambda name: None if name == "mss" else find(name)
try:
    driver.check_packages()
except Exception as error:
    print(type(error).__name__, error)
"""
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "XAUTHORITY")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**environment, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stdout.startswith("SetupError")
    assert "not here: mss (pip install 'guikv[desktop]')" in done.stdout
