"""What each action of a call does, by its name and the names that other checkpoints of the family have for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

from agent.dialects import verbs
from agent.dialects.arguments import IGNORED, Arguments, Call, Names
from agent.dialects.coordinates import Coordinates
from agent.dialects.draft import Draft
from agent.dialects.qwen.jsonish import read_json
from agent.dialects.reading import ArgumentError, CallError
from agent.dialects.verbs import Builder
from envs.actions import (
    Answer,
    Click,
    Direction,
    Drag,
    Finish,
    KeyDown,
    Keys,
    KeyUp,
    Navigate,
    Scroll,
    Swipe,
    Type,
    Wait,
)
from envs.keys import UnknownKey, parse_chord

PIXELS = 100
"""Pixels that the family's prompts mean by one wheel click."""
_CLICKS_UNTIL = 50
"""Models also write wheel clicks where pixels are asked for; nobody scrolls by fewer pixels than this."""
SWIPE_SHARE = 0.4
"""Of the screen, what a swipe without an end covers."""
SEARCH = "https://www.bing.com/search?q="
"""Where the family's browser agent searches."""

_START = ("start_coordinate", "start", "start_point", "coordinate1", "from_coordinate")
PLACES = ("coordinate", "coordinates", "point", "position", "point_2d", "bbox", "bbox_2d", "box", "box_2d")
_END = ("coordinate2", "end_coordinate", "end", "coordinate_2", "end_point", "to_coordinate")
NAMES = Names(
    start=(*PLACES, *_START),
    end=_END,
    text=("text", "content", "value", "message", "answer", "question", "text_value"),
    keys=("keys", "key", "text"),
    modifiers=("keys", "key", "modifiers", "modifier", "hold_key", "text"),
)
_ABOUT = IGNORED | {"element", "label", "target", "element_name", "conclusion", "summary"}
_KEY_LISTS = ("keys", "key", "modifiers", "modifier")
_STEPS: dict[str, tuple[int, int]] = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}


# The mouse and the finger.


def click(which: verbs.Button, count: int = 1) -> Builder:
    """Builder of a click; without a place it is where the pointer is, which a move put there in its own right."""

    def build(args: Arguments, draft: Draft) -> None:
        button, times = verbs.mouse_button(args, which), args.number(*args.names.count)
        if times not in (None, 1, 2, 3):
            raise args.error(f"a click is 1, 2 or 3 times, not {times:g}")
        found = args.maybe_point() or draft.pointer
        if found is None:
            raise ArgumentError(f"{args.shown} needs a coordinate")
        clicked = Click(x=found[0], y=found[1], button=button, count=count if times is None else int(times))
        draft.add(*verbs.with_modifiers(args, args.modifiers(), clicked))

    return build


def drag(args: Arguments, draft: Draft) -> None:
    """To `coordinate` from where the pointer is, unless both ends are named."""
    verbs.only_left(args)
    start, end = args.place(*_START), args.place(*_END) or args.x_y("x2", "y2")
    named = args.place(*PLACES) or args.x_y()
    if end is None:
        end = named
    elif start is None:
        start = named
    elif named is not None:
        raise args.error("three places are two too many for a start and an end")
    if end is None:
        raise ArgumentError(f"{args.shown} needs a coordinate")
    start = start or draft.take_pointer()
    if start is None:
        raise ArgumentError(f"{args.shown} begins where the pointer is: call mouse_move before it")
    verbs.animated(args)
    draft.add(*verbs.with_modifiers(args, args.modifiers(), Drag(path=(start, end))))


def scroll(args: Arguments, draft: Draft) -> None:
    """`pixels`, up when positive; or a `direction` with an amount of wheel clicks, or of pixels."""
    _scroll(args, draft, "up", "down")


def hscroll(args: Arguments, draft: Draft) -> None:
    """`pixels`, to the right when positive; or a `direction`."""
    _scroll(args, draft, "right", "left")


