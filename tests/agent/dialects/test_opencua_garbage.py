"""Whatever a model writes, the parser answers with actions or a ParseError, in time proportional to the text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.opencua import OpenCUA
from agent.dialects.reading import MAX_ANSWER
from tests.agent.dialects.fuzz import mutations, understood, work

DIALECTS = (OpenCUA.make("grounding"), OpenCUA.make(space="relative"))
REAL = [
    *(entry["answer"] for entry in json.loads((Path(__file__).parents[2] / "data/opencua/answers.json").read_text())),
    "```python\npyautogui.click(x=1443, y=343)\n```",
    "# Step 2:\n## Action:\nWait.\n\n## Code:\n```code\ncomputer.wait()\n```",
    '## Thought:\nt\n\n## Action:\na\n\n## Code:\n```code\ncomputer.terminate(status=\'success\', answer="""1""")\n```',
    "## Action:\na\n\n## Code:\n```python\npyautogui.press(['backspace'], presses=9)\npyautogui.write('it\\'s')\n```",
    "mobile.swipe(from_coord=[0.58, 0.9], to_coord=[0.6, 0.5])\nmobile.open_app(app_name='drupe')",
]
PIECES = (
    *("pyautogui.", "computer.", "click(", "answer(", "x=", "y=", "write(message='", "keys=[", "')", "0.5", "lambda:"),
    *("'", '"', "'''", "\\", "(", ")", "[", "]", "{", "}", ",", "=", ":", "：", "#", ";", "-", "**", "*", "not "),
    *("```", "```python\n", "## Code:", "## Thought:", "# Step 1:", "\n", " ", "<think>", "[EOS]"),
    *("9" * 50, "1e9", "nan", "\x00", "\ud800"),
)
MUTATED = 10_000


def check(text: str) -> bool:
    """Is the answer understood in any convention? Anything but actions and ParseError fails."""
    return sum(understood(dialect, text) for dialect in DIALECTS) > 0


@given(st.text(max_size=400))
@settings(max_examples=200)
def test_any_text(text: str) -> None:
    check(text)
    check(f"## Code:\n```python\n{text}\n```")
    check(f"pyautogui.click({text})")
    check(f"pyautogui.write(message='{text}')")


@given(st.lists(st.sampled_from(PIECES), max_size=60))
@settings(max_examples=300)
def test_shuffled_pieces(pieces: list[str]) -> None:
    check("".join(pieces))
    check("## Code:\n```python\npyautogui.write(message='" + "".join(pieces))


@given(st.binary(max_size=600))
@settings(max_examples=150)
def test_random_bytes(data: bytes) -> None:
    check(data.decode("utf-8", errors="replace"))
    check("```python\n" + data.decode("latin-1"))


def test_mutated_answers(capsys: pytest.CaptureFixture[str]) -> None:
    read = sum(check(text) for text in mutations(REAL, PIECES, MUTATED, seed=20))
    with capsys.disabled():
        print(f"\nopencua: {MUTATED} mutated answers, {read} understood, 0 other exceptions")
    # Were nearly all unreadable or none, the mutations would try little.
    assert 0.1 < read / MUTATED < 0.95


LONG: dict[str, Callable[[int], str]] = {
    "quotes": lambda n: "pyautogui.write(message='" + "'" * n,
    "quote blanks": lambda n: "pyautogui.write(message='" + "' " * (n // 2),
    "quote commas": lambda n: "pyautogui.write(message='" + "', a" * (n // 4),
    "escaped quotes": lambda n: "pyautogui.write(message='" + "\\'" * (n // 2),
    "backslashes": lambda n: "pyautogui.write(message='" + "\\" * n,
    "open calls": lambda n: "pyautogui.write('a'" * (n // 20),
    "lines of calls": lambda n: "pyautogui.press('a')\n" * (n // 21),
    "lines of open strings": lambda n: "pyautogui.press('''\n" * (n // 20),
    "calls inside": lambda n: "go pyautogui.press('a') " * (n // 24),
    "brackets": lambda n: "pyautogui.click" + "(" * n,
    "headings": lambda n: "## Code:\n" * (n // 9),
    "thoughts": lambda n: "## Thought:\n" * (n // 12),
    "hashes": lambda n: "#" * n,
    "stars": lambda n: "**Code" * (n // 6),
    "names": lambda n: "a" * n,
    "modules": lambda n: "pyautogui." * (n // 10),
    "bare names": lambda n: "answer(" * (n // 7),
    "arguments": lambda n: "pyautogui.click(" + "a=1," * (n // 4) + ")",
    "blanks": lambda n: "pyautogui.click(x=" + " " * n,
    "fences": lambda n: "```" * (n // 3),
    "open fences": lambda n: "```\nx``` " * (n // 9),
    "closed fences": lambda n: "```\npyautogui.x\n```\n" * (n // 20),
    "end marks": lambda n: "[EOS]" * (n // 5),
    "minus": lambda n: "pyautogui.scroll(" + "-" * n + "1)",
    "attributes": lambda n: "pyautogui" + ".a" * (n // 2) + "()",
    "numbers": lambda n: "pyautogui.click(x=" + "1" * n + ", y=1)",
    "lists": lambda n: "pyautogui.hotkey([" + "'a'," * (n // 4) + "])",
    "statements": lambda n: "```python\n" + "a\n" * (n // 2) + "```",
    "indents": lambda n: "```python\n" + "\n".join(" " * (i % 50) + "a" for i in range(n // 26)),
    "words": lambda n: "```python\n" + "not " * (n // 4),
}


def cost(text: str) -> int:
    return work(lambda: check(text))


@pytest.mark.parametrize("name", LONG)
def test_work_grows_with_the_length_at_most(name: str) -> None:
    """Counted in lines run, not in time, so that a busy machine changes nothing."""
    build = LONG[name]
    small, large = build(3_000), build(12_000)
    assert cost(large) <= 1.3 * len(large) / len(small) * cost(small) + 5_000
    check(build(MAX_ANSWER)[:MAX_ANSWER])


def test_too_long_an_answer_is_not_looked_at() -> None:
    assert cost("pyautogui.click(1, 2)\n" * MAX_ANSWER) < 60
