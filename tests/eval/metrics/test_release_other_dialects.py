"""Answers in dialects that the release does not know are read as UI-TARS would have written them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from envs.actions import (
    Action,
    Click,
    Drag,
    Finish,
    Keys,
    OpenApp,
    Scroll,
    Select,
    SystemButton,
    Type,
    Wait,
)
from envs.geometry import Resize, Size
from eval.metrics.prediction import Prediction
from eval.metrics.release import Call, Reading, read
from eval.replay.offline_dialect import speaker

SIZE = Size(1932, 1092)
"""UI-TARS sees it as it is, so that whole pixels stay exact."""


def said(name: str, actions: Sequence[Action]) -> Prediction:
    """The prediction of a model that writes these actions in that dialect."""
    speaks = speaker(name)
    return speaks.predict((speaks.dialect.write("", actions, speaks.resize(SIZE)),), SIZE)


def held(actions: Sequence[Action]) -> Prediction:
    return Prediction(("",), tuple(actions), Resize(SIZE, Size(1000, 1000)), "qwen3")


CASES: list[tuple[Action, Call]] = [
    (Click(x=966, y=273), Call("click", point=(0.5, 0.25))),
    (Click(x=966, y=273, button="right"), Call("right_single", point=(0.5, 0.25))),
    (Click(x=966, y=273, count=2), Call("left_double", point=(0.5, 0.25))),
    (Drag(path=((966, 273), (483, 546))), Call("drag", point=(0.5, 0.25), end=(0.25, 0.5))),
    (Type(text="hello"), Call("type", text="hello")),
    (Type(text="it's\ntwo", submit=True), Call("type", text="it's\ntwo\n")),
    (Keys(keys=("ctrl", "c")), Call("hotkey", keys=("ctrl", "c"))),
    (Scroll(direction="down", x=966, y=273), Call("scroll", point=(0.5, 0.25), direction="down")),
    (Scroll(direction="left"), Call("scroll", direction="left")),
    (SystemButton(button="back"), Call("press_back")),
    (OpenApp(name="Maps"), Call("open_app", text="Maps")),
    (Select(x=966, y=273, option="Red"), Call("select", point=(0.5, 0.25), text="Red")),
    (Wait(), Call("wait")),
    (Finish(message="done"), Call("finished", text="done")),
]


@pytest.mark.parametrize(("action", "call"), CASES, ids=lambda value: getattr(value, "name", "") or value.type)
def test_each_action(action: Action, call: Call) -> None:
    assert read(held([action])) == Reading("ui_tars", (call,))


@pytest.mark.parametrize("name", ["qwen25", "qwen3"])
def test_what_a_model_says(name: str) -> None:
    clicked = read(said(name, [Click(x=966, y=273)]))
    assert [call.name for call in clicked.calls] == ["click"]
    assert clicked.calls[0].point == pytest.approx((0.5, 0.25), abs=2e-3)
    assert read(said(name, [Type(text="a b")])).calls == (Call("type", text="a b"),)


def test_the_defects_of_the_reader_stay() -> None:
    reading = read(held([Type(text="set point=1")]))
    assert reading.calls == (Call("type", text="set start_box=1"),)
    assert read(held([Type(text="see Action: go")])).failed
    assert read(held([Click(x=966, y=273), Type(text="a\\")])).calls[1] == Call("type", text="a\\")


def test_what_cannot_be_said_is_no_call() -> None:
    impossible = Click(x=1, y=1, button="right", count=3)
    assert read(held([impossible])) == Reading("ui_tars", ())
    assert [call.name for call in read(held([impossible, Wait()])).calls] == ["wait"]
    assert read(held([])) == Reading("ui_tars", ())


@pytest.mark.parametrize("size", [Size(1, 1), Size(1, 4000)])
def test_a_size_that_no_model_takes(size: Size) -> None:
    reading: Any = read(Prediction(("",), (Wait(),), Resize(size, size), "qwen25"))
    assert reading == Reading("ui_tars", (), failed=True)


def test_an_answer_that_could_not_be_read_has_failed() -> None:
    unreadable = speaker("qwen25").predict(("I do not know.",), SIZE)
    assert unreadable.error
    assert read(unreadable) == Reading("ui_tars", (), failed=True)
