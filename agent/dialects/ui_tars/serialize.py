"""From an action to the call that a UI-TARS model would write for it."""

from __future__ import annotations

from collections.abc import Iterable

from agent.dialects.coordinates import Coordinates
from agent.dialects.escapes import escape
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

_CLICKS = {
    ("left", 1): "click",
    ("left", 2): "left_double",
    ("left", 3): "left_triple",
    ("right", 1): "right_single",
    ("middle", 1): "middle_click",
}


def write_answer(thought: str, actions: Iterable[Action], coordinates: Coordinates) -> str:
    """A whole answer in the family's envelope."""
    calls = "\n\n".join(write_action(action, coordinates) for action in actions)
    return f"Thought: {thought}\nAction: {calls}" if thought else f"Action: {calls}"


def write_action(action: Action, coordinates: Coordinates) -> str:
    """The call of one action, places rounded to whole model pixels.

    Raises DialectError where there is none.
    """
    match action:
        case Click():
            name = _CLICKS.get((action.button, action.count))
            if name is None:
                raise DialectError(f"UI-TARS has no {action.count}-fold {action.button} click")
            return _call(name, start_box=coordinates.text((action.x, action.y)))
        case Drag():
            if len(action.path) == 2:
                first, last = action.path
                return _call("drag", start_box=coordinates.text(first), end_box=coordinates.text(last))
            return "\n\n".join(_halves(action, coordinates))
        case Move():
            return _call("hover", start_box=coordinates.text((action.x, action.y)))
        case Scroll():
            if action.x is None or action.y is None:
                return _call("scroll", direction=action.direction)
            return _call("scroll", start_box=coordinates.text((action.x, action.y)), direction=action.direction)
        case LongPress():
            return _call("long_press", start_box=coordinates.text((action.x, action.y)), time=f"{action.seconds:g}")
        case Swipe():
            end = coordinates.text((action.x2, action.y2))
            return _call("swipe", start_box=coordinates.text((action.x, action.y)), end_box=end)
        case Select():
            return _call("select", start_box=coordinates.text((action.x, action.y)), content=action.option)
        case _:
            return _without_place(action)


def _without_place(action: Action) -> str:
    match action:
        case Type():
            return _call("type", content=action.text + ("\n" if action.submit else ""))
        case Keys():
            return _call("hotkey", key=" ".join(action.keys))
        case KeyDown():
            return _call("press", key=action.key)
        case KeyUp():
            return _call("release", key=action.key)
        case OpenApp():
            return _call("open_app", app_name=action.name)
        case SystemButton():
            known = {"home": "press_home", "back": "press_back", "enter": "press_enter", "menu": "press_menu"}
            known["recents"] = "press_recent"
            name = known.get(action.button)
            return _call(name) if name else _call("hotkey", key=action.button)
        case Navigate():
            return _call("navigate", content=action.url)
        case Back():
            return _call("navigate_back")
        case Forward():
            return _call("navigate_forward")
        case Wait():
            return _call("wait", time=f"{action.seconds:g}")
        case Answer():
            return _call("answer", content=action.text)
        case AskUser():
            return _call("call_user", content=action.question) if action.question else _call("call_user")
        case Finish():
            if action.status == "failure":
                return _call("finished", status="failure", content=action.message)
            return _call("finished", content=action.message) if action.message else _call("finished")
        case _:
            raise DialectError(f"UI-TARS has no call for {action.type}")


def _halves(action: Drag, coordinates: Coordinates) -> list[str]:
    first, *between, last = (coordinates.text(point) for point in action.path)
    moves = [_call("hover", start_box=point) for point in between]
    return [_call("mouse_down", start_box=first), *moves, _call("mouse_up", start_box=last)]


def _call(name: str, **arguments: str) -> str:
    inside = ", ".join(f"{key}='{escape(value)}'" for key, value in arguments.items())
    return f"{name}({inside})"
