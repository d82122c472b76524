"""What whoever plays a cell is given, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field

from eval.rows import Row
from eval.sweep.plan import Cell
from eval.sweep.survey import Known


@dataclass(frozen=True)
class Job:
    """A cell to play.

    known: trajectory → keys of the steps whose rows exist; those that are complete are not played again
    limit: trajectories, from the first; None for all
    """

    cell: Cell
    known: Known = field(default_factory=dict)
    limit: int | None = None


@dataclass(frozen=True)
class Said:
    """A step was played; of a trajectory that was begun before, steps whose row exists are said again."""

    row: Row


@dataclass(frozen=True)
class Over:
    """A trajectory was played to its end."""

    trajectory: str


@dataclass(frozen=True)
class Done:
    """All trajectories of the cell have all their rows."""


@dataclass(frozen=True)
class Failed:
    """An error that has a type ended the cell. Playing it again would not help."""

    error: Exception


@dataclass(frozen=True)
class Died:
    """Whoever played the cell is gone."""

    why: str


Event = Said | Over | Done | Failed | Died
