"""`input`: fingers, keys and text."""

from __future__ import annotations

import math

from envs.android.simulator.commands.failure import EXIT, missing, thrown
from envs.android.simulator.control import Output
from envs.android.simulator.handset import Handset
from envs.android.simulator.keycodes import find_key
from envs.android.simulator.touch import LONG_PRESS_SECONDS, Point

_SOURCES = frozenset({"touchscreen", "touchpad", "mouse", "stylus", "keyboard", "dpad", "gamepad", "joystick"})
_SWIPE_MS = "300"
_LONGEST_MS = 60_000


def give_input(handset: Handset, arguments: list[str], output: Output) -> int:
    """`input [SOURCE] [-d DISPLAY] COMMAND ARGUMENT …`."""
    rest = list(arguments)
    if rest and rest[0] in _SOURCES:
        rest.pop(0)
    if rest[:1] == ["-d"]:
        del rest[:2]
    if not rest:
        output.say("Usage: input [<source>] [-d DISPLAY_ID] <command> [<arg>...]")
        return EXIT
    command, rest = rest[0], rest[1:]
    if command == "text":
        return _text(handset, rest, output)
    if command in ("keyevent", "keycombination"):
        return _keys(handset, command, rest, output)
    if command in ("tap", "swipe", "draganddrop", "motionevent"):
        try:
            return _finger(handset, command, rest, output)
        except ValueError as error:
            return thrown(output, command, f"java.lang.NumberFormatException: {error}")
    output.say(f"Unknown command: {command}")
    return EXIT


def _text(handset: Handset, rest: list[str], output: Output) -> int:
    if not rest:
        return missing(output, "text", "text")
    text = unescape(rest[0])
    # Android looks each character up in a map of keys, has none for these, and stumbles over it.
    if any(ord(each) > 126 or (ord(each) < 32 and each not in "\n\t") for each in text):
        return thrown(output, "text", "java.lang.NullPointerException: Attempt to get length of null array")
    handset.type_text(text)
    return 0


def unescape(text: str) -> str:
    """`%s` is a space, and nothing else is special; the rule of Android, letter by letter."""
    letters, place, escaped = list(text), 0, False
    while place < len(letters):
        if escaped:
            escaped = False
            if letters[place] == "s":
                letters[place] = " "
                place -= 1
                del letters[place]
        if letters[place] == "%":
            escaped = True
        place += 1
    return "".join(letters)


def _keys(handset: Handset, command: str, rest: list[str], output: Output) -> int:
    held, twice = 0.0, False
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--longpress":
            held = LONG_PRESS_SECONDS
        elif option == "--doubletap":
            twice = True
        elif option == "-t" and rest and rest[0].isdecimal():
            held = min(int(rest.pop(0)), _LONGEST_MS) / 1000
        else:
            return thrown(output, command, f"java.lang.IllegalArgumentException: Unknown option {option}")
    if not rest:
        return missing(output, command, command)
    keys = tuple(find_key(name) for name in rest)
    if command == "keycombination":
        if len(keys) < 2:
            return missing(output, command, rest[-1])
        handset.press(keys, held)
        return 0
    for key in keys:
        for _ in range(2 if twice else 1):
            handset.press((key,), held)
    return 0


def _finger(handset: Handset, command: str, rest: list[str], output: Output) -> int:
    """Raises ValueError on what is no number."""
    if command == "motionevent":
        return _motion(handset, rest, output)
    wanted = 2 if command == "tap" else 4
    if len(rest) < wanted:
        return missing(output, command, rest[-1] if rest else command)
    numbers = [_number(each) for each in rest[:wanted]]
    start = (numbers[0], numbers[1])
    if command == "tap":
        handset.tap(start)
        return 0
    seconds = min(_number(rest[4] if len(rest) > 4 else _SWIPE_MS), _LONGEST_MS) / 1000
    hold = LONG_PRESS_SECONDS if command == "draganddrop" else 0.0
    handset.swipe(start, (numbers[2], numbers[3]), seconds, hold)
    return 0


def _motion(handset: Handset, rest: list[str], output: Output) -> int:
    if len(rest) < 3 and rest != ["CANCEL"]:
        return missing(output, "motionevent", rest[-1] if rest else "motionevent")
    at: Point = (_number(rest[1]), _number(rest[2])) if len(rest) >= 3 else (0.0, 0.0)
    kind = rest[0].upper()
    if kind not in ("DOWN", "MOVE", "UP", "CANCEL"):
        return thrown(output, "motionevent", f"java.lang.IllegalArgumentException: Unknown action: {rest[0]}")
    if not handset.usable:
        return 0
    if kind == "DOWN":
        handset.finger.press(at)
    elif kind == "MOVE":
        handset.finger.move(at)
    else:
        handset.finger.lift()
    return 0


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f'For input string: "{text}"')
    return value
