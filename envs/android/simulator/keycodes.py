"""Android's key codes, and the key of a web page that each of them is."""

from __future__ import annotations

import string
from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """`page_key` is playwright's name: of a place on a US keyboard where Shift and the like shall change what it means;
    empty for keys that the phone itself takes, or that do nothing here.
    """

    code: int
    name: str
    page_key: str = ""


LAST_CODE = 316
"""Numbers up to here are keys of Android, most of them unknown to this phone."""

_PHONE = {
    3: "HOME", 4: "BACK", 24: "VOLUME_UP", 25: "VOLUME_DOWN", 26: "POWER", 82: "MENU", 164: "VOLUME_MUTE",
    187: "APP_SWITCH", 223: "SLEEP", 224: "WAKEUP",
}  # fmt: skip
_PAGE = {
    17: ("STAR", "*"), 18: ("POUND", "#"), 19: ("DPAD_UP", "ArrowUp"), 20: ("DPAD_DOWN", "ArrowDown"),
    21: ("DPAD_LEFT", "ArrowLeft"), 22: ("DPAD_RIGHT", "ArrowRight"), 23: ("DPAD_CENTER", "Enter"),
    55: ("COMMA", "Comma"), 56: ("PERIOD", "Period"), 57: ("ALT_LEFT", "Alt"), 58: ("ALT_RIGHT", "Alt"),
    59: ("SHIFT_LEFT", "Shift"), 60: ("SHIFT_RIGHT", "Shift"), 61: ("TAB", "Tab"), 62: ("SPACE", "Space"),
    66: ("ENTER", "Enter"), 67: ("DEL", "Backspace"), 68: ("GRAVE", "Backquote"), 69: ("MINUS", "Minus"),
    70: ("EQUALS", "Equal"), 71: ("LEFT_BRACKET", "BracketLeft"), 72: ("RIGHT_BRACKET", "BracketRight"),
    73: ("BACKSLASH", "Backslash"), 74: ("SEMICOLON", "Semicolon"), 75: ("APOSTROPHE", "Quote"),
    76: ("SLASH", "Slash"), 77: ("AT", "@"), 81: ("PLUS", "+"), 92: ("PAGE_UP", "PageUp"),
    93: ("PAGE_DOWN", "PageDown"), 111: ("ESCAPE", "Escape"), 112: ("FORWARD_DEL", "Delete"),
    113: ("CTRL_LEFT", "Control"), 114: ("CTRL_RIGHT", "Control"), 115: ("CAPS_LOCK", "CapsLock"),
    117: ("META_LEFT", "Meta"), 118: ("META_RIGHT", "Meta"), 122: ("MOVE_HOME", "Home"), 123: ("MOVE_END", "End"),
    124: ("INSERT", "Insert"), 160: ("NUMPAD_ENTER", "Enter"), 277: ("CUT", "Control+KeyX"),
    278: ("COPY", "Control+KeyC"), 279: ("PASTE", "Control+KeyV"),
}  # fmt: skip

_KEYS = [Key(code, name) for code, name in _PHONE.items()]
_KEYS += [Key(code, name, page_key) for code, (name, page_key) in _PAGE.items()]
_KEYS += [Key(29 + place, letter, f"Key{letter}") for place, letter in enumerate(string.ascii_uppercase)]
_KEYS += [Key(7 + digit, str(digit), f"Digit{digit}") for digit in range(10)]
_KEYS += [Key(131 + number, f"F{number + 1}", f"F{number + 1}") for number in range(12)]

_BY_NAME = {key.name: key for key in _KEYS}
_BY_CODE = {key.code: key for key in _KEYS}
UNKNOWN = Key(0, "UNKNOWN")


def find_key(text: str) -> Key:
    """Key by number, or by name with or without KEYCODE_. UNKNOWN where there is none, as Android has it."""
    # A digit alone is a code: the key "7" is KEYCODE_7, or 14.
    if text.isdecimal():
        code = int(text)
        return _BY_CODE.get(code, Key(code, str(code)) if code <= LAST_CODE else UNKNOWN)
    return _BY_NAME.get(text.removeprefix("KEYCODE_"), UNKNOWN)