def _scroll(args: Arguments, draft: Draft, forward: Direction, backward: Direction) -> None:
    named = args.direction()
    if named is not None and not args.has("pixels", "value"):
        verbs.scroll(args, draft)
        return
    pixels = args.number("pixels", "value", "amount", "scroll_amount")
    if not pixels:
        raise ArgumentError(f"{args.shown} needs pixels, positive or negative")
    if named in ("up", "right") and pixels < 0:
        raise args.error(f"{pixels:g} pixels are not {named}")
    x, y = args.maybe_point() or (None, None)
    amount = min(max(round(clicks_of(pixels)), 1), verbs.MAX_SCROLL)
    direction = named or (forward if pixels > 0 else backward)
    scrolled = Scroll(direction=direction, amount=amount, x=x, y=y)
    draft.add(*verbs.with_modifiers(args, args.modifiers(), scrolled))


def clicks_of(pixels: float) -> float:
    """Wheel clicks of a call's amount."""
    return abs(pixels) if abs(pixels) < _CLICKS_UNTIL else abs(pixels) / PIXELS


def swipe(args: Arguments, draft: Draft) -> None:
    """From one place to the other; or a `direction` in which the finger goes."""
    if args.has_end() or not args.has_direction():
        verbs.swipe(args, draft)
        return
    size, (across, down) = args.coordinates.resize.screenshot, _STEPS[args.direction() or "up"]
    x, y = args.maybe_point() or (size.width / 2, size.height / 2)
    x2 = min(max(x + across * SWIPE_SHARE * size.width, 0.0), float(size.width))
    y2 = min(max(y + down * SWIPE_SHARE * size.height, 0.0), float(size.height))
    draft.add(Swipe(x=x, y=y, x2=x2, y2=y2))


# Keys and text.

key = verbs.hotkey()
"""A chord; on a phone the button of that name."""


def key_down(args: Arguments, draft: Draft) -> None:
    draft.add(*(KeyDown(key=name) for name in verbs.needed_keys(args)))


def key_up(args: Arguments, draft: Draft) -> None:
    draft.add(*(KeyUp(key=name) for name in reversed(verbs.needed_keys(args))))


def system_button(args: Arguments, draft: Draft) -> None:
    given = args.text("button", "text", "key") or ""
    found = verbs.phone_button(given)
    if found is None:
        raise ArgumentError(f"there is no button {given[:20]!r}: use Back, Home, Menu or Enter")
    draft.add(verbs.button_action(args, found))


def write_element(args: Arguments, draft: Draft) -> None:
    """Holo's way to write into an element, which is submitted."""
    x, y = args.point()
    text = args.text(*args.names.text)
    if text is None:
        raise ArgumentError(f"{args.shown} needs content")
    draft.add(Click(x=x, y=y), Type(text=verbs.split_submit(text)[0], submit=True))


# Pages and the episode.


def web_search(args: Arguments, draft: Draft) -> None:
    draft.add(Navigate(url=SEARCH + quote_plus(args.filled("query", "text"), errors="replace")))


def refresh(args: Arguments, draft: Draft) -> None:
    draft.add(Keys(keys=("f5",)))


def memorize(args: Arguments, draft: Draft) -> None:
    """A fact to remember stays in the history as the answer that says it; nothing is done on the screen."""
    if args.text("fact", *args.names.text) is None:
        raise ArgumentError(f"{args.shown} needs a fact")
    draft.add(Wait(seconds=0))


def answer(args: Arguments, draft: Draft) -> None:
    """Holo's answer, in a step of its own, is the last thing it does."""
    verbs.answer(args, draft)
    if args.call.scope == STEP and isinstance(draft.actions[-1], Answer):
        draft.add(Finish())


def terminate(args: Arguments, draft: Draft) -> None:
    """Never a success that was not said, but for Fara 1.5, whose end has a final answer and no status."""
    if args.has("answer") and not args.has(*args.names.status):
        draft.add(Finish(message=args.filled("answer")))
    else:
        verbs.terminate(args, draft)


STEP = "step"
"""Scope of an action that is an object in a step of its own."""

