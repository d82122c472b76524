"""Every form in which models of the family write their calls, and what other parsers make of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.dialects.qwen.dialect import Qwen
from agent.dialects.reading import MAX_ANSWER
from agent.errors import ParseError
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
    Swipe,
    SystemButton,
    Type,
    Wait,
)
from envs.geometry import Resize, Size

SAME = Resize(Size(1000, 1000), Size(1000, 1000))
FULL_HD = Resize(Size(1920, 1080), Size(1932, 1092))
DIALECT = Qwen.make("qwen25")
PHONE = frozenset({"click", "swipe", "system_button", "type"})
BROWSER = frozenset({"click", "keys", "back", "navigate"})


def tagged(body: str) -> str:
    return f"<tool_call>\n{body}\n</tool_call>"


def read(
    action: str, tool: str = "computer_use", may: frozenset[str] | None = None, **values: Any
) -> tuple[Action, ...]:
    call = json.dumps({"name": tool, "arguments": {"action": action, **values}})
    return DIALECT.parse(tagged(call), SAME, may).actions


ONE: list[tuple[dict[str, Any], Action]] = [
    ({"action": "left_click", "coordinate": [10, 20]}, Click(x=10, y=20)),
    ({"action": "click", "coordinate": [10, 20]}, Click(x=10, y=20)),
    ({"action": "right_click", "coordinate": [10, 20]}, Click(x=10, y=20, button="right")),
    ({"action": "middle_click", "coordinate": [10, 20]}, Click(x=10, y=20, button="middle")),
    ({"action": "double_click", "coordinate": [10, 20]}, Click(x=10, y=20, count=2)),
    ({"action": "triple_click", "coordinate": [10, 20]}, Click(x=10, y=20, count=3)),
    ({"action": "mouse_move", "coordinate": [10, 20]}, Move(x=10, y=20)),
    ({"action": "left_click_drag", "start_coordinate": [1, 2], "coordinate": [3, 4]}, Drag(path=((1, 2), (3, 4)))),
    ({"action": "left_click_drag", "coordinate": [1, 2], "coordinate2": [3, 4]}, Drag(path=((1, 2), (3, 4)))),
    ({"action": "drag", "start_coordinate": [1, 2], "end_coordinate": [3, 4]}, Drag(path=((1, 2), (3, 4)))),
    ({"action": "scroll", "pixels": -300}, Scroll(direction="down", amount=3)),
    ({"action": "scroll", "pixels": 5, "coordinate": [1, 2]}, Scroll(direction="up", amount=5, x=1, y=2)),
    ({"action": "scroll", "pixels": "-10"}, Scroll(direction="down", amount=10)),
    ({"action": "scroll", "pixels": -60}, Scroll(direction="down", amount=1)),
    ({"action": "scroll", "pixels": -99999}, Scroll(direction="down", amount=100)),
    ({"action": "scroll", "direction": "left", "amount": 2}, Scroll(direction="left", amount=2)),
    ({"action": "hscroll", "pixels": 200}, Scroll(direction="right", amount=2)),
    ({"action": "hscroll", "pixels": -200}, Scroll(direction="left", amount=2)),
    ({"action": "key", "keys": ["ctrl", "c"]}, Keys(keys=("ctrl", "c"))),
    ({"action": "key", "keys": ["ctrl+c"]}, Keys(keys=("ctrl", "c"))),
    ({"action": "key", "keys": "ctrl+c"}, Keys(keys=("ctrl", "c"))),
    ({"action": "key", "keys": "ctrl c"}, Keys(keys=("ctrl", "c"))),
    ({"action": "key", "keys": '["ctrl", "c"]'}, Keys(keys=("ctrl", "c"))),
    ({"action": "key", "text": "Return"}, Keys(keys=("enter",))),
    ({"action": "key", "keys": ["ArrowLeft"]}, Keys(keys=("left",))),
    ({"action": "key", "keys": ["PageDown"]}, Keys(keys=("pagedown",))),
    ({"action": "key", "keys": ["+"]}, Keys(keys=("+",))),
    ({"action": "key", "keys": [" "]}, Keys(keys=("space",))),
    ({"action": "key", "keys": ["ctrl", 5]}, Keys(keys=("ctrl", "5"))),
    ({"action": "key_down", "keys": ["shift"]}, KeyDown(key="shift")),
    ({"action": "key_up", "key": "shift"}, KeyUp(key="shift")),
    ({"action": "type", "text": "hello"}, Type(text="hello")),
    ({"action": "type", "text": ""}, Type(text="")),
    ({"action": "type", "text": "hello\n"}, Type(text="hello", submit=True)),
    ({"action": "type", "text": "a\nb"}, Type(text="a\nb")),
    ({"action": "type", "text": "x", "press_enter": True}, Type(text="x", submit=True)),
    ({"action": "type", "text": "x", "press_enter": False}, Type(text="x")),
    ({"action": "type", "text": 42}, Type(text="42")),
    ({"action": "type", "text": "it's \"so\" '); import os #"}, Type(text="it's \"so\" '); import os #")),
    ({"action": "type", "text": "</tool_call> <tool_call>"}, Type(text="</tool_call> <tool_call>")),
    ({"action": "type", "text": "你好 😀"}, Type(text="你好 😀")),
    ({"action": "wait", "time": 2}, Wait(seconds=2)),
    ({"action": "wait", "time": "2.5s"}, Wait(seconds=2.5)),
    ({"action": "wait", "time": 500}, Wait(seconds=60)),
    ({"action": "wait"}, Wait()),
    ({"action": "answer", "text": "42"}, Answer(text="42")),
    ({"action": "terminate", "status": "success"}, Finish()),
    ({"action": "terminate", "status": "failure"}, Finish(status="failure")),
    ({"action": "terminate", "status": "success", "text": "done"}, Finish(message="done")),
    # Mobile.
    ({"action": "long_press", "coordinate": [10, 20], "time": 2}, LongPress(x=10, y=20, seconds=2)),
    ({"action": "long_press", "coordinate": [10, 20]}, LongPress(x=10, y=20)),
    ({"action": "swipe", "coordinate": [1, 2], "coordinate2": [3, 4]}, Swipe(x=1, y=2, x2=3, y2=4)),
    ({"action": "swipe", "direction": "up"}, Swipe(x=500, y=500, x2=500, y2=100)),
    ({"action": "swipe", "direction": "left", "coordinate": [100, 50]}, Swipe(x=100, y=50, x2=0, y2=50)),
    ({"action": "system_button", "button": "Back"}, SystemButton(button="back")),
    ({"action": "system_button", "button": "Home"}, SystemButton(button="home")),
    ({"action": "system_button", "button": "Menu"}, SystemButton(button="menu")),
    ({"action": "system_button", "button": "Enter"}, SystemButton(button="enter")),
    ({"action": "open", "text": "Clock"}, OpenApp(name="Clock")),
    # The browser agents and the phone agents trained on it.
    ({"action": "visit_url", "url": "https://a.test/"}, Navigate(url="https://a.test/")),
    ({"action": "web_search", "query": "a b&c"}, Navigate(url="https://www.bing.com/search?q=a+b%26c")),
    ({"action": "history_back"}, Back()),
    ({"action": "history_forward"}, Forward()),
    ({"action": "pause_and_memorize_fact", "fact": "It costs 5."}, Wait(seconds=0)),
    ({"action": "interact", "text": "Which one?"}, AskUser(question="Which one?")),
    # Ways to write a place.
    ({"action": "left_click", "coordinate": "[10, 20]"}, Click(x=10, y=20)),
    ({"action": "left_click", "coordinate": "(10, 20)"}, Click(x=10, y=20)),
    ({"action": "left_click", "coordinate": ["10", "20"]}, Click(x=10, y=20)),
    ({"action": "left_click", "coordinate": [[10, 20]]}, Click(x=10, y=20)),
    ({"action": "left_click", "coordinate": [10, 20, 30, 40]}, Click(x=20, y=30)),
    ({"action": "left_click", "coordinate": {"x": 10, "y": 20}}, Click(x=10, y=20)),
    ({"action": "left_click", "coordinate": [10.5, 20.25]}, Click(x=10.5, y=20.25)),
    ({"action": "left_click", "coordinate": [333.33333333333331, 20]}, Click(x=333.33333333, y=20)),
    ({"action": "LEFT_CLICK", "coordinate": [1000, 1000]}, Click(x=1000, y=1000)),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "action"), ONE, ids=[json.dumps(a)[11:70] for a, _ in ONE])
def test_one_action(arguments: dict[str, Any], action: Action) -> None:
    assert read(**arguments) == (action,)


CLICK = '{"name": "computer_use", "arguments": {"action": "left_click", "coordinate": [10, 20]}}'
FORMS: list[tuple[str, str]] = [
    (tagged(CLICK), ""),
    (f"<tool_call>{CLICK}</tool_call>", ""),
    (f"<tool_call>\n{CLICK}", ""),
    (f"{tagged(CLICK)}<|im_end|>\n", ""),
    (f"I click.\n{tagged(CLICK)}", "I click."),
    (f"Thought: it is there\nAction: Click it.\n{tagged(CLICK)}", "it is there"),
    (f"**Thought:** it is there\n**Action:** Click it.\n\n{tagged(CLICK)}", "it is there"),
    (f"Thought: two\nlines\nAction: Click it.\n{tagged(CLICK)}", "two\nlines"),
    (f'Action: "Click it."\n{tagged(CLICK)}', "Click it."),
    (f"<think>\ndeep\n</think>\n\n{tagged(CLICK)}", "deep"),
    (f"deep\n</think>\n\nAction: Click it.\n{tagged(CLICK)}", "deep"),
    (f"<thinking>deep</thinking>{tagged(CLICK)}", "deep"),
    (f"<think>a <tool_call> maybe</think>\nThought: t\n{tagged(CLICK)}", "a <tool_call> maybe\nt"),
    (f"<think>\n{tagged(CLICK)}", ""),
    (tagged(f"```json\n{CLICK}\n```"), ""),
    (f"```json\n{CLICK}\n```", ""),
    (CLICK, ""),
    (f"I click it: {CLICK}", "I click it:"),
    ('{"action": "left_click", "coordinate": [10, 20]}', ""),
    (tagged('{"action": "left_click", "coordinate": [10, 20]}'), ""),
    (tagged('{"name": "left_click", "arguments": {"coordinate": [10, 20]}}'), ""),
    (tagged('{"name": "left_click", "coordinate": [10, 20]}'), ""),
    (tagged('{"name": "computer_use", "parameters": {"action": "left_click", "coordinate": [10, 20]}}'), ""),
    (tagged(json.dumps({"name": "computer_use", "arguments": json.dumps({"action": "click", "point": [10, 20]})})), ""),
    (tagged(f"[{CLICK}]"), ""),
    # JSON that can be meant in one way only.
    (tagged(CLICK + "}"), ""),
    (tagged(CLICK[:-1]), ""),
    (tagged(CLICK[:-2]), ""),
    (tagged(CLICK[:-3]), ""),
    (tagged(CLICK.replace("]}}", "}}")), ""),
    (tagged(CLICK.replace("]}}", "]}]}")), ""),
    (tagged(CLICK.replace("[10, 20]", "(10, 20)")), ""),
    (tagged(CLICK.replace("[10, 20]", "[10, 20,],")), ""),
    (tagged(CLICK.replace('"', "'")), ""),
    (tagged(CLICK.replace('"action"', "action")), ""),
    # The tags of newer chat templates.
    (
        tagged("<function=computer_use>\n<parameter=action>\nleft_click\n</parameter>\n"
               "<parameter=coordinate>\n[10, 20]\n</parameter>\n</function>"),
        "",
    ),
    ("<function=computer_use><parameter=action>left_click</parameter><parameter=coordinate>[10, 20]</parameter>", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "thought"), FORMS, ids=[repr(text)[:60] for text, _ in FORMS])
def test_forms(text: str, thought: str) -> None:
    parsed = DIALECT.parse(text, SAME)
    assert parsed.actions == (Click(x=10, y=20),)
    assert parsed.thought == thought
    assert "left_click" in parsed.call or "click" in parsed.call


def typed(inside: str) -> Action:
    (found,) = DIALECT.parse(tagged(f'{{"name": "computer_use", "arguments": {inside}}}'), SAME).actions
    return found


def test_strings_are_mended_where_one_reading_is_left() -> None:
    assert typed('{"action": "type", "text": "say "hi" now"}') == Type(text='say "hi" now')
    assert typed('{"action": "type", "text": "two\nlines"}') == Type(text="two\nlines")
    assert typed("{'action': 'type', 'text': 'it's'}") == Type(text="it's")
    assert typed('{"action": "type", "text": "C:\\Downloads\\Word"}') == Type(text="C:\\Downloads\\Word")
    assert typed('{"action": "type", "text": "x", "press_enter": True}') == Type(text="x", submit=True)


def test_several_calls() -> None:
    both = tagged(CLICK) + "\n" + tagged('{"name": "computer_use", "arguments": {"action": "type", "text": "x"}}')
    parsed = DIALECT.parse(both, SAME)
    assert parsed.actions == (Click(x=10, y=20), Type(text="x"))
    assert parsed.call == both
    lone = CLICK + "\n" + '{"action": "type", "text": "x"}'
    assert DIALECT.parse(lone, SAME).actions == (Click(x=10, y=20), Type(text="x"))


def test_a_click_without_a_place_is_where_the_pointer_went() -> None:
    move = tagged('{"name": "computer_use", "arguments": {"action": "mouse_move", "coordinate": [10, 20]}}')
    click = tagged('{"name": "computer_use", "arguments": {"action": "double_click"}}')
    assert DIALECT.parse(move + click, SAME).actions == (Move(x=10, y=20), Click(x=10, y=20, count=2))
    with pytest.raises(ParseError, match="needs a coordinate"):
        DIALECT.parse(click, SAME)


def test_a_drag_begins_where_the_pointer_is() -> None:
    move = tagged('{"action": "mouse_move", "coordinate": [1, 2]}')
    drag = tagged('{"action": "left_click_drag", "coordinate": [3, 4]}')
    assert DIALECT.parse(move + drag, SAME).actions == (Drag(path=((1, 2), (3, 4))),)
    with pytest.raises(ParseError, match="call mouse_move before it"):
        DIALECT.parse(drag, SAME)


def test_type_with_a_place_clicks_and_clears_first() -> None:
    place = {"coordinate": [1, 2], "delete_existing_text": True, "press_enter": True}
    expected = (Click(x=1, y=2), Keys(keys=("ctrl", "a")), Type(text="x", submit=True))
    assert read("type", text="x", **place) == expected


def test_what_the_environment_can_do_chooses_between_equals() -> None:
    assert read("key", keys=["volume_up"], may=PHONE) == (SystemButton(button="volume_up"),)
    assert read("key", "mobile_use", text="volume_mute") == (SystemButton(button="mute"),)
    assert read("key", "mobile_use", text="KEYCODE_BACK") == (SystemButton(button="back"),)
    assert read("key", keys=["Home"], may=BROWSER) == (Keys(keys=("home",)),)
    assert read("key", keys=["Home"], may=PHONE) == (SystemButton(button="home"),)
    assert read("system_button", button="Back", may=BROWSER) == (Back(),)
    assert read("system_button", button="Enter", may=BROWSER) == (Keys(keys=("enter",)),)
    assert read("history_back", may=PHONE) == (SystemButton(button="back"),)
    with pytest.raises(ParseError, match="cannot be selected away"):
        read("type", text="x", clear=True, may=PHONE)


def test_coordinates_are_pixels_of_the_resized_image() -> None:
    (found,) = DIALECT.parse(tagged(CLICK.replace("10, 20", "197, 525")), FULL_HD).actions
    assert isinstance(found, Click)
    assert (found.x, found.y) == (pytest.approx(195.776, abs=1e-3), pytest.approx(519.231, abs=1e-3))


@pytest.mark.parametrize(("scale", "edge"), [(None, 999), (1000, 1000)])
def test_coordinates_of_the_third_generation_are_relative(scale: float | None, edge: int) -> None:
    relative = Qwen.make("qwen3", scale=scale)
    (found,) = relative.parse(tagged(CLICK.replace("10, 20", f"{edge}, 333")), FULL_HD).actions
    assert isinstance(found, Click)
    assert found.x == 1920
    assert found.y == pytest.approx(333 / edge * 1080)


def test_grounding_takes_a_bare_place() -> None:
    grounding = Qwen.make("qwen3", "grounding", scale=1000)
    fenced = '```json\n[{"bbox_2d": [400, 200, 600, 300], "label": "ok"}]\n```'
    for answer in ("(500, 250)", "[500, 250]", '{"point_2d": [500, 250], "label": "ok"}', fenced):
        assert grounding.parse(answer, SAME).actions == (Click(x=500, y=250),)
    with pytest.raises(ParseError):
        DIALECT.parse("[500, 250]", SAME)


BAD = [
    "",
    "   ",
    "I do not know",
    "<tool_call>",
    "<tool_call></tool_call>",
    "<tool_call>click</tool_call>",
    "<tool_call>{</tool_call>",
    "<tool_call>{}</tool_call>",
    "<tool_call>[]</tool_call>",
    "<tool_call>[1]</tool_call>",
    tagged('{"name": "computer_use"}'),
    tagged('{"name": "computer_use", "arguments": 5}'),
    tagged('{"name": "computer_use", "arguments": "click"}'),
    tagged('{"name": "computer_use", "arguments": {"action": null}}'),
    tagged('{"name": 5, "arguments": {"coordinate": [1, 2]}}'),
    # Cut off in the middle of a value: nobody knows how it would have gone on.
    '<tool_call>\n{"name": "computer_use", "arguments": {"action": "left_click", "coordinate": [10, 20',
    '<tool_call>\n{"name": "computer_use", "arguments": {"action": "type", "text": "hel',
    # Several readings.
    tagged('{"action": "type", "text": "a", "b"}'),
    tagged('{"action": "type", "text": "C:\\new\\Word"}'),
    tagged('{"action": "left_click", "coordinate": 10, 20}'),
    tagged('{"action": "wait", "action": "left_click", "coordinate": [1, 2],,}'),
    tagged('{"action": "wait", "action": "left_click", "coordinate": [1, 2]}'),
    tagged('{"action": "explode"}'),
    tagged('{"action": "left_click"}'),
    tagged('{"action": "left_click", "coordinate": [1]}'),
    tagged('{"action": "left_click", "coordinate": [1, 2, 3]}'),
    tagged('{"action": "left_click", "coordinate": [NaN, 2]}'),
    tagged('{"action": "left_click", "coordinate": [Infinity, 2]}'),
    tagged('{"action": "left_click", "coordinate": [1e999, 2]}'),
    tagged('{"action": "left_click", "coordinate": [true, 2]}'),
    tagged('{"action": "left_click", "coordinate": [-50, 2]}'),
    tagged('{"action": "left_click", "coordinate": [5000, 2]}'),
    tagged('{"action": "left_click", "coordinate": {"a": 1}}'),
    tagged('{"action": "mouse_move"}'),
    tagged('{"action": "scroll"}'),
    tagged('{"action": "scroll", "pixels": 0}'),
    tagged('{"action": "scroll", "pixels": "far"}'),
    tagged('{"action": "scroll", "direction": "sideways"}'),
    tagged('{"action": "swipe", "coordinate": [1, 2]}'),
    tagged('{"action": "swipe", "coordinate2": [1, 2]}'),
    tagged('{"action": "type"}'),
    tagged('{"action": "type", "text": {"a": 1}}'),
    tagged('{"action": "key"}'),
    tagged('{"action": "key", "keys": []}'),
    tagged('{"action": "key", "keys": ["frobnicate"]}'),
    tagged('{"action": "key", "keys": ["a", "b", "c", "d", "e", "f"]}'),
    tagged('{"action": "key", "keys": {"a": 1}}'),
    tagged('{"action": "open", "text": " "}'),
    tagged('{"action": "system_button", "button": "Moon"}'),
    tagged('{"action": "visit_url"}'),
    tagged('{"action": "web_search", "query": ""}'),
    tagged('{"action": "pause_and_memorize_fact"}'),
    tagged('{"action": "answer"}'),
    tagged('{"action": "wait", "time": "soon"}'),
    tagged('{"action": "terminate"}'),
    tagged('{"action": "terminate", "status": "maybe"}'),
    "<function=computer_use><parameter=action>left_click",
    "<function=",
    tagged('{"action": "wait"}') * 40,
    "<tool_call>[" + '{"action": "wait"},' * 40 + "]</tool_call>",
    "<tool_call>" + "[" * 60_000,
    "<tool_call>" + '{"a":' * 10_000,
    '<tool_call>{"action": "left_click", "coordinate": [' + "1" * 60_000 + ", 2]}</tool_call>",
    "{" * 60_000,
    "x" * (MAX_ANSWER + 1),
]


@pytest.mark.parametrize("text", BAD, ids=[repr(text)[:60] for text in BAD])
def test_everything_else_is_a_parse_error(text: str) -> None:
    with pytest.raises(ParseError):
        DIALECT.parse(text, SAME)
