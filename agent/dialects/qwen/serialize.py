"""From an action to the tool call that a model of the family would write for it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from agent.dialects.coordinates import Coordinates
from agent.dialects.qwen.actions import PIXELS, SWIPE_SHARE
from agent.dialects.qwen.tools import Generation
from agent.errors import DialectError
from envs.actions import (
    Action,
    Answer,
    Back,
    Click,
    Drag,
    Finish,
    Keys,
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
from envs.geometry import Point

_CLICKS = {
    ("left", 1): "left_click",
    ("left", 2): "double_click",
    ("left", 3): "triple_click",
    ("right", 1): "right_click",
    ("middle", 1): "middle_click",
}
_BUTTONS = {"back": "Back", "home": "Home", "menu": "Menu", "enter": "Enter"}
_KEYS = {"mute": "volume_mute", "recents": "app_switch"}

Arguments = dict[str, Any]


def write_answer(
    thought: str,
    actions: Iterable[Action],
    coordinates: Coordinates,
    tool: str,
    offered: frozenset[str],
    generation: Generation,
) -> str:
    """A whole answer. `offered` are the tool's actions. Raises DialectError for an action without a call."""
    calls = [arguments for action in actions for arguments in write_action(action, coordinates, tool)]
    for arguments in calls:
        if arguments["action"] not in offered:
            raise DialectError(f"{tool} of {generation} has no {arguments['action']}")
    blocks = [f"<tool_call>\n{_json({'name': tool, 'arguments': arguments})}\n</tool_call>" for arguments in calls]
    prose = thought.replace("<tool_call>", "< tool_call>").replace("<function=", "< function=")
    if prose and generation == "qwen3":
        prose = f"Thought: {prose}\nAction: {_sentence(calls)}"
    return "\n".join([prose, *blocks] if prose else blocks)


def write_action(action: Action, coordinates: Coordinates, tool: str) -> list[Arguments]:
    """The arguments of the calls for one action, places rounded to whole model pixels. Raises DialectError.

    On a phone a scroll becomes a swipe and is read back as one; choosing from a list becomes a click and a text.
    """

    def at(*point: float) -> list[int]:
        return _place((point[0], point[1]), coordinates)

    match action:
        case Click():
            name = _CLICKS.get((action.button, action.count))
            if name is None:
                raise DialectError(f"{tool} has no {action.count}-fold {action.button} click")
            phone = tool == "mobile_use" and name == "left_click"
            return [{"action": "click" if phone else name, "coordinate": at(action.x, action.y)}]
        case Drag():
            if len(action.path) != 2:
                raise DialectError(f"{tool} drags from one place to another, not along {len(action.path)} points")
            first, last = action.path
            return [
                {"action": "mouse_move", "coordinate": at(*first)},
                {"action": "left_click_drag", "coordinate": at(*last)},
            ]
        case Move():
            return [{"action": "mouse_move", "coordinate": at(action.x, action.y)}]
        case Select() if tool == "computer_use":
            # A list that was clicked takes the option that is typed.
            place = at(action.x, action.y)
            return [{"action": "left_click", "coordinate": place}, {"action": "type", "text": action.option}]
        case Scroll() if tool == "mobile_use":
            return [_swipe(action, coordinates)]
        case Scroll():
            return [_scroll(action, coordinates)]
        case LongPress():
            return [{"action": "long_press", "coordinate": at(action.x, action.y), "time": _short(action.seconds)}]
        case Swipe():
            end = at(action.x2, action.y2)
            return [{"action": "swipe", "coordinate": at(action.x, action.y), "coordinate2": end}]
        case _:
            return [_without_place(action, tool)]


def _without_place(action: Action, tool: str) -> Arguments:
    match action:
        case Type():
            return {"action": "type", "text": action.text + ("\n" if action.submit else "")}
        case Keys() if tool == "computer_use":
            return {"action": "key", "keys": list(action.keys)}
        case SystemButton() if tool == "mobile_use":
            name = _BUTTONS.get(action.button)
            if name is not None:
                return {"action": "system_button", "button": name}
            return {"action": "key", "text": _KEYS.get(action.button, action.button)}
        case OpenApp():
            return {"action": "open", "text": action.name}
        case Navigate():
            return {"action": "visit_url", "url": action.url}
        case Back():
            return {"action": "history_back"}
        case Wait():
            return {"action": "wait", "time": _short(action.seconds)}
        case Answer():
            return {"action": "answer", "text": action.text}
        case Finish():
            said = {"text": action.message} if action.message else {}
            return {"action": "terminate", "status": action.status, **said}
        case _:
            raise DialectError(f"{tool} has no call for {action.type}")


def _scroll(action: Scroll, coordinates: Coordinates) -> Arguments:
    sideways = action.direction in ("left", "right")
    pixels = action.amount * PIXELS * (1 if action.direction in ("up", "right") else -1)
    out: Arguments = {"action": "hscroll" if sideways else "scroll", "pixels": pixels}
    if action.x is not None and action.y is not None:
        out["coordinate"] = _place((action.x, action.y), coordinates)
    return out


def _swipe(action: Scroll, coordinates: Coordinates) -> Arguments:
    """How phones scroll: the finger goes the other way, across the place or the middle of the screen."""
    size = coordinates.resize.screenshot
    middle = (
        size.width / 2 if action.x is None else action.x,
        size.height / 2 if action.y is None else action.y,
    )
    right, down = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}[action.direction]
    far = (right * size.width * SWIPE_SHARE / 2, down * size.height * SWIPE_SHARE / 2)
    ends = [(middle[0] + sign * far[0], middle[1] + sign * far[1]) for sign in (1, -1)]
    start, end = ((min(max(x, 0.0), size.width), min(max(y, 0.0), size.height)) for x, y in ends)
    return {"action": "swipe", "coordinate": _place(start, coordinates), "coordinate2": _place(end, coordinates)}


def _place(point: Point, coordinates: Coordinates) -> list[int]:
    x, y = coordinates.numbers(point)
    return [int(x), int(y)]


def _short(number: float) -> float:
    return int(number) if number == int(number) else number


def _sentence(calls: list[Arguments]) -> str:
    """What the calls do, without places, as models put it."""
    said = [call["action"].replace("_", " ") + (f" {call['text']!r}" if "text" in call else "") for call in calls]
    return ", then ".join(said).capitalize().replace("<", "‹").replace("\n", " ") + "."


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
