"""Arguments of one call, by name, with the readings that actions need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from agent.dialects.coordinates import PointError
from agent.dialects.opencua.code import Call, Value, is_tween
from agent.dialects.opencua.places import Places
from envs.geometry import Point
from envs.keys import UnknownKey, canonical, parse_chord

_MAX_NUMBER = 1e6
_MAX_KEY = 40
_PACE = frozenset({"interval", "duration", "tween", "pause", "_pause", "logscreenshot", "mousedownup"})
"""Arguments that say how fast a call is, or what is logged of it."""


class ArgumentError(ValueError):
    """A call that lacks something or has a value that means nothing; the message says which."""


@dataclass(frozen=True)
class Arguments:
    """`values` by parameter name; `capabilities` are the environment's, None when unknown."""

    shown: str
    module: str
    values: Mapping[str, Value]
    rest: tuple[Value, ...]
    places: Places
    capabilities: frozenset[str] | None

    @classmethod
    def bind(cls, call: Call, parameters: str, places: Places, capabilities: frozenset[str] | None) -> Arguments:
        """The call's arguments under the names of its parameters.

        `parameters`: names in order, other names of the same after slashes; a star at the end takes all that follows
        without a name (`rest`). Raises ArgumentError.
        """
        names = parameters.split()
        takes_rest = bool(names) and names[-1] == "*"
        names = names[:-1] if takes_rest else names
        known = {other: name.split("/")[0] for name in names for other in name.split("/")}
        if len(call.positional) > len(names) and not takes_rest:
            raise ArgumentError(f"{call.shown} takes at most {len(names)} values")
        values = {name.split("/")[0]: value for name, value in zip(names, call.positional, strict=False)}
        for key, value in call.keywords.items():
            name = known.get(key)
            if name is None and key in _PACE:
                _check_pace(call.shown, key, value)
                continue
            if name is None:
                raise ArgumentError(f"{call.shown} has no argument {key[:40]!r}")
            if name in values:
                raise ArgumentError(f"{call.shown} has {name} twice")
            values[name] = value
        return cls(call.shown, call.module, values, call.positional[len(names) :], places, capabilities)

    def can(self, action_type: str) -> bool:
        """Is this known to be something the environment does?"""
        return self.capabilities is not None and action_type in self.capabilities

    def text(self, name: str) -> str:
        """A text, possibly empty. Raises ArgumentError when it is missing."""
        value = self.values.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise ArgumentError(f"{self.shown} needs {name} as text")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number. Raises ArgumentError when it is missing and has no default."""
        value = self.values.get(name)
        if value is None:
            if default is None:
                raise ArgumentError(f"{self.shown} needs {name}")
            return default
        return self._number(value, name)

    def point(self, x: str = "x", y: str = "y") -> Point | None:
        """The place in two arguments, or in the first as a pair; None when there is none. Raises ArgumentError."""
        first, second = self.values.get(x), self.values.get(y)
        if second is None and isinstance(first, tuple):
            if len(first) != 2:
                raise ArgumentError(f"{self.shown} needs two numbers as {x}")
            first, second = first
        if first is None and second is None:
            return None
        if first is None or second is None:
            raise ArgumentError(f"{self.shown} needs both {x} and {y}")
        try:
            return self.places.read(self._number(first, x), self._number(second, y))
        except PointError as error:
            raise ArgumentError(f"{self.shown}: {error}") from error

    def pair(self, name: str) -> Point:
        """A place given as a pair of numbers. Raises ArgumentError."""
        found = self.point(name, "")
        if found is None:
            raise ArgumentError(f"{self.shown} needs {name}")
        return found

    def keys(self, name: str) -> tuple[str, ...]:
        """Canonical names of one key or several. Raises ArgumentError."""
        value = self.values.get(name)
        listed = value if isinstance(value, tuple) else () if value is None else (value,)
        found = tuple(key for part in (*listed, *self.rest) for key in self._chord(part))
        if not found:
            raise ArgumentError(f"{self.shown} needs {name}")
        return found

    def _chord(self, value: Value) -> tuple[str, ...]:
        """Keys of one name; `ctrl+c` is no name but a chord."""
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or len(text) > _MAX_KEY:
            raise ArgumentError(f"{self.shown} needs names of keys")
        try:
            return (canonical(text),)
        except UnknownKey:
            try:
                return parse_chord(text)
            except UnknownKey as error:
                raise ArgumentError(f"{self.shown}: {error}") from error

    def _number(self, value: Value, name: str) -> float:
        if isinstance(value, str) and len(value) <= 20:
            digits = value.strip().removeprefix("-")
            if digits.replace(".", "", 1).isascii() and digits.replace(".", "", 1).isdigit():
                value = float(digits) * (-1 if value.strip().startswith("-") else 1)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ArgumentError(f"{self.shown} needs {name} as a number")
        if not -_MAX_NUMBER <= value <= _MAX_NUMBER or not isfinite(value):
            raise ArgumentError(f"{self.shown}: {name} is not a number that fits")
        return float(value)


def _check_pace(shown: str, key: str, value: Value) -> None:
    """Raises ArgumentError for a value with which the argument would be more than a pace."""
    if isinstance(value, str):
        known = is_tween(value.removeprefix("pyautogui.")) or value in ("True", "False", "None")
        known = known or value.replace(".", "", 1).isdecimal()
    else:
        known = not isinstance(value, tuple) and (key != "mousedownup" or value in (True, None))
    if not known or (key == "mousedownup" and value == "False"):
        raise ArgumentError(f"{shown}: {key} cannot be {str(value)[:20]!r}")
