"""From a call's name and arguments to actions of `envs.actions`."""

from __future__ import annotations

from collections.abc import Callable

from agent.dialects.ui_tars import devices, pointer
from agent.dialects.ui_tars.arguments import CONTENT, ArgumentError, Arguments
from envs.actions import Action, Answer, AskUser, Finish, Navigate, Type, Wait

PROMPT_WAIT = 5.0
"""Seconds of `wait()`: what the prompt promises."""
MAX_WAIT = 60.0

_FAILED = frozenset({"failure", "fail", "failed", "infeasible", "impossible", "unsuccessful"})

Builder = Callable[[Arguments], tuple[Action, ...]]


def type_text(args: Arguments) -> tuple[Action, ...]:
    r"""`type(content='..')`.

    A newline at the end (also as literal backslash-n) submits; a place is clicked first.
    """
    content = args.text(*CONTENT)
    if content is None:
        raise ArgumentError("type needs content")
    text, submit = split_submit(content)
    typed = Type(text=text, submit=submit)
    point = args.maybe_point() if args.has("start_box", "point") else None
    return (typed,) if point is None else (*pointer.click(point), typed)


def split_submit(content: str) -> tuple[str, bool]:
    """Text without its trailing newlines, and whether there were any."""
    text = content
    while text.endswith(("\n", "\\n")):
        text = text[:-1] if text.endswith("\n") else text[:-2]
    return text, text != content


def wait(args: Arguments) -> tuple[Action, ...]:
    given = args.find("time", "seconds", "duration") or args.positional(0)
    if given is None:
        return (Wait(seconds=PROMPT_WAIT),)
    return (Wait(seconds=min(pointer.seconds(given, args.call.name), MAX_WAIT)),)


def finished(args: Arguments) -> tuple[Action, ...]:
    message = args.text(*CONTENT, "status") or ""
    status = args.find("status") or message
    failed = status.strip(" .!'\"").casefold() in _FAILED
    return (Finish(status="failure" if failed else "success", message=message),)


def navigate(args: Arguments) -> tuple[Action, ...]:
    url = (args.text("url", *CONTENT) or "").strip()
    if not url:
        raise ArgumentError("navigate needs a url")
    return (Navigate(url=url),)


BUILDERS: dict[str, Builder] = {
    "click": pointer.button("left", 1),
    "left_double": pointer.button("left", 2),
    "left_triple": pointer.button("left", 3),
    "right_single": pointer.button("right", 1),
    "middle_click": pointer.button("middle", 1),
    "drag": pointer.drag,
    "swipe": pointer.swipe,
    "select": pointer.select,
    "hover": pointer.move,
    "scroll": pointer.scroll,
    "long_press": pointer.long_press,
    "hotkey": devices.hotkey,
    "press": devices.key_down,
    "release": devices.key_up,
    "type": type_text,
    "wait": wait,
    "navigate": navigate,
    "navigate_back": devices.back,
    "navigate_forward": devices.forward,
    "open_app": devices.open_app,
    "press_home": devices.system_button("home"),
    "press_back": devices.back_button,
    "press_enter": devices.system_button("enter"),
    "press_menu": devices.system_button("menu"),
    "press_recent": devices.system_button("recents"),
    "finished": finished,
    "call_user": lambda args: (AskUser(question=args.text(*CONTENT) or ""),),
    "answer": lambda args: (Answer(text=args.text(*CONTENT) or ""),),
    "error_env": lambda args: (Finish(status="failure", message=args.text(*CONTENT) or "error_env"),),
}
"""Name of the official prompts → builder of its actions."""

ALIASES: dict[str, str] = {
    "left_single": "click",
    "left_click": "click",
    "tap": "click",
    "double_click": "left_double",
    "doubleclick": "left_double",
    "triple_click": "left_triple",
    "right_click": "right_single",
    "middle_single": "middle_click",
    "left_click_drag": "drag",
    "mouse_move": "hover",
    "move_to": "hover",
    "moveto": "hover",
    "move": "hover",
    "longpress": "long_press",
    "keydown": "press",
    "key_down": "press",
    "keyup": "release",
    "key_up": "release",
    "keypress": "hotkey",
    "input": "type",
    "input_text": "type",
    "sleep": "wait",
    "goto": "navigate",
    "open_url": "navigate",
    "go_back": "navigate_back",
    "go_forward": "navigate_forward",
    "open": "open_app",
    "launch": "open_app",
    "press_recents": "press_recent",
    "finish": "finished",
    "done": "finished",
    "call_usr": "call_user",
}


def canonical(name: str) -> str | None:
    """The name under which a call is known here, or None."""
    name = name.casefold()
    name = ALIASES.get(name, name)
    return name if name in BUILDERS or name in pointer.HALVES else None


def build(args: Arguments) -> tuple[Action, ...]:
    """Actions of one call whose name is known. Raises ArgumentError and the value errors of its arguments."""
    return BUILDERS[canonical(args.call.name) or ""](args)
