"""Fingers and text, before they reach a device."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.actions import Direction
from envs.android import touch
from envs.android.keyboard import pieces
from envs.android.simulator.commands.gestures import unescape
from envs.geometry import Size

SIZE = Size(1080, 2340)
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=900)


@given(
    direction=st.sampled_from(["up", "down", "left", "right"]),
    amount=st.integers(1, 30),
    point=st.none() | st.tuples(st.floats(0, 1079), st.floats(0, 2339)),
)
def test_scrolling_moves_the_finger_the_other_way_and_far_enough(
    direction: Direction, amount: int, point: tuple[float, float] | None
) -> None:
    strokes = touch.scroll(direction, amount, point, SIZE)
    axis = 1 if direction in ("up", "down") else 0
    side = (SIZE.width, SIZE.height)[axis]
    sign = -1 if direction in ("down", "right") else 1
    total = 0
    for stroke in strokes:
        length = (stroke.end[axis] - stroke.start[axis]) * sign
        assert length >= 0
        assert stroke.start[1 - axis] == stroke.end[1 - axis]
        # The edges belong to the system.
        assert 0.11 * side <= min(stroke.start[axis], stroke.end[axis])
        assert max(stroke.start[axis], stroke.end[axis]) <= 0.89 * side
        total += length
    assert total == pytest.approx(amount * touch.WHEEL_SHARE * side, abs=2 * len(strokes) + 1)


def test_scrolling_begins_at_the_point_where_there_is_room() -> None:
    (stroke,) = touch.scroll("down", 3, (200.0, 1800.0), SIZE)
    assert stroke.start == (200, 1800)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_taps_are_one_line(count: int) -> None:
    line = touch.taps((10.9, 20.2), count)
    assert line.count("input tap 10 20") == count
    assert re.fullmatch(r"[a-z0-9 .;()&]+", line)


@given(PRINTABLE)
def test_pieces_of_text_arrive_whole_under_the_rule_of_input_text(text: str) -> None:
    parts = pieces(text)
    assert "".join(parts) == text
    for part in parts:
        if part.startswith("-"):
            # Pressed as keys, never an argument.
            assert set(part) == {"-"}
        else:
            assert unescape(part.replace(" ", "%s")) == part


def test_the_rule_itself() -> None:
    assert unescape("a%sb") == "a b"
    assert unescape("%%s") == "% "
    assert pieces("100%sure") == ["100%", "sure"]
