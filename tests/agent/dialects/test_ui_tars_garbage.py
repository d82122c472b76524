"""Whatever a model writes, the parser answers with actions or a ParseError, quickly."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects import UiTars
from agent.dialects.reading import MAX_ANSWER
from agent.errors import ParseError
from envs.actions import points_of
from envs.geometry import Resize, Size

RESIZE = Resize(Size(1920, 1080), Size(1932, 1092))
DIALECT = UiTars("{instruction}")
REAL = [
    "Thought: I see the search box.\nAction: click(start_box='(197,525)')",
    "Thought: type it\nAction: type(content='it\\'s \"here\"\\n')",
    "Action: drag(start_box='<|box_start|>(1,2)<|box_end|>', end_box='<|box_start|>(3,4)<|box_end|>')",
    "Thought: a\nAction: scroll(point='<point>10 20</point>', direction='down')\n\nhotkey(key='ctrl c')",
    "Reflection: no Action_Summary: yes\nAction: select(start_box='[1, 2, 3, 4]', content='x')[EOS]",
    "<think>hm</think>\nThought: b\nAction: finished(content='done')",
]
PIECES = (
    *("click(", "type(content='", "')", "'", '"', "\\", "(", ")", ",", "=", "Action:", "Thought:", "\n\n", "<point>"),
    *("start_box=", "(1,2)", "[", "]", "`", "<think>", "</think>", " ", "：", "x", "9" * 50, "nan"),
)


def check(text: str) -> None:
    try:
        parsed = DIALECT.parse(text, RESIZE)
    except ParseError:
        return
    assert parsed.actions
    for action in parsed.actions:
        for x, y in points_of(action):
            assert 0 <= x <= 1920
            assert 0 <= y <= 1080


@given(st.text(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_text(text: str) -> None:
    check(text)
    check(f"Thought: t\nAction: {text}")
    check(f"Action: click(start_box='{text}')")


@given(st.lists(st.sampled_from(PIECES), max_size=60))
@settings(max_examples=300, deadline=None)
def test_shuffled_pieces(pieces: list[str]) -> None:
    check("".join(pieces))
    check("Action: type(content='" + "".join(pieces))


@given(st.binary(max_size=600))
@settings(max_examples=150, deadline=None)
def test_random_bytes(data: bytes) -> None:
    check(data.decode("utf-8", errors="replace"))
    check("Action: " + data.decode("latin-1"))


@given(st.sampled_from(REAL), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_mutated_answers(text: str, seed: int) -> None:
    dice = random.Random(seed)
    letters = list(text)
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(letters))
        change = dice.randrange(4)
        if change == 0:
            del letters[place]
        elif change == 1:
            letters.insert(place, dice.choice(PIECES))
        elif change == 2:
            letters[place] = chr(dice.randrange(32, 0x2FF))
        else:
            del letters[place:]
        letters = letters or ["x"]
    check("".join(letters))


LONG = {
    "quotes": "Action: type(content='" + "'" * MAX_ANSWER,
    "quote blanks": "Action: type(content='" + "' " * MAX_ANSWER,
    "quote commas": "Action: type(content='" + "', a" * MAX_ANSWER,
    "backslashes": "Action: type(content='" + "\\" * MAX_ANSWER,
    "open calls": "Action: " + "type(content='a')x " * MAX_ANSWER,
    "brackets": "click(" * MAX_ANSWER,
    "labels": "Action:" * MAX_ANSWER,
    "words": "Action" * MAX_ANSWER,
    "names": "a" * MAX_ANSWER,
    "arguments": "Action: click(" + "a='',".join(str(i) for i in range(MAX_ANSWER)),
    "blanks": "Action: click(start_box=" + " " * MAX_ANSWER,
    "fences": "```" * MAX_ANSWER,
    "thoughts": "Thought:\n" * MAX_ANSWER,
    "keys": "Action: hotkey(key='" + "ctrl " * MAX_ANSWER + "')",
    "numbers": "Action: click(start_box='(" + "1," * MAX_ANSWER + "1)')",
}


@pytest.mark.parametrize("name", LONG)
def test_time_grows_with_the_length_at_most(name: str) -> None:
    text = LONG[name]
    begun = time.perf_counter()
    check(text[:MAX_ANSWER])
    check(text)
    assert time.perf_counter() - begun < 5.0


def test_a_million_characters() -> None:
    begun = time.perf_counter()
    check("Action: " + "".join(random.Random(1).choices(PIECES, k=250_000)))
    assert time.perf_counter() - begun < 5.0
