"""Progress bars: of any long work, and of a sweep, which without a terminal tells of each finished cell."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from eval.benchmarks import rules_of
from eval.sweep.plan import Cell


def long_progress() -> Progress:
    """A bar on standard error with the time left; its speed is that of the last ten minutes."""
    columns = (TextColumn("{task.description:<40}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=600)


def job_done(progress: Progress, bar: TaskID, text: str, fresh: bool = True) -> None:
    """One job more is done. What was there already, not `fresh`, must not count for the speed."""
    if fresh:
        progress.update(bar, advance=1, description=text)
    else:
        progress.update(bar, total=(progress.tasks[bar].total or 1) - 1)


class SweepBar:
    """A bar over the trajectories of all cells that are still to be played."""

    def __init__(self, title: str, todo: Mapping[str, int]) -> None:
        """todo: cell → how many"""
        self._progress = long_progress()
        self._seen = self._progress.console.is_terminal  # a bar in a file would be empty lines
        self._bar = self._progress.add_task(title, total=sum(todo.values()))
        self._todo, self._cells, self._ended = dict(todo), len(todo), 0

    def __enter__(self) -> SweepBar:
        if self._seen:
            self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._seen:
            self._progress.stop()

    def step(self, cell: Cell, score: float | None) -> None:
        self._progress.update(self._bar, description=f"{cell.name} {_percent(cell, score)}")

    def trajectory(self, cell: Cell) -> None:
        self._todo[cell.name] -= 1
        self._progress.update(self._bar, advance=1)

    def again(self, cell: Cell, why: str) -> None:
        self._say(f"{cell.name}: {why}; it is begun again")

    def cell(self, cell: Cell, score: float | None, why: str) -> None:
        self._ended += 1
        if why:
            total = self._progress.tasks[self._bar].total or 0
            self._progress.update(self._bar, total=total - self._todo[cell.name])
            self._say(f"{cell.name}: failed: {why}")
        elif not self._seen:
            self._say(f"{cell.name}: {_percent(cell, score)} ({self._ended} of {self._cells} cells)")

    def _say(self, text: str) -> None:
        self._progress.console.print(text, highlight=False, markup=False, soft_wrap=True)


def _percent(cell: Cell, score: float | None) -> str:
    return "no score yet" if score is None else f"{rules_of(cell.settings.benchmark)[0]} {score:.1%}"
