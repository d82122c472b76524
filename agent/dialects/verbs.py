"""Builders that the families' tables share: from a call's arguments to actions in the draft.

Each takes `Arguments` and `Draft`, and raises ArgumentError for what is missing or makes no sense.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from agent.dialects.arguments import Arguments
from agent.dialects.draft import Draft
from agent.dialects.reading import ArgumentError
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
    Navigate,
    OpenApp,
    Scroll,
    Select,
    Swipe,
    SystemButton,
    Type,
    Wait,
)
from envs.keys import UnknownKey, parse_chord

Builder = Callable[[Arguments, Draft], None]
Button = Literal["left", "middle", "right"]
PhoneButton = Literal["home", "back", "recents", "menu", "enter", "power", "volume_up", "volume_down", "mute"]
Status = Literal["success", "failure"]

SCROLL_CLICKS = 5
"""Wheel clicks of a scroll whose call has no amount."""
MAX_SCROLL = 100
PRESS_SECONDS = 1.0
SWIPE_SECONDS = 0.3
MAX_PRESS = 30.0
MAX_WAIT = 60.0
MILLISECONDS_FROM = 100.0
"""Where a family writes seconds and milliseconds alike, numbers from here on are milliseconds."""

DONE = frozenset({"success", "successful", "succeeded", "completed", "complete", "done", "finished"})
FAILED = frozenset({"failure", "fail", "failed", "infeasible", "impossible", "unsuccessful"})
_MOUSE: dict[str, Button] = {"left": "left", "primary": "left", "middle": "middle"}
_MOUSE |= {"right": "right", "secondary": "right"}
_BUTTON_NAMES: dict[PhoneButton, str] = {
    "home": "home",
    "back": "back",
    "menu": "menu",
    "enter": "enter",
    "recents": "recents recent app_switch",
    "power": "power lock",
    "volume_up": "volume_up volumeup",
    "volume_down": "volume_down volumedown",
    "mute": "mute volume_mute volumemute",
}
PHONE_BUTTONS = {name: button for button, names in _BUTTON_NAMES.items() for name in names.split()}


def read_status(text: str) -> Status | None:
    """How the task went, by one of the words for it; None for any other text."""
    word = text.strip(" .!'\"").casefold()
    return "success" if word in DONE else "failure" if word in FAILED else None


def phone_button(name: str) -> PhoneButton | None:
    """The phone's button of that name (`Back`, `KEYCODE_HOME`, `volume up`), or None."""
    return PHONE_BUTTONS.get(name.strip().casefold().removeprefix("keycode_").replace(" ", "_"))


# The mouse.


def click(which: Button = "left", count: int = 1) -> Builder:
    """Builder of a click; `button` and `clicks` of the call have the last word, modifiers are held meanwhile.

    Without a place it is done where the pointer is known to be.
    """

    def build(args: Arguments, draft: Draft) -> None:
        button, times = mouse_button(args, which), args.number(*args.names.count)
        if times not in (None, 1, 2, 3):
            raise args.error(f"a click is 1, 2 or 3 times, not {times:g}")
        x, y = place(args, draft)
        animated(args)
        held = args.modifiers()
        clicked = Click(x=x, y=y, button=button, count=count if times is None else int(times))
        draft.add(*with_modifiers(args, held, clicked))

    return build


def with_modifiers(args: Arguments, held: tuple[str, ...], action: Action) -> tuple[Action, ...]:
    """The action while keys are held. Raises ArgumentError where the environment is known to hold none."""
    if held and not (args.can("key_down") and args.can("key_up")):
        raise args.error(f"{'+'.join(held)} cannot be held here")
    return *(KeyDown(key=key) for key in held), action, *(KeyUp(key=key) for key in reversed(held))


def animated(args: Arguments) -> None:
    """A `duration` says how long the pointer is on its way there, which changes nothing."""
    args.used.add("duration")


def mouse_button(args: Arguments, default: Button = "left") -> Button:
    """The button that the call names, else the default."""
    named = args.find(*args.names.button)
    if named is None:
        return default
    button = _MOUSE.get(str(named).strip().casefold())
    if button is None:
        raise args.error(f"there is no button {str(named)[:20]!r}")
    return button


def only_left(args: Arguments) -> None:
    """Raises ArgumentError where another button is to be held."""
    if mouse_button(args) != "left":
        raise args.error("only the left button can be held")