BUILDERS: dict[str, Builder] = {
    "left_click": click("left"),
    "right_click": click("right"),
    "middle_click": click("middle"),
    "double_click": click("left", 2),
    "triple_click": click("left", 3),
    "left_mouse_down": verbs.mouse_down,
    "left_mouse_up": verbs.mouse_up,
    "mouse_move": verbs.move,
    "left_click_drag": drag,
    "scroll": scroll,
    "hscroll": hscroll,
    "key": key,
    "key_down": key_down,
    "key_up": key_up,
    "type": verbs.type_text(),
    "write_element_abs": write_element,
    "wait": verbs.wait(1.0),
    "answer": answer,
    "terminate": terminate,
    "long_press": verbs.long_press(),
    "swipe": swipe,
    "system_button": system_button,
    "open": verbs.open_app,
    "interact": verbs.ask_user,
    "visit_url": verbs.navigate,
    "web_search": web_search,
    "history_back": verbs.go_back,
    "history_forward": verbs.go_forward,
    "refresh": refresh,
    "pause_and_memorize_fact": memorize,
}
"""`action` of a call → builder of what it does."""

_ALSO = {
    "left_click": "click tap click_absolute click_element",
    "double_click": "doubleclick left_double_click computer_double_click",
    "mouse_move": "move hover",
    "left_click_drag": "drag",
    "left_mouse_down": "mouse_down",
    "left_mouse_up": "mouse_up",
    "key": "hotkey keypress press",
    "type": "input_text",
    "write_element_abs": "write_element",
    "open": "open_app awake",
    "interact": "ask_user call_user ask_user_question info",
    "visit_url": "goto navigate",
    "history_back": "back go_back",
    "refresh": "reload",
    "wait": "sleep",
    "terminate": "finished",
}
ALIASES: dict[str, str] = {other: name for name, others in _ALSO.items() for other in others.split()}


def build(call: Call, coordinates: Coordinates, capabilities: frozenset[str] | None, draft: Draft) -> None:
    """Adds the actions of one call. Raises ArgumentError, also for an action or an argument that there is not."""
    builder = BUILDERS.get(ALIASES.get(call.name, call.name))
    if builder is None:
        raise ArgumentError(f"there is no action {call.name[:40]!r}")
    lists = (*_KEY_LISTS, *(("text",) if builder in (key, key_down, key_up) else ()))
    values = {name: key_list(value) if name in lists else value for name, value in call.values.items()}
    args = Arguments(replace(call, values=values), coordinates, capabilities, NAMES)
    builder(args, draft)
    args.check_all_used(_ABOUT)


def key_list(value: Any) -> Any:
    """A list of keys as a list, also one that was written as a text, and without what models write around names.

    `"['ctrl', 'c']"`, `"ctrl, c"` and `["keys=[ctrl", "c]"]` are (ctrl, c); `["ctrl", "]"]` stays what it is.
    """
    text = value.strip().removeprefix("keys=") if isinstance(value, str) else ""
    if len(text) > 1 and text.startswith("["):
        if not text.endswith("]"):
            raise ArgumentError(f"keys: the list {text[:40]!r} is not closed")
        try:
            value = read_json(text, 0).value
        except CallError as error:
            raise ArgumentError(f"keys: {error}") from error
    elif len(text) > 1 and "," in text and not _is_chord(text):
        value = [part.strip() for part in text.split(",") if part.strip()]
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return value
    names = [_bare_key(name) for name in value]
    if names != value and value[-1] == "]":
        raise ArgumentError(f"keys: the last of {', '.join(value)[:40]!r} may be a key or the end of the list")
    return names[0] if len(names) == 1 else names


def _bare_key(name: str) -> str:
    """The name of a key without brackets and quotes around it, where it is none with them."""
    return name if _is_chord(name) else name.strip().removeprefix("keys=").strip("[]'\" ") or name


def _is_chord(text: str) -> bool:
    try:
        return bool(parse_chord(text))
    except UnknownKey:
        return False
