"""Calls that touch a place on the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from agent.dialects.ui_tars.arguments import CONTENT, END, ArgumentError, Arguments
from envs.actions import Action, Click, Direction, Drag, LongPress, Move, Scroll, Select, Swipe
from envs.geometry import Point

Button = Literal["left", "middle", "right"]

HALVES = ("mouse_down", "mouse_up")
"""Halves of a drag; only both in one answer are an action."""

SCROLL_CLICKS = 5
"""Wheel clicks of a scroll: the family's calls have no amount."""
PRESS_SECONDS = 1.0
SWIPE_SECONDS = 0.3

_MILLISECONDS_FROM = 100.0
_MAX_SECONDS = 30.0


def click(point: Point, which: Button = "left", count: int = 1) -> tuple[Action, ...]:
    return (Click(x=point[0], y=point[1], button=which, count=count),)


def button(which: Button, count: int) -> Callable[[Arguments], tuple[Action, ...]]:
    """Builder of a click with that button, `count` times."""
    return lambda args: click(args.point(), which, count)


def drag(args: Arguments) -> tuple[Action, ...]:
    end = args.end_point()
    if end is None:
        raise ArgumentError(f"{args.call.name} needs a start and an end point")
    return (Drag(path=(args.point(), end)),)


def swipe(args: Arguments) -> tuple[Action, ...]:
    end = args.end_point()
    if end is None:
        # Without a second place a swipe is a scroll with a direction.
        return scroll(args)
    (x, y), (x2, y2) = args.point(), end
    return (Swipe(x=x, y=y, x2=x2, y2=y2, seconds=SWIPE_SECONDS),)


def select(args: Arguments) -> tuple[Action, ...]:
    """With two places an old name of drag; with a text the choice of an option in a list."""
    if args.has(*END):
        return drag(args)
    option = args.find(*CONTENT)
    if option is None:
        raise ArgumentError("select needs the content to choose, or an end point")
    x, y = args.point()
    return (Select(x=x, y=y, option=option.strip()),)


def move(args: Arguments) -> tuple[Action, ...]:
    x, y = args.point()
    return (Move(x=x, y=y),)


def scroll(args: Arguments) -> tuple[Action, ...]:
    if args.has(*END):
        return swipe(args)
    named = (args.find("direction", "dir") or "").strip().casefold()
    direction = _direction(named)
    if direction is None:
        given = [value.strip().casefold() for value in args.call.positional]
        direction = next((found for found in map(_direction, given) if found), None)
    if direction is None:
        raise ArgumentError(f"scroll needs direction 'up', 'down', 'left' or 'right', not {named[:20]!r}")
    point = args.maybe_point()
    x, y = (None, None) if point is None else point
    return (Scroll(direction=direction, amount=SCROLL_CLICKS, x=x, y=y),)


def long_press(args: Arguments) -> tuple[Action, ...]:
    x, y = args.point()
    given = args.find("time", "duration", "seconds")
    if given is None:
        return (LongPress(x=x, y=y, seconds=PRESS_SECONDS),)
    return (LongPress(x=x, y=y, seconds=min(max(seconds(given, "long_press"), 0.1), _MAX_SECONDS)),)


def join_halves(down: Arguments, middle: tuple[Point, ...], up: Arguments) -> Action:
    """One drag from a mouse_down, moves between, and a mouse_up."""
    last = up.maybe_point()
    start = down.point()
    path = (start, *middle, *(() if last is None else (last,)))
    if len(path) < 2:
        raise ArgumentError("mouse_up needs a point")
    return Drag(path=path)


def seconds(text: str, name: str) -> float:
    """A duration; numbers of a hundred and more are milliseconds. Raises ArgumentError."""
    digits = text.strip().removesuffix("ms").removesuffix("s").strip()
    if len(digits) > 10 or not digits.replace(".", "", 1).isascii() or not digits.replace(".", "", 1).isdigit():
        raise ArgumentError(f"{name}: {text[:20]!r} is not a time in seconds")
    number = float(digits)
    return number / 1000 if number >= _MILLISECONDS_FROM or text.strip().endswith("ms") else number


def _direction(text: str) -> Direction | None:
    for direction in get_args(Direction):
        if text == direction:
            found: Direction = direction
            return found
    return None
