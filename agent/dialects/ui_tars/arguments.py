"""The arguments of one call, asked for by meaning instead of by the many names they go by."""

from __future__ import annotations

from dataclasses import dataclass

from agent.dialects.coordinates import Coordinates, PointError, read_numbers
from agent.dialects.scanner import Call
from envs.geometry import Point

START = ("start_box", "point", "start_point", "box", "bbox", "coordinate", "position", "start")
END = ("end_box", "end_point", "end", "coordinate2")
CONTENT = ("content", "text", "value", "option", "message", "question", "answer")


class ArgumentError(ValueError):
    """An argument is missing or makes no sense; the message is for the model."""


@dataclass(frozen=True)
class Arguments:
    """`capabilities` are the action types the environment can do, None when unknown."""

    call: Call
    coordinates: Coordinates
    capabilities: frozenset[str] | None = None

    def can(self, action_type: str) -> bool:
        return self.capabilities is None or action_type in self.capabilities

    def find(self, *names: str) -> str | None:
        """First argument that is present under one of the names and not empty."""
        for name in names:
            value = self.call.args.get(name)
            if value:
                return value
        return None

    def has(self, *names: str) -> bool:
        return any(name in self.call.args for name in names)

    def positional(self, index: int) -> str | None:
        return self.call.positional[index] if index < len(self.call.positional) else None

    def text(self, *names: str) -> str | None:
        """Text under one of the names or as the only value without a name; may be empty."""
        for name in names:
            if name in self.call.args:
                return self.call.args[name]
        return self.positional(0)

    def point(self) -> Point:
        """The (first) place. Raises ArgumentError when there is none."""
        found = self.maybe_point()
        if found is None:
            raise ArgumentError(f"{self.call.name} needs a point")
        return found

    def maybe_point(self) -> Point | None:
        """The (first) place, or None when the call names none."""
        value = self.find(*START)
        if value is None and self.has("x", "y"):
            value = f"{self.call.args.get('x', '')} {self.call.args.get('y', '')}"
        if value is None and self.call.positional:
            value = self._bare_point()
        return None if value is None else self._read(value)

    def end_point(self) -> Point | None:
        """The second place of a drag or swipe, or None."""
        value = self.find(*END)
        if value is None and not self.call.args and len(self.call.positional) == 2:
            value = self.call.positional[1]
        return None if value is None else self._read(value)

    def _bare_point(self) -> str | None:
        """`click('(1,2)')` or `click(1, 2)`: a place without a name."""
        try:
            read_numbers(self.call.positional[0])
        except PointError:
            joined = " ".join(self.call.positional)
            try:
                read_numbers(joined)
            except PointError:
                return None
            return joined
        return self.call.positional[0]

    def _read(self, value: str) -> Point:
        try:
            return self.coordinates.point(value)
        except PointError as error:
            raise ArgumentError(f"{self.call.name}: {error}") from error
