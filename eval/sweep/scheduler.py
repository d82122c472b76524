"""Handing cells to whoever plays them, and writing down what they say. Only this process writes rows."""

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
from eval.sweep.cell_rows import Book
from eval.sweep.errors import SweepError
from eval.sweep.events import Died, Done, Event, Failed, Job, Over, Said
from eval.sweep.folder import begin
from eval.sweep.plan import Cell
from guikv.errors import ModelError

RETRIES = 2
"""How often a cell is begun again when whoever played it died."""
FOR_ALL = (DataError, ModelError, ConfigError, DialectError, SweepError)
"""Errors that every other cell would run into as well."""


class Pool(Protocol):
    """Players of cells, numbered from 0; each is given a job when it has none."""

    @property
    def size(self) -> int: ...

    def give(self, player: int, job: Job) -> None:
        """Begin a job; somebody takes the place of a player that died."""
        ...

    def wait(self) -> tuple[int, Event]:
        """The next thing that any player says."""
        ...


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
    book: Book


@dataclass
class Drive:
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
                self._next(player)
            while self._busy:
                player, event = self.pool.wait()
                self._hear(player, event)
        finally:
            for work in self._busy.values():
                with suppress(RowsError):  # what is under way says more
                    work.book.close()
        return self.failed

    def _next(self, player: int) -> None:
        if not self._waiting:
            return
        cell = self._waiting.popleft()
        book = Book(begin(self.out, cell))
        self._busy[player] = _Work(cell, book)
        self.pool.give(player, Job(cell, book.known, self.limit))

    def _hear(self, player: int, event: Event) -> None:
        work = self._busy.get(player)
        if work is None:  # it died after its last cell
            return
        match event:
            case Said(row):
                with shielded():
                    work.book.take(row)
                self.watcher.step(work.cell, work.book.score)
            case Over():
                self.watcher.trajectory(work.cell)
            case Done():
                self._end(player, "")
            case Failed(error):
                if isinstance(error, FOR_ALL):
                    raise error
                self._end(player, str(error))
            case Died(why):
                self._bury(player, why)

    def _bury(self, player: int, why: str) -> None:
        cell = self._busy[player].cell
        self._died[cell.name] += 1
        if self._died[cell.name] > RETRIES:
            self._end(player, f"{why}, {self._died[cell.name]} times")
            return
        self.watcher.again(cell, why)
        self._busy.pop(player).book.close()
        self._waiting.appendleft(cell)
        self._next(player)

    def _end(self, player: int, why: str) -> None:
        work = self._busy.pop(player)
        work.book.close()
        if why:
            self.failed[work.cell.name] = why
        self.watcher.cell(work.cell, work.book.score, why)
        self._next(player)
