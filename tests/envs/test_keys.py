"""Key names of all dialects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.base import ActionFailed
from envs.browser.keyboard import playwright_name
from envs.keys import NAMED, UnknownKey, canonical, parse_chord

PYAUTOGUI = [
    "add", "alt", "altleft", "altright", "backspace", "capslock", "command", "ctrl", "ctrlleft", "ctrlright",
    "decimal", "del", "delete", "divide", "down", "end", "enter", "esc", "escape", "f1", "f24", "home",
    "insert", "left", "multiply", "numlock", "num0", "num9", "option", "optionright", "pagedown", "pageup",
    "pause", "pgdn", "pgup", "playpause", "printscreen", "prntscrn", "prtsc", "prtscr", "return", "right",
    "scrolllock", "shift", "shiftleft", "shiftright", "space", "subtract", "tab", "up", "volumedown",
    "volumemute", "volumeup", "win", "winleft", "winright",
]  # fmt: skip


@pytest.mark.parametrize("name", PYAUTOGUI)
def test_pyautogui_names_are_known(name: str) -> None:
    assert canonical(name) in NAMED or len(canonical(name)) == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Control", "ctrl"),
        ("ControlLeft", "ctrl"),
        ("Control_L", "ctrl"),
        ("RETURN", "enter"),
        ("Page_Up", "pageup"),
        ("page up", "pageup"),
        ("ArrowLeft", "left"),
        ("Cmd", "meta"),
        ("Super_L", "meta"),
        ("option", "alt"),
        ("KP_Enter", "enter"),
        (" ", "space"),
        ("\n", "enter"),
        ("plus", "+"),
        ("KeyA", "a"),
        ("A", "A"),
        ("ß", "ß"),
        ("F12", "f12"),
    ],
)
def test_names_of_dialects(name: str, expected: str) -> None:
    assert canonical(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ctrl c", ("ctrl", "c")),
        ("ctrl+c", ("ctrl", "c")),
        ("Ctrl-Shift-T", ("ctrl", "shift", "T")),
        ("ctrl + alt + delete", ("ctrl", "alt", "delete")),
        ("ctrl++", ("ctrl", "+")),
        ("ctrl -", ("ctrl", "-")),
        ("ctrl + +", ("ctrl", "+")),
        ("ctrl--", ("ctrl", "-")),
        ("+", ("+",)),
        ("-", ("-",)),
        ("page up", ("pageup",)),
        ("Page-Down", ("pagedown",)),
        ("scroll lock", ("scrolllock",)),
        ("alt left", ("alt", "left")),
        ("Alt+Left", ("alt", "left")),
        ("ctrl-right", ("ctrl", "right")),
        ("altleft", ("alt",)),
        ("ctrl page down", ("ctrl", "pagedown")),
        ("alt left arrow", ("alt", "left")),
        ("right alt", ("alt",)),
        ("right+alt", ("right", "alt")),
        ("left ctrl c", ("ctrl", "c")),
        ("win left", ("meta", "left")),
        ("windows key e", ("meta", "e")),
        ("back space", ("backspace",)),
        ("num 1", ("1",)),
        ("ctrl num plus", ("ctrl", "+")),
        ("ctrl_page_down", ("ctrl", "pagedown")),
        ("shift_r", ("shift",)),
        ("enter", ("enter",)),
        (" ", ("space",)),
    ],
)
def test_chords(text: str, expected: tuple[str, ...]) -> None:
    assert parse_chord(text) == expected


@pytest.mark.parametrize("name", ["entr", "ctlr", "escap", "pagedwn"])
def test_nearest_name(name: str) -> None:
    with pytest.raises(UnknownKey, match="did you mean") as caught:
        canonical(name)
    assert caught.value.nearest in NAMED


@pytest.mark.parametrize("text", ["", "  ", "\x00", "foobarbaz", "ctrl foobarbaz"])
def test_unknown_keys(text: str) -> None:
    with pytest.raises(UnknownKey):
        parse_chord(text)


@given(st.text(max_size=30))
def test_any_text_gives_a_key_or_a_typed_error(text: str) -> None:
    try:
        key = canonical(text)
    except UnknownKey:
        return
    assert key in NAMED or len(key) == 1
    assert canonical(key) == key


def test_browser_names() -> None:
    assert playwright_name("ctrl") == "Control"
    assert playwright_name("C", in_chord=True) == "c"
    assert playwright_name("C") == "C"
    with pytest.raises(ActionFailed, match="did you mean 'enter'"):
        playwright_name("entr")
    with pytest.raises(ActionFailed, match="types text"):
        playwright_name("é")
