"""The arguments of one call, asked for by meaning instead of by the names and types they come in.

What was given and not asked for is an error in the end (`check_all_used`): nothing is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import chain
from typing import Any, get_args

from agent.dialects.coordinates import Coordinates, PointError, centre, read_numbers
from agent.dialects.reading import ArgumentError
from envs.actions import Direction
from envs.geometry import Point
from envs.keys import MODIFIERS, UnknownKey, parse_chord

MAX_KEYS = 5
_MAX_KEY_TEXT = 100
_MAX_NUMBERS = 8
_MAX_NUMBER = 1e9

IGNORED = frozenset(
    {
        *("interval", "tween", "pause", "_pause", "logscreenshot", "mousedownup", "speed"),
        *("description", "element_description", "thought", "reason", "reasoning", "explanation"),
    }
)
"""Arguments that change nothing: how a call is animated or logged, and what the model says about it."""


@dataclass(frozen=True)
class Names:
    """Names that arguments go by, by meaning. A family states its own where these do not fit."""

    start: tuple[str, ...] = (
        *("start_box", "point", "start_point", "box", "bbox", "coordinate", "coordinates", "position", "start"),
        *("point_2d", "bbox_2d", "start_coordinate", "from_coord", "begin"),
    )
    end: tuple[str, ...] = (
        *("end_box", "end_point", "end", "end_coordinate", "coordinate2", "coordinate_2", "to_coord"),
    )
    text: tuple[str, ...] = ("content", "text", "value", "option", "message", "question", "answer")
    keys: tuple[str, ...] = ("key", "keys", "hotkey", "press", "release", "content", "text", "value")
    modifiers: tuple[str, ...] = ("keys", "key", "modifiers", "modifier", "hold_key", "text")
    seconds: tuple[str, ...] = ("time", "seconds", "duration", "secs")
    direction: tuple[str, ...] = ("direction", "dir", "scroll_direction")
    amount: tuple[str, ...] = ("amount", "clicks", "scroll_amount", "num_clicks")
    button: tuple[str, ...] = ("button", "mouse_button")
    count: tuple[str, ...] = ("clicks", "num_clicks", "count")
    app: tuple[str, ...] = ("app_name", "name", "app", "content", "text", "value")
    url: tuple[str, ...] = ("url", "content", "text", "value")
    status: tuple[str, ...] = ("status", "goal_status")
    submit: tuple[str, ...] = ("enter", "press_enter", "submit", "press_enter_after")
    clear: tuple[str, ...] = ("clear", "delete_existing_text", "clear_first", "overwrite")

    @cached_property
    def all(self) -> frozenset[str]:
        """Every name that some call knows."""
        return frozenset(chain(*(getattr(self, field.name) for field in fields(self)), ("x", "y", "x2", "y2")))


@dataclass(frozen=True)
class Call:
    """A call as the grammar of a family reads it; it stands at answer[start:end].

    name: folded, for the family's table; values: plain values by name; positional: those without one
    scope: the tool or module it was called with, or ""; shown: the name as it was written, for messages
    """

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    positional: tuple[Any, ...] = ()
    scope: str = ""
    shown: str = ""
    start: int = 0
    end: int = 0


@dataclass
class Arguments:
    """`capabilities`: action types the environment can do, None when unknown. All readers raise ArgumentError."""

    call: Call
    coordinates: Coordinates
    capabilities: frozenset[str] | None = None
    names: Names = field(default_factory=Names)
    used: set[str] = field(default_factory=set)
    rest: list[Any] = field(init=False)

    def __post_init__(self) -> None:
        self.rest = list(self.call.positional)

    @property
    def shown(self) -> str:
        return (self.call.shown or self.call.name)[:40]

    def error(self, what: str) -> ArgumentError:
        """`click: what` as an error to raise."""
        return ArgumentError(f"{self.shown}: {what}")

    def can(self, action_type: str) -> bool:
        """Can the environment do it, as far as is known?"""
        return self.capabilities is None or action_type in self.capabilities

    def surely_can(self, action_type: str) -> bool:
        """Is this known to be something the environment does?"""
        return self.capabilities is not None and action_type in self.capabilities

    # What is there.

    def find(self, *names: str) -> Any:
        """First value under one of the names that is not null or empty; it counts as used. None when there is none."""
        for name in names:
            value = self.call.values.get(name)
            if not _is_empty(value):
                self.used.add(name)
                return value
        return None

    def has(self, *names: str) -> bool:
        """Is there a value under one of the names? It is not used by that."""
        return any(not _is_empty(self.call.values.get(name)) for name in names)

    def peek(self, *names: str) -> Any:
        """What `find` would give, else the next value without a name; it is not used by that."""
        given = (self.call.values.get(name) for name in names)
        return next((value for value in given if not _is_empty(value)), self.rest[0] if self.rest else None)

    def take(self) -> Any:
        """The next value without a name, or None."""
        return self.rest.pop(0) if self.rest else None

    def check_all_used(self, ignored: frozenset[str] = IGNORED) -> None:
        """Raises ArgumentError for a value that was given and that no reader has asked for.

        Arguments that other calls have may be there without a value.
        """
        for name, value in self.call.values.items():
            nothing = value is None or (_is_empty(value) and name in self.names.all)
            if name not in self.used and name.casefold() not in ignored and not nothing:
                raise self.error(f"the argument {name[:40]!r} is not understood here")
        if self.rest:
            raise self.error(f"the value {str(self.rest[0])[:40]!r} is not understood here")

    # Readers by meaning.

    def text(self, *names: str) -> str | None:
        """Text under one of the names or without a name, possibly empty; None when there is none."""
        for name in names:
            if self.call.values.get(name) is not None:
                self.used.add(name)
                return self._text(self.call.values[name], name)
        return self._text(self.take(), "a value") if self.rest else None

    def filled(self, *names: str) -> str:
        """Text that says something, without blanks around it."""
        found = self.find(*names)
        text = self._text(found if found is not None or not self.rest else self.take(), names[0]).strip()
        if not text:
            raise ArgumentError(f"{self.shown} needs {names[0]}")
        return text

    def _text(self, value: Any, name: str) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.error(f"{name} must be a text")
        return value

    def flag(self, *names: str) -> bool:
        """1, "1", true, "True", "yes" … are yes; 0, false, "no" … and nothing are no; all else is an error."""
        value = self.find(*names)
        word = value.strip().casefold() if isinstance(value, str) else value
        if word in (None, False, 0, "", "false", "0", "no", "off"):
            return False
        if word in (True, 1, "true", "1", "yes", "on"):
            return True
        raise self.error(f"{names[0]} must be true or false")

    def number(self, *names: str) -> float | None:
        """A finite number, also as text with `s` or `px` after it; None when there is none."""
        value = self.find(*names)
        return None if value is None else self.read_number(value, names[0])

    def read_number(self, value: Any, name: str) -> float:
        """The number that a value is."""
        if isinstance(value, str):
            value = _parse(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MAX_NUMBER:
            raise self.error(f"{name} must be a number")
        return float(value)

    def seconds(self, milliseconds_from: float | None = None) -> float | None:
        """A duration of 0 seconds or more, also with `s` or `ms` after it; None when there is none.

        milliseconds_from: numbers from here on are milliseconds
        """
        value = self.find(*self.names.seconds)
        if value is None:
            value = self.take()
        if value is None:
            return None
        thousandths = isinstance(value, str) and value.strip().casefold().endswith("ms")
        number = self.read_number(value.strip()[:-2] if thousandths else value, "the time in seconds")
        if number < 0:
            raise self.error("a time is 0 seconds or more")
        if thousandths or (milliseconds_from is not None and number >= milliseconds_from):
            return number / 1000
        return number

    def direction(self) -> Direction | None:
        """up, down, left or right, under a name or without one; None when there is none."""
        value = self.find(*self.names.direction)
        if value is None:
            index = next((i for i, given in enumerate(self.rest) if _direction(given)), None)
            return None if index is None else _direction(self.rest.pop(index))
        found = _direction(value)
        if found is None:
            raise self.error(f"direction must be 'up', 'down', 'left' or 'right', not {str(value)[:20]!r}")
        return found

    def has_direction(self) -> bool:
        return self.has(*self.names.direction) or any(map(_direction, self.rest))

    def keys(self, *names: str) -> tuple[str, ...]:
        """Canonical names of a chord's keys, given as a text or as a list; empty when there is none."""
        value = self.find(*names)
        given = list(_listed(value))
        while value is None and self.rest:
            given.append(self.take())
        return self.read_keys(given)

    def read_keys(self, given: Sequence[Any]) -> tuple[str, ...]:
        """The chord of some names of keys; a name may be a chord itself."""
        try:
            keys = tuple(key for part in given for key in parse_chord(self._key_text(part)))
        except UnknownKey as error:
            raise self.error(str(error)) from error
        if len(keys) > MAX_KEYS:
            raise self.error(f"a chord has at most {MAX_KEYS} keys, not {len(keys)}")
        return keys

    def _key_text(self, value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value or len(value) > _MAX_KEY_TEXT:
            raise self.error("expected names of keys")
        return value

    def modifiers(self) -> tuple[str, ...]:
        """Keys that are held meanwhile: ctrl, shift, alt, meta."""
        if not self.has(*self.names.modifiers):
            return ()
        keys = self.keys(*self.names.modifiers)
        if not MODIFIERS.issuperset(keys):
            raise self.error(f"{'+'.join(keys)} cannot be held with the mouse")
        return keys

    # Places.

    def point(self) -> Point:
        """The (first) place, in screenshot pixels."""
        found = self.maybe_point()
        if found is None:
            raise ArgumentError(f"{self.shown} needs a point")
        return found

    def maybe_point(self) -> Point | None:
        """The (first) place, or None when the call names none."""
        return self.place(*self.names.start) or self.x_y() or self.bare_place()

    def end_point(self) -> Point | None:
        """The second place of a drag or swipe, or None. The first one is to be asked for before."""
        return self.place(*self.names.end) or self.x_y("x2", "y2") or self.bare_place()

    def has_end(self) -> bool:
        return self.has(*self.names.end, "x2", "y2")

    def place(self, *names: str) -> Point | None:
        """The place under one of the names, in any form that models write."""
        value = self.find(*names)
        return None if value is None else self.read_place(place_text(value))

    def x_y(self, x: str = "x", y: str = "y") -> Point | None:
        """The place in two arguments, or in the first one as a pair."""
        first, second = self.call.values.get(x), self.call.values.get(y)
        if _is_empty(first) and _is_empty(second):
            return None
        self.used |= {x, y}
        return self.read_place(" ".join(place_text(value) for value in (first, second) if value is not None))

    def bare_place(self) -> Point | None:
        """`click('(1,2)')`, `click(1, 2)`: a place in the values without names that come next."""
        for count in (1, 2, 4):
            text = " ".join(place_text(value) for value in self.rest[:count])
            try:
                centre(read_numbers(text))
            except PointError:
                continue
            del self.rest[:count]
            return self.read_place(text)
        return None

    def read_place(self, text: str) -> Point:
        try:
            return self.coordinates.point(text)
        except PointError as error:
            raise self.error(str(error)) from error


def place_text(value: Any) -> str:
    """`[x, y]`, `[[x, y]]`, `[x1, y1, x2, y2]`, `{"x": 1, "y": 2}` or text → text that `Coordinates` reads."""
    if isinstance(value, str):
        return value
    numbers: list[Any] = []
    waiting: list[Any] = [value]
    while waiting and len(numbers) <= _MAX_NUMBERS:
        item = waiting.pop()
        if isinstance(item, list | tuple):
            waiting += reversed(item[:_MAX_NUMBERS])
        elif isinstance(item, dict):
            waiting += [item.get("y"), item.get("x")]
        else:
            numbers.append(item)
    return " ".join(map(_number_text, numbers))


def _number_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MAX_NUMBER:
        return "?"
    return f"{value:.8f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | tuple) and not value)


def _listed(value: Any) -> Sequence[Any]:
    """The parts of a list, which may be written as a text: `['ctrl', 'c']`."""
    if isinstance(value, str) and len(value) > 2 and value.startswith("[") and value.endswith("]"):
        return [part.strip().strip("'\"") for part in value[1:-1].split(",")]
    return value if isinstance(value, list | tuple) else () if value is None else (value,)


def _direction(value: Any) -> Direction | None:
    for direction in get_args(Direction):
        if isinstance(value, str) and value.strip().casefold() == direction:
            found: Direction = direction
            return found
    return None


def _parse(text: str) -> float | None:
    digits = text.strip().casefold().removesuffix("seconds").removesuffix("px").removesuffix("s").strip()
    bare = digits.removeprefix("-").removeprefix("+").replace(".", "", 1)
    return float(digits) if len(digits) <= 12 and bare.isascii() and bare.isdigit() else None
