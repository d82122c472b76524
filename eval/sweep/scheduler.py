"""Gives cells to whoever plays them, and adds the rows that come to the cells' files. Only this process writes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from agent.errors import ConfigError, DialectError
from agent.interrupts import shielded
from eval.benchmarks import rules_of
from eval.benchmarks.errors import DataError
from eval.rows import Row, RowFile, RowsError, read_rows
from eval.sweep.cell_player import CellJob
from eval.sweep.events import Event, JobDone, JobFailed, PlayerDied, RowMade, TrajectoryDone
from eval.sweep.folder import MixError, SweepError, begin
from eval.sweep.plan import Cell
from eval.sweep.workers import Pool
from guikv.errors import ModelError

RETRIES = 2
"""How often a cell is begun again when whoever played it died."""
FOR_ALL = (DataError, ModelError, ConfigError, DialectError, SweepError)
"""Errors that every other cell would run into as well."""


class CellRows:
    """A cell's rows file, open for appending."""

    def __init__(self, path: Path) -> None:
        """Reads what is there. Raises RowsError."""
        self.path = path
        self._rows: dict[tuple[str, str], str] = {}
        self.known: dict[str, tuple[str, ...]] = {}
        """Trajectory → keys of its steps that have rows, in order."""
        self._total, self._count = 0.0, 0
        for row in read_rows(path):
            self._remember(row)
        self._file = RowFile(path)

    @property
    def score(self) -> float | None:
        """The mean so far of the score that is shown first."""
        return self._total / self._count if self._count else None

    def add(self, row: Row) -> None:
        """Append the row; of a step that has one, see that they are the same. Raises MixError and RowsError."""
        before = self._rows.get((row.trajectory, row.key))
        if before is None:
            self._file.write(row)
            self._remember(row)
        elif before != _digest(row):
            raise MixError(
                f"{self.path}: the trajectory {row.trajectory} was played again from its beginning, and the row of its "
                f"step {row.key} came out differently in {self._different(row)}: the file was made with another model, "
                "program, machine or other data; choose another --out"
            )

    def close(self) -> None:
        """Raises RowsError when what is left cannot be written."""
        self._file.close()

    def _remember(self, row: Row) -> None:
        self._rows[row.trajectory, row.key] = _digest(row)
        _add_key(self.known, row)
        rule = rules_of(row.benchmark)[0]
        if rule in row.scores:
            self._total, self._count = self._total + row.scores[rule], self._count + 1

    def _different(self, row: Row) -> str:
        mine = row.comparable
        for other in read_rows(self.path):
            if (other.trajectory, other.key) == (row.trajectory, row.key):
                theirs = other.comparable
                return ", ".join(name for name in mine if mine[name] != theirs[name]) or "nothing that can be named"
        return "everything"


def read_known(path: Path) -> dict[str, tuple[str, ...]]:
    """Trajectory → keys of its steps that have rows, in order. Raises RowsError."""
    known: dict[str, tuple[str, ...]] = {}
    for row in read_rows(path):
        _add_key(known, row)
    return known


def _add_key(known: dict[str, tuple[str, ...]], row: Row) -> None:
    known[row.trajectory] = (*known.get(row.trajectory, ()), row.key)


def _digest(row: Row) -> str:
    """Rows of a long sweep are many; this is all of one that is kept in memory."""
    return hashlib.blake2b(json.dumps(row.comparable, sort_keys=True).encode(), digest_size=16).hexdigest()


class Watcher(Protocol):
    """Is told how it goes."""

    def step(self, cell: Cell, score: float | None) -> None:
        """A step was played; the cell's mean so far of the score that is shown first."""
        ...

    def trajectory(self, cell: Cell) -> None:
        """A trajectory that lacked rows has all of them now."""
        ...

    def again(self, cell: Cell, why: str) -> None:
        """A cell is begun again, since its player died."""
        ...

    def cell(self, cell: Cell, score: float | None, why: str) -> None:
        """A cell is complete, or has failed and `why` is not empty."""
        ...


@dataclass
class Scheduler:
    """Plays cells into the folder `out`, which is claimed and has admitted them. failed: cell → why."""

    out: Path
    pool: Pool
    watcher: Watcher
    limit: int | None = None
    failed: dict[str, str] = field(default_factory=dict)

    def run(self, cells: Sequence[Cell]) -> dict[str, str]:
        """All cells; returns those that failed. Rows that were written stay, whatever is raised.

        Raises what concerns all cells: DataError, ModelError, settings, MixError, RowsError.
        """
        self._waiting, self._died, self._busy = deque(cells), Counter[str](), dict[int, tuple[Cell, CellRows]]()
        try:
            for player in range(self.pool.size):
                self._begin_next(player)
            while self._busy:
                player, event = self.pool.wait()
                self._take(player, event)
        finally:
            for _, rows in self._busy.values():
                with suppress(RowsError):  # what is under way says more
                    rows.close()
        return self.failed

    def _begin_next(self, player: int) -> None:
        if not self._waiting:
            return
        cell = self._waiting.popleft()
        rows = CellRows(begin(self.out, cell))
        self._busy[player] = cell, rows
        self.pool.give(player, CellJob(cell, dict(rows.known), self.limit))

    def _take(self, player: int, event: Event) -> None:
        if player not in self._busy:  # it died after its last cell
            return
        cell, rows = self._busy[player]
        match event:
            case RowMade(row):
                with shielded():
                    rows.add(row)
                self.watcher.step(cell, rows.score)
            case TrajectoryDone():
                self.watcher.trajectory(cell)
            case JobDone():
                self._end(player, "")
            case JobFailed(error):
                if isinstance(error, FOR_ALL):
                    raise error
                self._end(player, str(error))
            case PlayerDied(why):
                self._replay(player, why)

    def _replay(self, player: int, why: str) -> None:
        cell, rows = self._busy[player]
        self._died[cell.name] += 1
        if self._died[cell.name] > RETRIES:
            self._end(player, f"{why}, {self._died[cell.name]} times")
            return
        self.watcher.again(cell, why)
        del self._busy[player]
        rows.close()
        self._waiting.appendleft(cell)
        self._begin_next(player)

    def _end(self, player: int, why: str) -> None:
        cell, rows = self._busy.pop(player)
        rows.close()
        if why:
            self.failed[cell.name] = why
        self.watcher.cell(cell, rows.score, why)
        self._begin_next(player)
