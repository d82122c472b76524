"""Mutated answers of real models: every one gives actions or a ParseError, with work that grows as the text does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects import Dialect, UiTars
from agent.dialects.qwen.dialect import Qwen
from tests.agent.dialects.fuzz import mutations, understood, work

COUNT = 8_000
"""Mutated answers tried per dialect."""

UI_TARS = (
    "Thought: I see the search box.\nAction: click(start_box='(197,525)')",
    "Thought: type it\nAction: type(content='it\\'s \"here\"\\n')",
    "Action: drag(start_box='<|box_start|>(1,2)<|box_end|>', end_box='<|box_start|>(3,4)<|box_end|>')",
    "Thought: a\nAction: scroll(point='<point>10 20</point>', direction='down')\n\nhotkey(key='ctrl c')",
    "Reflection: no Action_Summary: yes\nAction: select(start_box='[1, 2, 3, 4]', content='x')[EOS]",
    "<think>hm</think>\nThought: b\nAction: finished(content='done')",
    "Thought: 我\nAction: long_press(start_box='(10,20)', time='2')",
)


def called(tool: str, action: str, **arguments: Any) -> str:
    return f"<tool_call>\n{json.dumps({'name': tool, 'arguments': {'action': action, **arguments}})}\n</tool_call>"


QWEN = (
    called("computer_use", "left_click", coordinate=[562, 339]),
    "Thought: The search box is at the top.\nAction: Click the search box.\n"
    + called("computer_use", "left_click", coordinate=[499, 63]),
    called("computer_use", "mouse_move", coordinate=[10, 20])
    + "\n"
    + called("computer_use", "left_click_drag", coordinate=[30, 40]),
    "Action: Copy it.\n" + called("computer_use", "key", keys=["ctrl", "c"]),
    "<think>\nhm\n</think>\n\n"
    + called("mobile_use", "swipe", coordinate=[500, 800], coordinate2=[500, 200])
    + "<|im_end|>",
    called("computer_use", "type", text='it\'s "here"\n', press_enter=True, coordinate=[5, 6]),
    called("computer_use", "scroll", pixels=-500, coordinate=[1, 2]),
    called("mobile_use", "system_button", button="Back"),
    called("computer_use", "terminate", status="success"),
    "<tool_call>\n<function=computer_use>\n<parameter=action>\nleft_click\n</parameter>\n"
    "<parameter=coordinate>\n[10, 20]\n</parameter>\n</function>\n</tool_call>",
    "```json\n{'action': 'answer', 'text': 'it costs 5'}\n```",
)
UI_TARS_PIECES = (
    "click(",
    "type(content='",
    "')",
    "Action:",
    "Thought:",
    "\n\n",
    "<point>",
    "start_box=",
    "(1,2)",
    "nan",
)
QWEN_PIECES = (
    *(
        "<tool_call>",
        "</tool_call>",
        '{"name": ',
        '"arguments": {',
        "}}",
        '"action": ',
        '"coordinate": [',
        "<think>",
        "NaN",
    ),
    *(
        "</think>",
        "Action:",
        "```json",
        "<function=",
        "<parameter=",
        "</parameter>",
        "1e999",
        "null",
        "\\u00",
        "9" * 50,
    ),
)
CASES: dict[str, tuple[Dialect, tuple[str, ...], tuple[str, ...]]] = {
    "ui_tars": (UiTars("{instruction}"), UI_TARS, UI_TARS_PIECES),
    "ui_tars grounding": (UiTars("{instruction}", grounding=True, space="relative"), UI_TARS, UI_TARS_PIECES),
    "qwen25": (Qwen.make("qwen25"), QWEN, QWEN_PIECES),
    "qwen3": (Qwen.make("qwen3"), QWEN, QWEN_PIECES),
    "qwen3 grounding": (Qwen.make("qwen3", "grounding"), QWEN, QWEN_PIECES),
}


@pytest.mark.parametrize("name", CASES)
def test_mutated_answers(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    dialect, answers, pieces = CASES[name]
    assert all(understood(dialect, answer) for answer in answers)
    read = sum(understood(dialect, text) for text in mutations(answers, pieces, COUNT))
    with capsys.disabled():
        print(f"\n{name}: {COUNT} mutated answers, {read} understood, {COUNT - read} ParseErrors, 0 other exceptions")
    assert 0 < read < COUNT


@pytest.mark.parametrize("name", CASES)
@given(text=st.text(max_size=300), pieces=st.lists(st.sampled_from(QWEN_PIECES + UI_TARS_PIECES), max_size=40))
@settings(max_examples=60)
def test_any_text(name: str, text: str, pieces: list[str]) -> None:
    dialect, answers, _ = CASES[name]
    for mixed in (text, "".join(pieces), "<tool_call>" + text, "Action: " + text, "".join(pieces) + text + answers[0]):
        understood(dialect, mixed)


CALL = '<tool_call>{"name": "computer_use", "arguments": {"action": "type", "text": "'
REPEATED: dict[str, tuple[str, str]] = {
    "quotes": (CALL, '"'),
    "quotes and blanks": (CALL, '" '),
    "quotes and commas": (CALL, '", a'),
    "backslashes": (CALL, "\\"),
    "line breaks": (CALL, "\n"),
    "tags": ("", "<tool_call>"),
    "tags with objects": ("", '<tool_call>{"a":'),
    "tags with strings": ("", '<tool_call>{"a": "b'),
    "closing tags": (CALL, "</tool_call>"),
    "objects": ("", '{"action": '),
    "empty objects": ("", "{} "),
    "braces": ("<tool_call>", "{"),
    "brackets": ("<tool_call>", "["),
    "numbers": ('<tool_call>{"coordinate": [', "1, "),
    "digits": ('<tool_call>{"coordinate": [', "1"),
    "names": ("<tool_call>{'a': 1, ", "'b': 2, "),
    "functions": ("", "<function="),
    "parameters": ("<function=a>", "<parameter=b>c</parameter>"),
    "thoughts": ("", "Thought: a\n"),
    "thinking": ("", "<think>"),
    "marks": ("", "<|im_end|>"),
    "calls": ("Action: ", "click(start_box='(1,2)')\n"),
    "open calls": ("Action: ", "click("),
    "strings of calls": ("Action: type(content='", "', a"),
    "labels": ("", "Action:"),
    "blanks": ("Action: click(start_box=", " "),
}


@pytest.mark.parametrize("shape", REPEATED)
@pytest.mark.parametrize("name", ["ui_tars", "qwen25"])
def test_work_grows_with_the_length_at_most(name: str, shape: str) -> None:
    dialect, (start, repeated) = CASES[name][0], REPEATED[shape]

    def needed(length: int) -> int:
        text = start + repeated * (length // len(repeated))
        return work(lambda: understood(dialect, text))

    assert needed(4_000) <= 2.6 * needed(2_000) + 200
