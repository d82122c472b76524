"""Descriptions for people."""

from __future__ import annotations

import pytest

from agent.text import describe, number, plain, share, size
from envs.actions import (
    Action,
    Click,
    Drag,
    Finish,
    Keys,
    Navigate,
    OpenApp,
    Scroll,
    Select,
    SystemButton,
    Type,
    Wait,
)


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (Click(x=140.4, y=56), "click (140,56)"),
        (Click(x=1, y=2, count=2), "double click (1,2)"),
        (Click(x=1, y=2, button="right"), "right click (1,2)"),
        (Drag(path=((1, 2), (3, 4))), "drag (1,2) → (3,4)"),
        (Scroll(direction="down"), "scroll down"),
        (Scroll(direction="up", x=1, y=2), "scroll up (1,2)"),
        (Type(text="a\x1b[2Jb", submit=True), 'type "a [2Jb" ⏎'),
        (Keys(keys=("ctrl", "c")), "keys ctrl+c"),
        (Wait(seconds=5), "wait 5 s"),
        (Finish(status="failure"), "finish failure"),
        (Navigate(url="https://a.test/"), "navigate https://a.test/"),
        (OpenApp(name="Clock"), "open app Clock"),
        (SystemButton(button="back"), "system button back"),
        (Select(x=1, y=2, option="Red"), "select (1,2) Red"),
    ],
)
def test_describe(action: Action, text: str) -> None:
    assert describe(action) == text


def test_sizes_and_numbers() -> None:
    assert [size(n) for n in (0, 2048, 2**20, 3 * 2**30)] == ["0", "2 KiB", "1.0 MiB", "3.00 GiB"]
    assert share(2**20, 3 * 2**20) == "1.0/3.0 MiB"
    assert share(2048, 2**20) == "2 KiB/1.0 MiB"
    assert number(1234567) == "1 234 567"


def test_plain_is_one_short_safe_line() -> None:
    assert plain("a\n\x07 b\u202e\ud800", 10) == "a b"
    assert plain("x" * 50, 10) == "x" * 9 + "…"
