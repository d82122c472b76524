"""Gives cells to whoever plays them and writes their rows. Only this process writes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from agent.errors import ConfigError, DialectError
from agent.interrupts import shielded
from eval.benchmarks.errors import DataError
from eval.rows import RowsError
from eval.sweep.cell_player import CellJob
from eval.sweep.cell_rows import CellRows
from eval.sweep.errors import SweepError
from eval.sweep.events import Event, JobDone, JobFailed, PlayerDied, RowMade, TrajectoryDone
from eval.sweep.folder import begin
from eval.sweep.plan import Cell
from eval.sweep.workers import Pool
from guikv.errors import ModelError

RETRIES = 2
"""How often a cell is begun again when whoever played it died."""
FOR_ALL = (DataError, ModelError, ConfigError, DialectError, SweepError)
"""Errors that every other cell would run into as well."""


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
class _Work:
    cell: Cell
    rows: CellRows


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
        self._waiting, self._died, self._busy = deque(cells), Counter[str](), dict[int, _Work]()
        try:
            for player in range(self.pool.size):
                self._begin_next(player)
            while self._busy:
                player, event = self.pool.wait()
                self._take(player, event)
        finally:
            for work in self._busy.values():
                with suppress(RowsError):  # what is under way says more
                    work.rows.close()
        return self.failed

    def _begin_next(self, player: int) -> None:
        if not self._waiting:
            return
        cell = self._waiting.popleft()
        rows = CellRows(begin(self.out, cell))
        self._busy[player] = _Work(cell, rows)
        self.pool.give(player, CellJob(cell, rows.known, self.limit))

    def _take(self, player: int, event: Event) -> None:
        work = self._busy.get(player)
        if work is None:  # it died after its last cell
            return
        match event:
            case RowMade(row):
                with shielded():
                    work.rows.add(row)
                self.watcher.step(work.cell, work.rows.score)
            case TrajectoryDone():
                self.watcher.trajectory(work.cell)
            case JobDone():
                self._end(player, "")
            case JobFailed(error):
                if isinstance(error, FOR_ALL):
                    raise error
                self._end(player, str(error))
            case PlayerDied(why):
                self._replay(player, why)

    def _replay(self, player: int, why: str) -> None:
        cell = self._busy[player].cell
        self._died[cell.name] += 1
        if self._died[cell.name] > RETRIES:
            self._end(player, f"{why}, {self._died[cell.name]} times")
            return
        self.watcher.again(cell, why)
        self._busy.pop(player).rows.close()
        self._waiting.appendleft(cell)
        self._begin_next(player)

    def _end(self, player: int, why: str) -> None:
        work = self._busy.pop(player)
        work.rows.close()
        if why:
            self.failed[work.cell.name] = why
        self.watcher.cell(work.cell, work.rows.score, why)
        self._begin_next(player)