def place(args: Arguments, draft: Draft) -> tuple[float, float]:
    """The call's own place, else where the pointer is."""
    found = args.maybe_point() or draft.take_pointer()
    if found is None:
        raise ArgumentError(f"{args.shown} needs a point")
    return found


def move(args: Arguments, draft: Draft) -> None:
    animated(args)
    draft.move(args.point())


def mouse_down(args: Arguments, draft: Draft) -> None:
    only_left(args)
    animated(args)
    draft.press(place(args, draft))


def mouse_up(args: Arguments, draft: Draft) -> None:
    only_left(args)
    animated(args)
    draft.release(args.maybe_point())


def drag(args: Arguments, draft: Draft) -> None:
    """From the first place to the second one; modifiers are held meanwhile."""
    only_left(args)
    animated(args)
    start, end = args.point(), args.end_point()
    if end is None:
        raise ArgumentError(f"{args.shown} needs a start and an end point")
    draft.add(*with_modifiers(args, args.modifiers(), Drag(path=(start, end))))


def select(args: Arguments, draft: Draft) -> None:
    """With two places an old name of drag; with a text the choice of an option in a list."""
    if args.has_end():
        drag(args, draft)
        return
    x, y = args.point()
    draft.add(Select(x=x, y=y, option=args.filled(*args.names.text)))


def scroll(args: Arguments, draft: Draft) -> None:
    """A direction, perhaps a place and an amount of wheel clicks; with two places it is a swipe."""
    if args.has_end():
        swipe(args, draft)
        return
    direction = args.direction()
    if direction is None:
        raise ArgumentError(f"{args.shown} needs direction 'up', 'down', 'left' or 'right'")
    point = args.maybe_point()
    x, y = (None, None) if point is None else point
    given = args.number(*args.names.amount)
    amount = SCROLL_CLICKS if given is None else round(given)
    if not 1 <= amount <= MAX_SCROLL:
        raise args.error(f"the amount is 1 to {MAX_SCROLL} wheel clicks, not {amount}")
    scrolled = Scroll(direction=direction, amount=amount, x=x, y=y)
    draft.add(*with_modifiers(args, args.modifiers(), scrolled))


# The finger.


def swipe(args: Arguments, draft: Draft) -> None:
    """From one place to the other; without a second one a scroll with a direction."""
    if not args.has_end() and args.has_direction():
        scroll(args, draft)
        return
    start, end = args.maybe_point(), args.end_point()
    if start is None or end is None:
        raise ArgumentError(f"{args.shown} needs a start and an end point, or a direction")
    seconds = args.seconds(MILLISECONDS_FROM)
    lasting = SWIPE_SECONDS if seconds is None else min(max(seconds, 0.1), MAX_PRESS)
    draft.add(Swipe(x=start[0], y=start[1], x2=end[0], y2=end[1], seconds=lasting))


def long_press(milliseconds_from: float | None = None) -> Builder:
    def build(args: Arguments, draft: Draft) -> None:
        x, y = place(args, draft)
        seconds = args.seconds(milliseconds_from)
        draft.add(LongPress(x=x, y=y, seconds=PRESS_SECONDS if seconds is None else min(max(seconds, 0.1), MAX_PRESS)))

    return build


# Text and keys.


def split_submit(text: str) -> tuple[str, bool]:
    """Text without the newlines that end it, and whether there were any."""
    bare = text.rstrip("\n")
    return bare, bare != text


def type_text(split: Callable[[str], tuple[str, bool]] = split_submit) -> Builder:
    """Builder of typing. A place is clicked first, a flag selects the old text away, and another submits.

    split: from the given text to what is typed, and whether its end submits
    """

    def build(args: Arguments, draft: Draft) -> None:
        given = args.text(*args.names.text)
        if given is None:
            raise ArgumentError(f"{args.shown} needs {args.names.text[0]}")
        point = args.maybe_point()
        if point is not None:
            draft.add(Click(x=point[0], y=point[1]))
        if args.flag(*args.names.clear):
            if not args.can("keys"):
                raise args.error("the old text cannot be selected away here")
            draft.add(Keys(keys=("ctrl", "a")))
        text, submit = split(given)
        draft.add(Type(text=text, submit=args.flag(*args.names.submit) or submit))

    return build


