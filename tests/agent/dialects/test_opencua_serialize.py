"""What is written for actions is read as those actions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects.coordinates import Coordinates
from agent.dialects.opencua import OpenCUA
from agent.dialects.opencua.serialize import write_action, write_answer
from agent.errors import DialectError
from envs.actions import (
    Action,
    Answer,
    AskUser,
    Back,
    Click,
    Drag,
    Finish,
    Forward,
    KeyDown,
    Keys,
    KeyUp,
    LongPress,
    Move,
    Navigate,
    OpenApp,
    Scroll,
    Select,
    Swipe,
    SystemButton,
    Type,
    Wait,
)
from envs.geometry import Resize, Size
from envs.keys import NAMED

SAME = Resize(Size(1000, 700), Size(1000, 700))
DIALECT = OpenCUA.make()

x, y = st.integers(0, 1000).map(float), st.integers(0, 700).map(float)
any_text = st.text(max_size=60) | st.sampled_from(
    ["```", 'it\'s "so"', "C:\\new", "## Code:\n```", "<|im_end|>", "\x00"]
)
# A newline at the end is Enter, and read as such.
typed = any_text.filter(lambda s: not s.endswith("\n"))
words = st.text(min_size=1, max_size=40).filter(lambda s: bool(s.strip()) and s == s.strip())
key = st.sampled_from([*NAMED, "a", "Z", "7", "?", "-", "+", "'", "\\"])
seconds = st.floats(0.001, 30)
amount = st.integers(1, 100)
directions = st.sampled_from(["up", "down", "left", "right"])
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Click, x=x, y=y, button=st.sampled_from(["left", "middle", "right"]), count=st.integers(1, 3)),
    st.builds(Drag, path=st.lists(st.tuples(x, y), min_size=2, max_size=5).map(tuple)),
    st.builds(Move, x=x, y=y),
    st.builds(Scroll, direction=directions, amount=amount, x=x, y=y),
    st.builds(Type, text=typed, submit=st.booleans()),
    st.builds(Type, text=any_text, submit=st.just(True)),
    st.builds(Keys, keys=st.lists(key, min_size=1, max_size=5).map(tuple)),
    st.just(Keys(keys=("enter",))),
    st.builds(KeyDown, key=key),
    st.builds(KeyUp, key=key),
    st.builds(LongPress, x=x, y=y, seconds=seconds),
    st.builds(Swipe, x=x, y=y, x2=x, y2=y, seconds=seconds),
    st.builds(OpenApp, name=words),
    st.builds(SystemButton, button=st.sampled_from(["home", "back"])),
    st.builds(Navigate, url=words),
    st.builds(Select, x=x, y=y, option=any_text),
    st.builds(Wait, seconds=st.floats(0, 60) | st.just(20.0)),
    st.builds(Answer, text=any_text),
    st.builds(Finish, status=st.sampled_from(["success", "failure"]), message=any_text),
    st.just(Back()),
    st.just(Forward()),
)  # fmt: skip
thoughts = st.sampled_from(["", "I do it", "two\nlines", "I see `code` and ```"])


@given(st.lists(actions, min_size=1, max_size=4), thoughts, st.sampled_from(["L1", "L2", "L3"]))
def test_round_trip(given_actions: list[Action], thought: str, level: str) -> None:
    parsed = DIALECT.parse(write_answer(thought, given_actions, Coordinates(SAME), level), SAME)
    assert parsed.actions == tuple(given_actions)
    assert parsed.thought == thought


@given(st.builds(Scroll, direction=directions, amount=amount), st.text(max_size=200))
def test_a_scroll_without_a_place_and_any_thought(scroll: Scroll, thought: str) -> None:
    assert DIALECT.parse(DIALECT.write(thought, (scroll,), SAME), SAME).actions == (scroll,)


@given(x=st.floats(0, 1920), y=st.floats(0, 1080), space=st.sampled_from(["absolute", "relative"]))
def test_places_round_trip_to_within_a_model_pixel(x: float, y: float, space: str) -> None:
    resize = Resize(Size(1920, 1080), Size(644, 364))
    dialect = OpenCUA.make(space="absolute" if space == "absolute" else "relative")
    (found,) = dialect.parse(dialect.write("", (Click(x=x, y=y),), resize), resize).actions
    assert isinstance(found, Click)
    assert abs(found.x - x) <= 1.5
    assert abs(found.y - y) <= 1.5


def test_the_form_of_an_answer() -> None:
    text = DIALECT.write("I need milk.", (Type(text="milk", submit=True),), SAME)
    assert text == (
        '## Thought:\nI need milk.\n\n## Action:\nType "milk" and press Enter.\n\n## Code:\n```python\n'
        "pyautogui.write(message='milk')\npyautogui.press(keys=['enter'])\n```\n"
    )
    assert "```code\ncomputer.terminate(status='success')\n```" in DIALECT.write("", (Finish(),), SAME)
    first = OpenCUA.make(level="L1").write("Click it.", (Click(x=1, y=2, count=3),), SAME)
    assert first == "## Action:\nClick it.\n\n## Code:\n```python\ncomputer.triple_click(x=1, y=2)\n```\n"
    shares = OpenCUA.make(space="relative").write("", (Click(x=1, y=700),), SAME)
    assert "click(x=0.001, y=1.0)" in shares


def test_a_scroll_after_the_pointer_was_placed_is_in_the_middle() -> None:
    text = DIALECT.write("", (Click(x=1, y=2), Scroll(direction="down")), SAME)
    assert DIALECT.parse(text, SAME).actions[1] == Scroll(direction="down", x=500, y=350)


def test_a_text_that_ends_with_a_newline_is_read_as_submitted() -> None:
    text = DIALECT.write("", (Type(text="milk\n"),), SAME)
    assert DIALECT.parse(text, SAME).actions == (Type(text="milk", submit=True),)


@pytest.mark.parametrize("action", [AskUser(), SystemButton(button="menu")])
def test_what_the_family_cannot_say_is_an_error(action: Action) -> None:
    with pytest.raises(DialectError, match="OpenCUA has no call"):
        write_action(action, Coordinates(SAME))
