"""The functions of the family: parameters in order, and what a call of each does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.dialects import verbs
from agent.dialects.arguments import Arguments, Call
from agent.dialects.coordinates import Coordinates
from agent.dialects.draft import Draft
from agent.dialects.opencua.code import MODULES, fold, is_tween
from agent.dialects.reading import MAX_ACTIONS, ArgumentError
from envs.actions import Back, Click, Direction, Drag, Keys, LongPress, Scroll, Select, Swipe, SystemButton, Type
from envs.geometry import Point

PROMPT_WAIT = 20.0
"""Seconds of `computer.wait()`: what the prompt promises."""
SHORT_WAIT = 5.0
"""Seconds of a wait of other modules."""
SWIPE_SECONDS = 0.3
SLOW_CLICKS = 0.5
"""Seconds between clicks from which on they are single ones."""

_PACE = frozenset({"interval", "duration", "tween", "pause", "_pause", "logscreenshot", "mousedownup"})
"""Arguments that say how fast a call is, or what is logged of it."""


@dataclass(frozen=True)
class Function:
    """`parameters`: names in order, other names of the same after slashes; a star takes all further values as keys.

    Names that only animate a call are needed for its positions.
    """

    parameters: str
    build: verbs.Builder


def apply(call: Call, draft: Draft, coordinates: Coordinates, capabilities: frozenset[str] | None) -> None:
    """Add what the call does to the draft. Raises ArgumentError, and ValidationError of the actions."""
    function = FUNCTIONS.get(call.name)
    known = call.scope in MODULES or not call.scope
    if function is None or not known or (call.scope == "time" and call.name != "sleep"):
        raise ArgumentError(f"there is no action {call.shown[:40]!r}")
    args = Arguments(_bind(call, function.parameters), coordinates, capabilities)
    function.build(args, draft)
    args.check_all_used(_PACE)


def _bind(call: Call, parameters: str) -> Call:
    """The call with all values under the first names of its parameters. Raises ArgumentError."""
    names = parameters.split()
    takes_rest = names[-1:] == ["*"]
    names = names[:-1] if takes_rest else names
    known = {other: name.split("/")[0] for name in names for other in name.split("/")}
    given = call.positional
    if takes_rest and len(given) > len(names):
        given = (*given[: len(names) - 1], given[len(names) - 1 :])
    if len(given) > len(names):
        raise ArgumentError(f"{call.shown} takes at most {len(names)} values")
    values = {name.split("/")[0]: value for name, value in zip(names, given, strict=False)}
    for key, value in call.values.items():
        name = known.get(key)
        if name is None and key in _PACE:
            name = key
        if name is None:
            raise ArgumentError(f"{call.shown} has no argument {key[:40]!r}")
        if name in values:
            raise ArgumentError(f"{call.shown} has {name} twice")
        values[name] = value
    for key in values.keys() & _PACE:
        _check_pace(call.shown, key, values[key])
    return replace(call, values=values, positional=())


def _check_pace(shown: str, name: str, value: object) -> None:
    """Raises ArgumentError for a value with which the argument would be more than a pace."""
    told = str(value).removeprefix("pyautogui.")
    if name == "mousedownup":
        fits = told in ("True", "None")
    elif name == "tween":
        fits = told == "None" or is_tween(told)
    else:
        fits = told in ("True", "False", "None") or told.replace(".", "", 1).isdecimal()
    if not fits:
        raise ArgumentError(f"{shown}: {name} cannot be {told[:20]!r}")


# The mouse.


def _click(which: verbs.Button, count: int) -> verbs.Builder:
    """Builder of a click; `button` and `clicks` of the call have the last word.

    Clicks that wait for each other are single ones.
    """

    def build(args: Arguments, draft: Draft) -> None:
        verbs.click(which, count)(args, draft)
        clicked = draft.actions[-1]
        if isinstance(clicked, Click) and clicked.count > 1 and (args.number("interval") or 0) >= SLOW_CLICKS:
            draft.actions[-1:] = [clicked.model_copy(update={"count": 1})] * clicked.count

    return build


def _drag(args: Arguments, draft: Draft) -> None:
    """From where the pointer is to the place of the call."""
    verbs.only_left(args)
    end, start = args.point(), draft.take_pointer()
    if start is None:
        raise args.error("a moveTo is needed before it in the same answer")
    draft.add(Drag(path=(start, end)))


def _mouse_up(args: Arguments, draft: Draft) -> None:
    """The end of a drag, or of a click where the pointer has not moved."""
    verbs.only_left(args)
    end = args.maybe_point()
    draft.release(None if draft.held and end == draft.held[-1] else end)


def _scroll(forth: Direction, back: Direction) -> verbs.Builder:
    """Builder of a scroll: `forth` for positive amounts, `back` for negative ones."""

    def build(args: Arguments, draft: Draft) -> None:
        clicks = round(args.number("clicks") or 0)
        if clicks == 0:
            raise args.error("an amount other than 0 is needed")
        x, y = args.maybe_point() or draft.take_pointer() or (None, None)
        draft.add(Scroll(direction=forth if clicks > 0 else back, amount=min(abs(clicks), verbs.MAX_SCROLL), x=x, y=y))

    return build


def _swipe(args: Arguments, draft: Draft) -> None:
    (x, y), (x2, y2) = _pair(args, "from_coord"), _pair(args, "to_coord")
    seconds = args.number("seconds")
    draft.add(Swipe(x=x, y=y, x2=x2, y2=y2, seconds=SWIPE_SECONDS if seconds is None else seconds))


def _pair(args: Arguments, name: str) -> Point:
    found = args.place(name)
    if found is None:
        raise args.error(f"{name} is needed")
    return found


def _long_press(args: Arguments, draft: Draft) -> None:
    x, y = verbs.place(args, draft)
    seconds = args.number("seconds")
    draft.add(LongPress(x=x, y=y, seconds=verbs.PRESS_SECONDS if seconds is None else seconds))


def _select(args: Arguments, draft: Draft) -> None:
    option = _needed_text(args, "value")
    x, y = verbs.place(args, draft)
    draft.add(Select(x=x, y=y, option=option))


def _clear(args: Arguments, draft: Draft) -> None:
    """Empty a text field: the one at the place, else the one that has the focus."""
    point = args.maybe_point()
    if point is not None:
        draft.add(Click(x=point[0], y=point[1]))
    draft.add(Keys(keys=("ctrl", "a")), Keys(keys=("backspace",)))


# Text and keys.


def _write(args: Arguments, draft: Draft) -> None:
    """A text; a newline at its end is Enter, and submits. A list names keys, one after the other."""
    given = args.find("message")
    if isinstance(given, tuple):
        for key in given:
            _press_keys(args, draft, [args.read_keys((key,))])
        return
    text = _needed_text(args, "message")
    draft.add(Type(text=text.removesuffix("\n"), submit=text.endswith("\n")))


def _press(args: Arguments, draft: Draft) -> None:
    """Keys one after the other, all of them `presses` times. A chord in one name is pressed as a chord."""
    given, times = args.find("keys"), args.number("presses")
    times = 1 if times is None else times
    parts = given if isinstance(given, tuple) else () if given is None else (given,)
    if not parts:
        raise args.error("a key is needed")
    if times != round(times) or not 1 <= times <= MAX_ACTIONS:
        raise args.error(f"presses is a whole number from 1 to {MAX_ACTIONS}")
    if len(parts) * times > MAX_ACTIONS:
        raise args.error(f"more than {MAX_ACTIONS} actions in one answer")
    _press_keys(args, draft, [args.read_keys((part,)) for part in parts] * int(times))


def _press_keys(args: Arguments, draft: Draft, chords: list[tuple[str, ...]]) -> None:
    """Chords one after the other: buttons where there is no keyboard. A lone Enter right after a text submits it."""
    last = draft.actions[-1] if draft.actions else None
    if chords == [("enter",)] and isinstance(last, Type) and not last.submit:
        draft.actions[-1] = last.model_copy(update={"submit": True})
        return
    phone = args.surely_can("system_button") and not args.can("keys")
    for chord in chords:
        button = verbs.phone_button(chord[0]) if phone and len(chord) == 1 else None
        if phone and button is None:
            raise args.error("there is no keyboard here")
        draft.add(Keys(keys=chord) if button is None else SystemButton(button=button))


def _needed_text(args: Arguments, name: str) -> str:
    text = args.text(name)
    if text is None:
        raise args.error(f"{name} is needed as text")
    return text


# Waiting and pages.


def _wait(args: Arguments, draft: Draft) -> None:
    verbs.wait(PROMPT_WAIT if args.call.scope in ("computer", "pyautogui") else SHORT_WAIT)(args, draft)


def _back(args: Arguments, draft: Draft) -> None:
    """The phone's button or the browser's; the other one where that is all there is."""
    page, phone = args.surely_can("back"), args.surely_can("system_button")
    browser = page or not phone if args.call.scope == "browser" else page and not phone
    draft.add(Back() if browser else SystemButton(button="back"))


_TEXT = "message/text/content interval"
_TWICE = "x y interval button duration tween"
_ONCE = "x y interval duration tween"

_TABLE: dict[str, Function] = {
    "click": Function("x y clicks interval button duration tween", _click("left", 1)),
    "doubleClick": Function(_TWICE, _click("left", 2)),
    "tripleClick": Function(_TWICE, _click("left", 3)),
    "rightClick": Function(_ONCE, _click("right", 1)),
    "middleClick": Function(_ONCE, _click("middle", 1)),
    "moveTo": Function("x y duration tween", verbs.move),
    "dragTo": Function("x y duration tween button", _drag),
    "mouseDown": Function("x y button duration tween", verbs.mouse_down),
    "mouseUp": Function("x y button duration tween", _mouse_up),
    "scroll": Function("clicks/amount x y", _scroll("up", "down")),
    "vscroll": Function("clicks/amount x y", _scroll("up", "down")),
    "hscroll": Function("clicks/amount x y", _scroll("right", "left")),
    "write": Function(_TEXT, _write),
    "typewrite": Function(_TEXT, _write),
    "press": Function("keys/key presses interval", _press),
    "hotkey": Function("keys/key *", verbs.hotkey()),
    "shortcut": Function("keys/key *", verbs.hotkey()),
    "keyDown": Function("key/keys", verbs.key_down),
    "keyUp": Function("key/keys", verbs.key_up),
    "wait": Function("seconds/time/duration", _wait),
    "sleep": Function("seconds/secs/duration", _wait),
    "terminate": Function("status answer/message", verbs.terminate),
    "answer": Function("text/message/answer/content", verbs.answer),
    "select_option": Function("x y value/option/text", _select),
    "clear": Function("x y", _clear),
    "swipe": Function("from_coord/begin/start to_coord/end seconds/duration", _swipe),
    "long_press": Function("x y seconds/duration", _long_press),
    "open_app": Function("app_name/name", verbs.open_app),
    "home": Function("", verbs.press_button("home")),
    "back": Function("", _back),
    "forward": Function("", verbs.go_forward),
    "goto": Function("url", verbs.navigate),
}
FUNCTIONS: dict[str, Function] = {fold(name): function for name, function in _TABLE.items()}
