"""All functions of the family: parameters in order, and what a call of it does."""

from __future__ import annotations

from dataclasses import dataclass

from agent.dialects.opencua import control, keyboard, pointer
from agent.dialects.opencua.arguments import ArgumentError, Arguments
from agent.dialects.opencua.code import MODULES, Call, fold
from agent.dialects.opencua.draft import Draft
from agent.dialects.opencua.places import Places
from agent.dialects.opencua.pointer import Build


@dataclass(frozen=True)
class Function:
    """`parameters` as `Arguments.bind` takes them; names that only animate a call are needed for its positions."""

    parameters: str
    build: Build


_TEXT = "message/text/content interval"
_CLICK = "x y clicks interval button duration tween"
_TWICE = "x y interval button duration tween"

_TABLE: dict[str, Function] = {
    "click": Function(_CLICK, pointer.click("left", 1)),
    "doubleClick": Function(_TWICE, pointer.click("left", 2)),
    "tripleClick": Function(_TWICE, pointer.click("left", 3)),
    "rightClick": Function("x y interval duration tween", pointer.click("right", 1)),
    "middleClick": Function("x y interval duration tween", pointer.click("middle", 1)),
    "moveTo": Function("x y duration tween", pointer.move),
    "dragTo": Function("x y duration tween button", pointer.drag),
    "mouseDown": Function("x y button duration tween", pointer.mouse_down),
    "mouseUp": Function("x y button duration tween", pointer.mouse_up),
    "scroll": Function("clicks/amount x y", pointer.scroll("up", "down")),
    "vscroll": Function("clicks/amount x y", pointer.scroll("up", "down")),
    "hscroll": Function("clicks/amount x y", pointer.scroll("right", "left")),
    "write": Function(_TEXT, keyboard.write),
    "typewrite": Function(_TEXT, keyboard.write),
    "press": Function("keys/key presses interval", keyboard.press),
    "hotkey": Function("keys/key *", keyboard.hotkey),
    "shortcut": Function("keys/key *", keyboard.hotkey),
    "keyDown": Function("key/keys", keyboard.key_down),
    "keyUp": Function("key/keys", keyboard.key_up),
    "wait": Function("seconds/time/duration", control.wait),
    "sleep": Function("seconds/secs", control.wait),
    "terminate": Function("status answer/message", control.terminate),
    "answer": Function("text/message/answer/content", control.answer),
    "select_option": Function("x y value/option/text", pointer.select),
    "clear": Function("x y", pointer.clear),
    "swipe": Function("from_coord/begin/start to_coord/end seconds", pointer.swipe),
    "long_press": Function("x y seconds", pointer.long_press),
    "open_app": Function("app_name/name", control.open_app),
    "home": Function("", control.home),
    "back": Function("", control.back),
    "forward": Function("", control.forward),
    "goto": Function("url", control.goto),
}
FUNCTIONS: dict[str, Function] = {fold(name): function for name, function in _TABLE.items()}


def apply(call: Call, draft: Draft, places: Places, capabilities: frozenset[str] | None) -> None:
    """Add what the call does to the draft. Raises ArgumentError, and ValidationError of the actions."""
    function = FUNCTIONS.get(call.name)
    known = call.module in MODULES or not call.module
    if function is None or not known or (call.module == "time" and call.name != "sleep"):
        raise ArgumentError(f"there is no action {call.shown[:40]!r}")
    function.build(Arguments.bind(call, function.parameters, places, capabilities), draft)
