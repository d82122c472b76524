"""The family's calls: what each does, and the other names they go by."""

from __future__ import annotations

from agent.dialects import verbs
from agent.dialects.arguments import Arguments, Names
from agent.dialects.draft import Draft
from agent.dialects.scanner import Grammar
from agent.dialects.verbs import MILLISECONDS_FROM, Builder
from envs.actions import Finish

PROMPT_WAIT = 5.0
"""Seconds of `wait()`: what the prompt promises."""

NAMES = Names()


def split_submit(text: str) -> tuple[str, bool]:
    r"""A backslash and an n at the end submit too: some models double the backslash that the prompt asks for."""
    bare = text
    while bare.endswith(("\n", "\\n")):
        bare = bare.removesuffix("\\n") if bare.endswith("\\n") else bare[:-1]
    return bare, bare != text


def finished(args: Arguments, draft: Draft) -> None:
    """The end: a failure where the status or the whole message says so."""
    given = args.find(*args.names.status)
    message = args.text(*args.names.text)
    status = verbs.read_status(message or "") if given is None else verbs.read_status(str(given))
    if given is not None and status is None:
        raise args.error(f"the status is success or failure, not {str(given)[:20]!r}")
    draft.add(Finish(status=status or "success", message=str(given or "") if message is None else message))


def error_env(args: Arguments, draft: Draft) -> None:
    draft.add(Finish(status="failure", message=args.text(*args.names.text) or "error_env"))


BUILDERS: dict[str, Builder] = {
    "click": verbs.click("left", 1),
    "left_double": verbs.click("left", 2),
    "left_triple": verbs.click("left", 3),
    "right_single": verbs.click("right", 1),
    "middle_click": verbs.click("middle", 1),
    "drag": verbs.drag,
    "mouse_down": verbs.mouse_down,
    "mouse_up": verbs.mouse_up,
    "swipe": verbs.swipe,
    "select": verbs.select,
    "hover": verbs.move,
    "scroll": verbs.scroll,
    "long_press": verbs.long_press(MILLISECONDS_FROM),
    "hotkey": verbs.hotkey(frozenset({"back"})),
    "press": verbs.key_down,
    "release": verbs.key_up,
    "type": verbs.type_text(split_submit),
    "wait": verbs.wait(PROMPT_WAIT, MILLISECONDS_FROM),
    "navigate": verbs.navigate,
    "navigate_back": verbs.go_back,
    "navigate_forward": verbs.go_forward,
    "open_app": verbs.open_app,
    "press_home": verbs.press_button("home"),
    "press_back": verbs.press_button("back"),
    "press_enter": verbs.press_button("enter"),
    "press_menu": verbs.press_button("menu"),
    "press_recent": verbs.press_button("recents"),
    "finished": finished,
    "call_user": verbs.ask_user,
    "answer": verbs.answer,
    "error_env": error_env,
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


def canonical(name: str) -> str:
    """The name under which a call stands in BUILDERS, where it does."""
    name = name.casefold()
    return ALIASES.get(name, name)


def is_known(name: str) -> bool:
    return canonical(name) in BUILDERS


GRAMMAR = Grammar(is_known, NAMES.all, (*NAMES.start, *NAMES.end))
