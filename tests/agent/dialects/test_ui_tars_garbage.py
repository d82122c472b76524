"""Whatever a model writes, the parser answers with actions or a ParseError, in time proportional to the text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects import UiTars
from agent.dialects.reading import MAX_ANSWER
from tests.agent.dialects.fuzz import mutations, understood, work

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


MUTATED = 10_000
"""Mutated answers tried."""


def check(text: str) -> bool:
    """Is the answer understood? Anything but actions on the screen and ParseError fails."""
    return understood(DIALECT, text)


@given(st.text(max_size=400))
@settings(max_examples=300)
def test_any_text(text: str) -> None:
    check(text)
    check(f"Thought: t\nAction: {text}")
    check(f"Action: click(start_box='{text}')")


@given(st.lists(st.sampled_from(PIECES), max_size=60))
@settings(max_examples=300)
def test_shuffled_pieces(pieces: list[str]) -> None:
    check("".join(pieces))
    check("Action: type(content='" + "".join(pieces))


@given(st.binary(max_size=600))
@settings(max_examples=150)
def test_random_bytes(data: bytes) -> None:
    check(data.decode("utf-8", errors="replace"))
    check("Action: " + data.decode("latin-1"))


def test_mutated_answers(capsys: pytest.CaptureFixture[str]) -> None:
    read = sum(check(text) for text in mutations(REAL, PIECES, MUTATED, seed=30))
    with capsys.disabled():
        print(f"\nui_tars: {MUTATED} mutated answers, {read} understood, 0 other exceptions")
    assert 0.1 < read / MUTATED < 0.95


LONG: dict[str, str] = {
    "quotes": "Action: type(content='|'",
    "quote blanks": "Action: type(content='|' ",
    "quote commas": "Action: type(content='|', a",
    "closed quotes": "Action: type(content='|') a",
    "backslashes": "Action: type(content='|\\",
    "open calls": "Action: |type(content='a')x ",
    "calls": "Action: |wait()\n",
    "imagined steps": "Action: click(start_box='(1,2)')\n|Thought: a\nAction: type(content='b')\n",
    "brackets": "|click(",
    "labels": "|Action:",
    "words": "|Action",
    "names": "|a",
    "arguments": "Action: click(|a='',",
    "blanks": "Action: click(start_box=| ",
    "fences": "|```",
    "thoughts": "|Thought:\n",
    "keys": "Action: hotkey(key='|ctrl ",
    "numbers": "Action: click(start_box='(|1,",
    "tags": "|<think>wait()</think>",
    "tags in texts": "</think>Action: |type(content='</think>')\n",
    "open texts and tags": "</think>|type(content='</think>\n",
    "marks": "Action: wait()|[EOS]",
}
"""What an answer begins with, a bar, and what is repeated in it."""


def cost(text: str) -> int:
    return work(lambda: check(text))


@pytest.mark.parametrize("name", LONG)
def test_work_grows_with_the_length_at_most(name: str) -> None:
    """Counted in lines run, not in time, so that a busy machine changes nothing."""
    start, repeated = LONG[name].split("|")
    small, large = start + repeated * (3_000 // len(repeated)), start + repeated * (12_000 // len(repeated))
    assert cost(large) <= 1.3 * len(large) / len(small) * cost(small) + 5_000
    check((start + repeated * MAX_ANSWER)[:MAX_ANSWER])


def test_too_long_an_answer_is_not_looked_at() -> None:
    assert cost("Action: wait()\n" * MAX_ANSWER) < 80
