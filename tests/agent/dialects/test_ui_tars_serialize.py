"""What is written for an action is read as that action."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects import UiTars
from agent.dialects.coordinates import Coordinates
from agent.dialects.ui_tars.serialize import write_action, write_answer
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

x, y = st.integers(0, 1000).map(float), st.integers(0, 700).map(float)
text = st.text(max_size=60).filter(lambda s: not s.endswith(("\n", "\\n")))
words = st.text(min_size=1, max_size=40).filter(lambda s: bool(s.strip()) and s == s.strip())
key = st.sampled_from([*NAMED, "a", "Z", "7", "?", "-"])
seconds = st.integers(1, 30).map(float)
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Click, x=x, y=y, button=st.just("left"), count=st.integers(1, 3)),
    st.builds(Click, x=x, y=y, button=st.sampled_from(["middle", "right"]), count=st.just(1)),
    st.builds(Drag, path=st.lists(st.tuples(x, y), min_size=2, max_size=5).map(tuple)),
    st.builds(Move, x=x, y=y),
    st.builds(Scroll, direction=st.sampled_from(["up", "down", "left", "right"]), amount=st.just(5), x=x, y=y),
    st.builds(Scroll, direction=st.sampled_from(["up", "down"]), amount=st.just(5)),
    st.builds(Type, text=text, submit=st.booleans()),
    st.builds(Keys, keys=st.lists(key, min_size=1, max_size=3).map(tuple)),
    st.builds(KeyDown, key=key),
    st.builds(KeyUp, key=key),
    st.builds(LongPress, x=x, y=y, seconds=seconds),
    st.builds(Swipe, x=x, y=y, x2=x, y2=y, seconds=st.just(0.3)),
    st.builds(OpenApp, name=words),
    st.builds(SystemButton, button=st.sampled_from(["home", "back", "recents", "menu", "enter", "power"])),
    st.builds(Navigate, url=words),
    st.builds(Select, x=x, y=y, option=words),
    st.builds(Wait, seconds=seconds),
    st.builds(Answer, text=text),
    st.builds(AskUser, question=text),
    st.builds(Finish, status=st.just("failure"), message=text),
    st.builds(Finish, message=words.map(lambda s: f"I did {s}")),
    st.just(Back()),
    st.just(Forward()),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(actions, min_size=1, max_size=4), st.sampled_from(["", "I do it", "two\nlines"]))
def test_round_trip(given_actions: list[Action], thought: str) -> None:
    answer = write_answer(thought, given_actions, Coordinates(SAME))
    parsed = UiTars("{instruction}").parse(answer, SAME)
    assert parsed.actions == tuple(given_actions)
    assert parsed.thought == thought


@settings(deadline=None)
@given(x=st.floats(0, 1920), y=st.floats(0, 1080), space=st.sampled_from(["absolute", "relative"]))
def test_places_round_trip_to_within_a_model_pixel(x: float, y: float, space: str) -> None:
    resize = Resize(Size(1920, 1080), Size(644, 364))
    dialect = UiTars("{instruction}", space="absolute" if space == "absolute" else "relative")
    call = write_action(Click(x=x, y=y), Coordinates(resize, dialect.space))
    (found,) = dialect.parse(f"Action: {call}", resize).actions
    assert isinstance(found, Click)
    assert abs(found.x - x) <= 1.5
    assert abs(found.y - y) <= 1.5


def test_what_the_family_cannot_say_is_an_error() -> None:
    with pytest.raises(DialectError):
        write_action(Click(x=1, y=1, button="right", count=2), Coordinates(SAME))
