"""Plays the jobs that a row file lacks, one row a job: what live evaluations and the study of policies stand on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from agent.interrupts import shielded
from eval.rows import JsonRow, RowFile, read_rows
from eval.sweep.events import JobFailed, MakePlayer, PlayerDied, RowMade
from eval.sweep.folder import SweepError, claimed
from eval.sweep.workers import Pool, Workers, open_pool

Key = tuple[Any, ...]
ALONE = Workers()


class JobRow(JsonRow):
    """The one row of a job."""

    @property
    def key(self) -> Key:
        """Tells the job from the others."""
        raise NotImplementedError

    @property
    def kept(self) -> bool:
        """Whether the row is worth writing; else its job is played again when the work goes on."""
        return True

    @property
    def label(self) -> str:
        return " ".join(map(str, self.key))


R = TypeVar("R", bound=JobRow)


def finish_jobs(
    jobs: Mapping[Key, Any],
    kind: type[R],
    make: MakePlayer,
    path: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    workers: Workers = ALONE,
    gpu: bool = False,
    patience: float = 0.0,
    tell: Callable[[R, bool], None] = lambda row, fresh: None,
) -> dict[Key, R]:
    """The row of every job, by its key. Those that the file has are not played; the others are written as they come.

    jobs: key of its row → what the player is given; path: of the file, None for none; settings: what its rows agree in
    tell: hears of every row, and whether it was played now
    A row that is not `kept` counts, but is not written, so that it is played again next time.
    Raises RowsError for a file of other settings, SweepError where a player died or another process writes there, and
    what the player raises.
    """
    rows: dict[Key, R] = {}
    with ExitStack() as stack:
        file = None
        if path is not None:
            stack.enter_context(claimed(path.parent, ()))
            file = RowFile(path, settings)
            stack.callback(file.close)
            for row in read_rows(path, kind):
                if row.key in jobs:
                    rows[row.key] = row
            for row in rows.values():
                tell(row, False)
        left = [job for key, job in jobs.items() if key not in rows]

        def take(row: R) -> None:
            rows[row.key] = row
            if file is not None and row.kept:
                with shielded():
                    file.write(row)
            tell(row, True)

        if left:
            play_jobs(stack.enter_context(open_pool(workers, make, len(left), gpu, patience)), left, take)
    return rows


def play_jobs(pool: Pool, jobs: Iterable[Any], take: Callable[[Any], None]) -> None:
    """Give every job to whoever is free. Raises the error of a job that failed, and SweepError where a player died."""
    waiting = deque(jobs)
    busy = min(pool.size, len(waiting))
    for player in range(busy):
        pool.give(player, waiting.popleft())
    while busy:
        player, event = pool.wait()
        match event:
            case RowMade(row):
                take(row)
            case JobFailed(error):
                raise error
            case PlayerDied(why):
                raise SweepError(why)
            case _ if waiting:
                pool.give(player, waiting.popleft())
            case _:
                busy -= 1