def hotkey(always: frozenset[str] = frozenset()) -> Builder:
    """Builder of a chord, or of the phone's button of that name: on a phone, or where no keyboard has such a key.

    always: names that mean the button wherever they stand
    """

    def build(args: Arguments, draft: Draft) -> None:
        name = args.peek(*args.names.keys)
        button = phone_button(name) if isinstance(name, str) else None
        if button is None or not (button in always or is_phone(args) or not _is_key(str(name))):
            draft.add(Keys(keys=needed_keys(args)))
            return
        if args.find(*args.names.keys) is None:
            args.take()
        draft.add(button_action(args, button))

    return build


def _is_key(name: str) -> bool:
    try:
        return bool(parse_chord(name))
    except UnknownKey:
        return False


def key_down(args: Arguments, draft: Draft) -> None:
    draft.add(KeyDown(key=one_key(args)))


def key_up(args: Arguments, draft: Draft) -> None:
    draft.add(KeyUp(key=one_key(args)))


def needed_keys(args: Arguments) -> tuple[str, ...]:
    """The chord of the call, of at least one key."""
    keys = args.keys(*args.names.keys)
    if not keys:
        raise ArgumentError(f"{args.shown} needs a key")
    return keys


def one_key(args: Arguments) -> str:
    """The one key of the call."""
    keys = needed_keys(args)
    if len(keys) != 1:
        raise args.error(f"expected one key, not {' '.join(keys)}")
    return keys[0]


# Buttons, apps and pages.


def is_phone(args: Arguments) -> bool:
    """Is it a phone that is acted on? By what it can do, else by the tool that was called.

    Only phones open apps by name; a browser's tab may have a back button too, but its keys are a keyboard's.
    """
    if args.capabilities is None:
        return args.call.scope.startswith("mobile")
    return args.can("system_button") and (args.can("open_app") or not args.can("keys"))


def press_button(button: PhoneButton) -> Builder:
    """Builder of a press of the phone's button; back and enter have another way where there are no such buttons."""

    def build(args: Arguments, draft: Draft) -> None:
        draft.add(button_action(args, button))

    return build


def button_action(args: Arguments, button: PhoneButton) -> Action:
    if not args.can("system_button"):
        if button == "back" and args.can("back"):
            return Back()
        if button == "enter" and args.can("keys"):
            return Keys(keys=("enter",))
    return SystemButton(button=button)


def go_back(args: Arguments, draft: Draft) -> None:
    """The browser's back; the phone's button where that is all there is."""
    draft.add(SystemButton(button="back") if args.surely_can("system_button") and not args.can("back") else Back())


def go_forward(args: Arguments, draft: Draft) -> None:
    draft.add(Forward())


def open_app(args: Arguments, draft: Draft) -> None:
    draft.add(OpenApp(name=args.filled(*args.names.app)))


def navigate(args: Arguments, draft: Draft) -> None:
    draft.add(Navigate(url=args.filled(*args.names.url)))


# The episode.


def wait(default: float, milliseconds_from: float | None = None) -> Builder:
    """Builder of a wait of so many seconds, unless the call says how many."""

    def build(args: Arguments, draft: Draft) -> None:
        seconds = args.seconds(milliseconds_from)
        draft.add(Wait(seconds=default if seconds is None else min(seconds, MAX_WAIT)))

    return build


def answer(args: Arguments, draft: Draft) -> None:
    text = args.text(*args.names.text)
    if text is None:
        raise ArgumentError(f"{args.shown} needs {args.names.text[0]}")
    draft.add(Answer(text=text))


def ask_user(args: Arguments, draft: Draft) -> None:
    draft.add(AskUser(question=args.text(*args.names.text) or ""))


def terminate(args: Arguments, draft: Draft) -> None:
    """The end; only the status says how it went, and never a success that was not stated."""
    given = args.find(*args.names.status)
    status = read_status(given) if isinstance(given, str) else None
    if status is None:
        raise args.error(f"expected the status success or failure, not {str(given or '')[:20]!r}")
    draft.add(Finish(status=status, message=args.text(*args.names.text) or ""))


# From a call to the draft.


def apply(args: Arguments, draft: Draft, builders: Mapping[str, Builder]) -> None:
    """Add what the call does. Raises ArgumentError also for an unknown name and for arguments that no one asked for."""
    builder = builders.get(args.call.name)
    if builder is None:
        raise ArgumentError(f"there is no action {args.shown!r}")
    builder(args, draft)
    args.check_all_used()
