"""Answers as models of the family really give them, kind by kind, and what each is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from agent.dialects.qwen.dialect import Qwen
from agent.errors import ParseError
from envs.actions import (
    Action,
    Answer,
    AskUser,
    Click,
    Drag,
    Finish,
    Forward,
    KeyDown,
    Keys,
    KeyUp,
    Navigate,
    OpenApp,
    Scroll,
    Swipe,
    Type,
    Wait,
)
from envs.geometry import Resize, Size

SAME = Resize(Size(1000, 1000), Size(1000, 1000))
DIALECTS = (Qwen.make("qwen25"), Qwen.make("qwen3", scale=1000))
GROUNDING = (Qwen.make("qwen25", "grounding"), Qwen.make("qwen3", "grounding", scale=1000))
REFUSED: tuple[Action, ...] = ()


def call(action: str, tool: str = "computer_use", **values: Any) -> str:
    return f"<tool_call>\n{json.dumps({'name': tool, 'arguments': {'action': action, **values}})}\n</tool_call>"


def check(dialects: Sequence[Qwen], text: str, expected: tuple[Action, ...], may: frozenset[str] | None = None) -> None:
    for dialect in dialects:
        if expected == REFUSED:
            with pytest.raises(ParseError):
                dialect.parse(text, SAME, may)
        else:
            assert dialect.parse(text, SAME, may).actions == expected


CLICK, WAIT = call("left_click", coordinate=[10, 20]), call("wait", time=1)
CLICKED, WAITED = (Click(x=10, y=20),), (Wait(seconds=1),)
TAG = '<tool_call>{"name": "computer_use", "arguments": {"action": "type", "text": %s}}</tool_call>'

THINKING: list[tuple[str, tuple[Action, ...]]] = [
    (f"Plan: {WAIT} no.\n</think>\n\n{CLICK}", CLICKED),
    (f"I could call <tool_call> now.\n</think>\n\n{CLICK}", CLICKED),
    (f"<think>\nPlan: {WAIT} no.\n</think>\n\n{CLICK}", CLICKED),
    (f"<thinking>{WAIT}</thinking>{CLICK}", CLICKED),
    (f"{WAIT}</thinking>{CLICK}", CLICKED),
    (f"<think_abc>{WAIT}</think_abc>{CLICK}", CLICKED),
    (f"The tag </think> ends it. {WAIT} </think> now\n{CLICK}", CLICKED),
    (f"<think>a</think> {WAIT} <think>b</think>{CLICK}", CLICKED),
    (f'maybe {{"action": "wait"}}\n</think>\n{CLICK}', CLICKED),
    (f"<function=computer_use><parameter=action>wait</parameter></function></think>{CLICK}", CLICKED),
    (f'Maybe <tool_call>{{"name": "computer_use", "arguments": {{"act</think>\n{CLICK}', CLICKED),
    (f'Maybe <tool_call>{{"action": "type", "text": "hm</think>\n{CLICK}', CLICKED),
    ('Maybe {"action": "type", "text": "hm</think>\n{"action": "left_click", "coordinate": [10, 20]}', CLICKED),
    (f"I will use <tool_call> now.\n{CLICK}", CLICKED),
    # Only where no call follows do those count that were thought.
    (f"<think>\n{CLICK}\n</think>", CLICKED),
    (f"<think>\n{CLICK}", CLICKED),
    (f"{WAIT}</think>{CLICK}</think>", CLICKED),
    (f"{CLICK}\n<think>maybe {WAIT}</think>", CLICKED),
    (f"{CLICK}\n<think>maybe {WAIT}", CLICKED),
    (f"<think>x</think>{CLICK}\n<think>maybe {WAIT}</think>", CLICKED),
    (f"<think_never_used_51bce0c785ca2f68>{WAIT}</think_never_used_51bce0c785ca2f68>{CLICK}", CLICKED),
    (f"<Reasoning>{WAIT}</Reasoning >{CLICK}", CLICKED),
    # Of a call's own text nothing is a tag.
    (TAG % '"</think>"', (Type(text="</think>"),)),
    (TAG % '"a </think> b"', (Type(text="a </think> b"),)),
    ("hm </think>" + TAG % '"<think>x</think>"', (Type(text="<think>x</think>"),)),
    ('{"action": "type", "text": "</think>"}', (Type(text="</think>"),)),
    ("<function=computer_use><parameter=action>type</parameter><parameter=text>a</think>b</parameter></function>",
     (Type(text="a</think>b"),)),
    # Broken where it counts.
    (f"{CLICK}</think>\n<tool_call>\nclick\n</tool_call>", REFUSED),
    (f'{CLICK}</think>\n<tool_call>{{"action": "left_click", "coordinate": [10', REFUSED),
]  # fmt: skip

PLACES: list[tuple[str, tuple[Action, ...]]] = [
    ('<grounding_think>The box labelled [Mbps] …</grounding_think>\n<answer>\n{"coordinate": [281, 659]}\n</answer>',
     (Click(x=281, y=659),)),
    ("It is percentile(x, [2.5, 97.5]) here.\n[281, 659]", (Click(x=281, y=659),)),
    ('I see percentile(x, [2.5, 97.5]).\n{"point_2d": [281, 659]}', (Click(x=281, y=659),)),
    ("<think>percentile(x, [2.5, 97.5])</think>[281, 659]", (Click(x=281, y=659),)),
    ("percentile [2.5, 97.5] </think>(281, 659)", (Click(x=281, y=659),)),
    ('At first [10, 20], but no:\n```json\n{"bbox_2d": [271, 649, 291, 669], "label": "a"}\n```',
     (Click(x=281, y=659),)),
    ("<think>x</think><answer>[281, 659]</answer>", (Click(x=281, y=659),)),
    ("[10, 20] or so. <answer>(281, 659)</answer>", (Click(x=281, y=659),)),
    ('<grounding_think>[10, 20] <answer>{"coordinate": [281, 659]}', (Click(x=281, y=659),)),
    ("The size is [1, 2, 3], so [281, 659].", (Click(x=281, y=659),)),
    ("坐标(281, 659)", (Click(x=281, y=659),)),
    ("<point>281 659</point>", (Click(x=281, y=659),)),
    ("<|box_start|>(281,659)<|box_end|>", (Click(x=281, y=659),)),
    ("281, 659", (Click(x=281, y=659),)),
    ('{"x": 281, "y": 659}', (Click(x=281, y=659),)),
    ('{"result": {"coordinate": [281, 659]}}', (Click(x=281, y=659),)),
    ("[[271, 649, 291, 669]]", (Click(x=281, y=659),)),
    ('[{"bbox_2d": [271, 649, 291, 669]}, {"bbox_2d": [1, 1, 3, 3]}]', (Click(x=281, y=659),)),
    ("Click(281, 659)", (Click(x=281, y=659),)),
    ('{"action": "click_absolute", "x": 281, "y": 659}', (Click(x=281, y=659),)),
    (call("left_click", coordinate=[281, 659]), (Click(x=281, y=659),)),
    (f"{CLICK}</think>\n[281, 659]", (Click(x=281, y=659),)),
    ("[" + ", ".join(f'{{"bbox_2d": [{i}, {i}, {i + 2}, {i + 2}]}}' for i in range(1, 99)) + "]", (Click(x=2, y=2),)),
    ("[281 659]", (Click(x=281, y=659),)),
    ('mean([1, 2]) is 1.5.\nAnswer: {"point": {"x": 281, "y": 659}} (sure)', (Click(x=281, y=659),)),
    # Numbers of the reasons are no answer.
    ('{"range": [2.5, 97.5]}', REFUSED),
    ('{"coordinate": null}', REFUSED),
    ("It is percentile(x, [2.5, 97.5]) here.", REFUSED),
    ("<think>percentile(x, [2.5, 97.5])", REFUSED),
    ("<think>[281, 659]</think>", REFUSED),
    ("<think>[281, 659]</think>I cannot find it.", REFUSED),
    ("<grounding_think>[281, 659]</grounding_think><answer>none</answer>", REFUSED),
    ("[281, 659]\n[2000, 3000]", REFUSED),
    ("[281, 659", REFUSED),
    ("[281,", REFUSED),
    ("rgb(1, 2)", REFUSED),
]  # fmt: skip

CUT: list[tuple[str, tuple[Action, ...]]] = [
    ('[{"bbox_2d":[10,20,30,40],"label":"a"},{"bbox_2d":[50,', (Click(x=20, y=30),)),
    ('```json\n[{"bbox_2d": [10, 20, 30, 40], "label": "a"}, {"bbox_2d": [50, 60', (Click(x=20, y=30),)),
    ('[{"point_2d": [20, 30]}, {"poi', (Click(x=20, y=30),)),
    ('[{"bbox_2d": [10, 20, 30, 40]},', (Click(x=20, y=30),)),
    ("[[10, 20, 30, 40], [50, ", (Click(x=20, y=30),)),
    ('[{"bbox_2d":[10,20,', REFUSED),
    ('[{"bbox_2d": [10, 20, 30', REFUSED),
]

CTRL_CLICK = (KeyDown(key="ctrl"), Click(x=10, y=20), KeyUp(key="ctrl"))
SELECT_ALL = Keys(keys=("ctrl", "a"))
ARGUMENTS: list[tuple[dict[str, Any], tuple[Action, ...]]] = [
    ({"action": "type", "text": "hi", "clear": 1, "enter": 1}, (SELECT_ALL, Type(text="hi", submit=True))),
    ({"action": "type", "text": "hi", "clear": 0, "enter": 0}, (Type(text="hi"),)),
    ({"action": "type", "text": "hi", "clear": "1", "enter": "true"}, (SELECT_ALL, Type(text="hi", submit=True))),
    ({"action": "type", "text": "hi", "press_enter": 1}, (Type(text="hi", submit=True),)),
    ({"action": "type", "text": "hi", "delete_existing_text": True}, (SELECT_ALL, Type(text="hi"))),
    ({"action": "type", "text": "", "clear": 1}, (SELECT_ALL, Keys(keys=("backspace",)), Type(text=""))),
    ({"action": "type", "coordinate": [1, 2], "text": "hi", "clear": 1, "enter": 1},
     (Click(x=1, y=2), SELECT_ALL, Type(text="hi", submit=True))),
    ({"action": "type", "text": "hi", "enter": "maybe"}, REFUSED),
    ({"action": "type", "text": "hi", "enter": 2}, REFUSED),
    ({"action": "type", "text": "hi", "speedily": 1}, REFUSED),
    ({"action": "type", "text": "hi", "keys": ["ctrl"]}, REFUSED),
    ({"action": "left_click", "coordinate": [10, 20], "text": "ctrl"}, CTRL_CLICK),
    ({"action": "left_click", "coordinate": [10, 20], "keys": ["ctrl"]}, CTRL_CLICK),
    ({"action": "left_click", "coordinate": [10, 20], "keys": "['ctrl']"}, CTRL_CLICK),
    ({"action": "left_click", "coordinate": [10, 20], "text": "ctrl+shift"},
     (KeyDown(key="ctrl"), KeyDown(key="shift"), Click(x=10, y=20), KeyUp(key="shift"), KeyUp(key="ctrl"))),
    ({"action": "left_click", "coordinate": [10, 20], "text": ""}, CLICKED),
    ({"action": "left_click", "coordinate": [10, 20], "keys": [], "text": None}, CLICKED),
    ({"action": "left_click", "coordinate": [10, 20], "button": "right"}, (Click(x=10, y=20, button="right"),)),
    ({"action": "left_click", "coordinate": [10, 20], "clicks": 2}, (Click(x=10, y=20, count=2),)),
    ({"action": "left_click", "coordinate": [10, 20], "text": "Save"}, REFUSED),
    ({"action": "left_click", "coordinate": [10, 20], "keys": ["a"]}, REFUSED),
    ({"action": "left_click", "coordinate": [10, 20], "enter": 1}, REFUSED),
    ({"action": "left_click", "coordinate": [10, 20], "coordinate2": [30, 40]}, REFUSED),
    ({"action": "scroll", "pixels": -300, "text": "ctrl"},
     (KeyDown(key="ctrl"), Scroll(direction="down", amount=3), KeyUp(key="ctrl"))),
    ({"action": "key", "keys": ["keys=[ctrl", "c]"]}, (Keys(keys=("ctrl", "c")),)),
    ({"action": "key", "keys": ["['ctrl'", "'c']"]}, (Keys(keys=("ctrl", "c")),)),
    ({"action": "key", "keys": "['ctrl', 'c']"}, (Keys(keys=("ctrl", "c")),)),
    ({"action": "key", "keys": "keys=[ctrl, c]"}, (Keys(keys=("ctrl", "c")),)),
    ({"action": "key", "keys": ["keys=[enter]"]}, (Keys(keys=("enter",)),)),
    ({"action": "key", "keys": ["[ctrl", "shift", "t]"]}, (Keys(keys=("ctrl", "shift", "t")),)),
    ({"action": "key", "keys": "ctrl, c"}, (Keys(keys=("ctrl", "c")),)),
    ({"action": "key", "keys": "ctrl+,"}, (Keys(keys=("ctrl", ",")),)),
    ({"action": "key", "keys": "['ctrl'"}, REFUSED),
    ({"action": "scroll", "direction": "down", "pixels": 300}, (Scroll(direction="down", amount=3),)),
    ({"action": "scroll", "direction": "down", "pixels": -300}, (Scroll(direction="down", amount=3),)),
    ({"action": "scroll", "direction": "up", "pixels": -300}, REFUSED),
    ({"action": "key", "keys": ["ctrl", "]"]}, (Keys(keys=("ctrl", "]")),)),
    ({"action": "key", "keys": ["["]}, (Keys(keys=("[",)),)),
    ({"action": "key", "keys": ["keys=[ctrl", "]"]}, REFUSED),
    ({"action": "key", "keys": ["ctrl"], "text": "c"}, REFUSED),
    ({"action": "key", "keys": "ctrl page down"}, (Keys(keys=("ctrl", "pagedown")),)),
    ({"action": "hotkey", "keys": "['ctrl', 'c']"}, (Keys(keys=("ctrl", "c")),)),
    ({"action": "key_down", "keys": ["ctrl", "shift"]}, (KeyDown(key="ctrl"), KeyDown(key="shift"))),
    ({"action": "key_up", "keys": ["ctrl", "shift"]}, (KeyUp(key="shift"), KeyUp(key="ctrl"))),
    ({"action": "key_down", "keys": ["keys=[shift]"]}, (KeyDown(key="shift"),)),
]  # fmt: skip

PUBLISHED: list[tuple[str, tuple[Action, ...]]] = [
    # Holo1.5: localization, and steps of navigation.
    ('{"action": "click_absolute", "x": 947, "y": 338}', (Click(x=947, y=338),)),
    ("Click(947, 338)", (Click(x=947, y=338),)),
    ("Click(x=947, y=338)", (Click(x=947, y=338),)),
    ("It is the blue one.\nClick(947, 338)", (Click(x=947, y=338),)),
    ("```\nClick(947, 338)\n```", (Click(x=947, y=338),)),
    ("Action: `Click(947, 338)`", (Click(x=947, y=338),)),
    ('{"action": "click", "x": 947, "y": 338}', (Click(x=947, y=338),)),
    (call("click", x=947, y=338), (Click(x=947, y=338),)),
    ('{"note": "", "thought": "t", "action": {"action": "click_element", "element": "a link", "x": 947, "y": 338}}',
     (Click(x=947, y=338),)),
    ('{"note": "n", "thought": "t", "action": {"action": "write_element_abs", "content": "milk", "element": "e", '
     '"x": 1, "y": 2}}', (Click(x=1, y=2), Type(text="milk", submit=True))),
    ('{"thought": "t", "action": {"action": "scroll", "direction": "down"}}', (Scroll(direction="down"),)),
    ('{"thought": "t", "action": {"action": "goto", "url": "https://a.test/"}}', (Navigate(url="https://a.test/"),)),
    ('{"thought": "t", "action": {"action": "wait", "seconds": 2}}', (Wait(seconds=2),)),
    ('{"thought": "t", "action": {"action": "refresh"}}', (Keys(keys=("f5",)),)),
    ('{"thought": "t", "action": {"action": "answer", "content": "42"}}', (Answer(text="42"), Finish())),
    ('{"thought": "t", "action": {"action": "restart"}}', REFUSED),
    ("I could Click(947, 338) but I wait.", REFUSED),
    ("Click(947)", REFUSED),
    ("Click(9470, 338)", REFUSED),
    # MAI-UI.
    (f"<thinking>\nA plan.\n</thinking>\n{call('swipe', 'mobile_use', direction='up', coordinate=[500, 500])}",
     (Swipe(x=500, y=500, x2=500, y2=100),)),
    (call("drag", "mobile_use", start_coordinate=[1, 2], end_coordinate=[3, 4]), (Drag(path=((1, 2), (3, 4))),)),
    (call("open", "mobile_use", text="Clock"), (OpenApp(name="Clock"),)),
    (call("ask_user", "mobile_use", text="Which?"), (AskUser(question="Which?"),)),
    (call("terminate", "mobile_use", status="fail"), (Finish(status="failure"),)),
    (call("double_click", "mobile_use", coordinate=[10, 20]), (Click(x=10, y=20, count=2),)),
    # GUI-Owl.
    (f"<thinking>t</thinking>{call('type', text='hi', clear=1, enter=0)}<conclusion>typed</conclusion>",
     (SELECT_ALL, Type(text="hi"))),
    (call("drag", coordinate=[1, 2], coordinate2=[3, 4]), (Drag(path=((1, 2), (3, 4))),)),
    (call("scroll", coordinate=[1, 2], value=-5), (Scroll(direction="down", amount=5, x=1, y=2),)),
    (call("scroll", pixels=5), (Scroll(direction="up", amount=5),)),
    ('### Thought ###\nt\n### Action ###\n{"action": "click", "coordinate": [10, 20]}\n### Description ###\n', CLICKED),
    # GUI-Owl 1.5.
    (f"Action: Click it.\n{CLICK}", CLICKED),
    (call("right click", coordinate=[10, 20]), (Click(x=10, y=20, button="right"),)),
    (call("computer_double_click", coordinate=[10, 20]), (Click(x=10, y=20, count=2),)),
    (call("open app", app_name="Calculator"), (OpenApp(name="Calculator"),)),
    (call("interact", text="Solve it."), (AskUser(question="Solve it."),)),
    # EvoCUA.
    (call("key_down", keys=["shift"]) + call("left_click", coordinate=[10, 20]) + call("key_up", keys=["shift"]),
     (KeyDown(key="shift"), *CLICKED, KeyUp(key="shift"))),
    # Fara.
    (call("type", text="hi", coordinate=[1, 2], press_enter=True, delete_existing_text=True),
     (Click(x=1, y=2), SELECT_ALL, Type(text="hi", submit=True))),
    (call("pause_and_memorize_fact", fact="It costs 5."), (Wait(seconds=0),)),
    (call("web_search", query="a b"), (Navigate(url="https://www.bing.com/search?q=a+b"),)),
    (call("history_forward"), (Forward(),)),
    (call("ask_user_question", question="Which?"), (AskUser(question="Which?"),)),
    (call("terminate", answer="It costs 5."), (Finish(message="It costs 5."),)),
    (call("terminate", answer="It costs 5.", status="failure"), (Finish(status="failure", message="It costs 5."),)),
]  # fmt: skip

ESCAPES: list[tuple[str, tuple[Action, ...]]] = [
    (TAG % r'"\ud83d\ude00"', (Type(text="😀"),)),
    (TAG.replace('"', "'") % r"'\ud83d\ude00'", (Type(text="😀"),)),
    (TAG.replace("}}<", "}<") % r'"a \ud83d\ude00 b"', (Type(text="a 😀 b"),)),
    (TAG % r'"say "\ud83d\ude00" now"', (Type(text='say "😀" now'),)),
    (TAG % r'"\ud83d"', REFUSED),
    (TAG % r'"\ude00\ud83d"', REFUSED),
    (TAG % r'"\ud83d x \ude00"', REFUSED),
    (TAG.replace('"', "'") % r"'\ud83d'", REFUSED),
    (TAG.replace('"', "'") % r"'\ude00\ud83d'", REFUSED),
]

TEXTS: list[tuple[str, tuple[Action, ...]]] = [
    # Whole, whatever quotes and brackets are in it.
    (TAG % '"print("a")"', (Type(text='print("a")'),)),
    (TAG % '"say "hi""', (Type(text='say "hi"'),)),
    (TAG % '"d["k"] = {"a": "b"}"', (Type(text='d["k"] = {"a": "b"}'),)),
    (TAG % '"f("x")[0]"', (Type(text='f("x")[0]'),)),
    (TAG % '"<|im_end|> [EOS] </s>"', (Type(text="<|im_end|> [EOS] </s>"),)),
    ("{'action': 'type', 'text': 'print('a')'}", (Type(text="print('a')"),)),
    # Several readings.
    (TAG % '"a "}} b"', REFUSED),
    (TAG % '"say "hi", "you" now"', REFUSED),
    (TAG % r'"C:\users\new"', REFUSED),
    ('{"action": "type", "text": "hi", enter: "y"}', REFUSED),
    # Nothing beside a call is dropped.
    ('<tool_call>{"action": "wait", "time": 1}\n{"action": "type", "text": "x"}</tool_call>',
     (*WAITED, Type(text="x"))),
    ('<tool_call>{"name": "computer_use", "arguments": {"action": "type", "text": "hi"}, "enter": 1}</tool_call>',
     (Type(text="hi", submit=True),)),
    ('<tool_call>{"name": "c", "arguments": {"action": "type", "text": "a"}, "text": "b"}</tool_call>', REFUSED),
    ('<tool_call>{"action": "type", "text": "a"} and b</tool_call>', REFUSED),
    ('<tool_call>{"action": "type", "text": "a",', REFUSED),
    ("<function=c><parameter=action>type</parameter><parameter=text>a</parameter> b</parameter></function>", REFUSED),
    (f"<tool_call>\n{json.dumps({'action': 'wait', 'time': 1})}\nThen I look again.", WAITED),
]  # fmt: skip

KINDS: dict[str, tuple[tuple[Qwen, ...], list[tuple[str, tuple[Action, ...]]]]] = {
    "what stands before the end of thinking is never done": (DIALECTS, THINKING),
    "grounding reads the final answer": (GROUNDING, PLACES),
    "a list that was cut off gives its first box": (GROUNDING, CUT),
    "published answer forms": (DIALECTS, PUBLISHED),
    "escaped characters": (DIALECTS, ESCAPES),
    "texts are whole or refused": (DIALECTS, TEXTS),
}


@pytest.mark.parametrize(
    ("kind", "number"), [(kind, number) for kind, (_, cases) in KINDS.items() for number in range(len(cases))]
)
def test_answers(kind: str, number: int) -> None:
    dialects, cases = KINDS[kind]
    check(dialects, *cases[number])


@pytest.mark.parametrize(("values", "expected"), ARGUMENTS, ids=[json.dumps(values)[11:80] for values, _ in ARGUMENTS])
def test_arguments_count_or_are_refused(values: dict[str, Any], expected: tuple[Action, ...]) -> None:
    check(DIALECTS, f"<tool_call>\n{json.dumps({'name': 'computer_use', 'arguments': values})}\n</tool_call>", expected)
    check(DIALECTS, json.dumps(values), expected)


def test_what_cannot_be_held_is_refused() -> None:
    held = call("left_click", coordinate=[10, 20], text="ctrl")
    check(DIALECTS, held, CTRL_CLICK, frozenset({"click", "key_down", "key_up"}))
    check(DIALECTS, held, REFUSED, frozenset({"click", "keys"}))
    clear = call("type", text="hi", clear=1)
    check(DIALECTS, clear, (SELECT_ALL, Type(text="hi")), frozenset({"type", "keys"}))
    check(DIALECTS, clear, REFUSED, frozenset({"type", "system_button"}))


def test_a_cut_list_is_told() -> None:
    told = GROUNDING[0].parse(CUT[0][0], SAME)
    assert told.notes == ("the answer was cut off: the first of its boxes was taken",)
    assert GROUNDING[0].parse('[{"bbox_2d":[10,20,30,40]}]', SAME).notes == ()


def test_what_is_thought_is_kept() -> None:
    parsed = DIALECTS[0].parse(f"Plan: {WAIT} no.\n</think>\n\nAction: Click it.\n{CLICK}", SAME)
    assert parsed.thought == f"Plan: {WAIT} no."
    assert parsed.call == CLICK
    step = {"note": "It costs 5.", "thought": "I look.", "action": {"action": "wait"}}
    assert DIALECTS[0].parse(json.dumps(step), SAME).thought == "I look.\nIt costs 5."
