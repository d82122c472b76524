"""The actions of an answer as they come about, call by call.

Calls lean on each other: a drag starts where the pointer was moved to, and a held button makes one drag of the moves
until it is let go.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.dialects.reading import MAX_ACTIONS, ArgumentError
from envs.actions import Action, Click, Drag, Move, points_of
from envs.geometry import Point


@dataclass
class Draft:
    """`pointer`: where the mouse is, None when unknown; `held`: the way since the button went down, None when it is up.

    `moved`: has this answer put the pointer there?
    """

    actions: list[Action] = field(default_factory=list)
    pointer: Point | None = None
    held: list[Point] | None = None
    moved: bool = False

    def add(self, *actions: Action) -> None:
        """Raises ArgumentError in the middle of a held button and when there are too many."""
        if self.held is not None:
            raise ArgumentError("between mouse_down and mouse_up the mouse can only be moved; use drag")
        self.actions += actions
        if len(self.actions) > MAX_ACTIONS:
            raise ArgumentError(f"more than {MAX_ACTIONS} actions in one answer")
        for action in actions:
            for point in points_of(action)[-1:]:
                self._point_at(point)

    def move(self, point: Point) -> None:
        """Move the pointer, with the button held or not."""
        if self.held is None:
            self.add(Move(x=point[0], y=point[1]))
        else:
            self.held.append(point)
            self._point_at(point)

    def take_pointer(self) -> Point | None:
        """Where the pointer is. The move that brought it there is part of the action that asks."""
        if self.held is None and self.pointer is not None and self.actions and isinstance(self.actions[-1], Move):
            self.actions.pop()
        return self.pointer

    def press(self, point: Point) -> None:
        """The left button goes down. Raises ArgumentError when it is down."""
        if self.held is not None:
            raise ArgumentError("mouse_down twice without mouse_up")
        self.held = [point]
        self._point_at(point)

    def release(self, point: Point | None = None) -> None:
        """The button goes up, at `point` or where the pointer is: a drag, or a click where it has not moved.

        Raises ArgumentError when it is up.
        """
        held = self.held
        if held is None:
            raise ArgumentError("mouse_up without mouse_down in the same answer; use drag")
        self.held = None
        path = (*held, *(() if point is None or [point] == held else (point,)))
        if len(path) == 1:
            self.add(Click(x=path[0][0], y=path[0][1]))
        else:
            self.add(Drag(path=path))

    def finish(self) -> tuple[Action, ...]:
        """All actions. Raises ArgumentError while the button is held."""
        if self.held is not None:
            raise ArgumentError("mouse_down without mouse_up in the same answer; use drag")
        return tuple(self.actions)

    def _point_at(self, point: Point) -> None:
        self.pointer, self.moved = point, True
