"""A look at the data before anything is played: what is wrong with them is told now, not after hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from eval.benchmarks.base import Benchmark
from eval.benchmarks.errors import DataError, MissingImage
from eval.replay.settings import ReplaySettings
from eval.sweep.folder import MixError

Known = Mapping[str, tuple[str, ...]]
"""Trajectory → keys of its steps that have rows, in order."""


@dataclass(frozen=True)
class Survey:
    """keys: trajectory → those of its steps; missing: steps without one of their images"""

    keys: Mapping[str, tuple[str, ...]]
    missing: int = 0

    @property
    def steps(self) -> int:
        """Of all trajectories."""
        return sum(map(len, self.keys.values()))

    def todo(self, cell: str, known: Known) -> int:
        """Trajectories that lack rows. Raises MixError where the rows are of other steps."""
        for trajectory, keys in self.keys.items():
            check_keys(cell, trajectory, keys, known.get(trajectory, ()))
        return sum(len(known.get(trajectory, ())) < len(keys) for trajectory, keys in self.keys.items())


def check_keys(cell: str, trajectory: str, keys: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Raises MixError where a trajectory's rows are not of its first steps."""
    if known != keys[: len(known)]:
        raise MixError(
            f"{cell}: the trajectory {trajectory} has the steps {_short(keys)}, but its rows are of the steps "
            f"{_short(known)}: the data are others now; choose another --out"
        )


def survey(
    settings: ReplaySettings,
    benchmark: Benchmark,
    limit: int | None = None,
    tell: Callable[[int], None] = lambda count: None,
) -> Survey:
    """Reads all annotations, and of the images only whether they are there. `tell` hears the trajectories so far.

    Raises DataError for bad records, for names that are there twice and where there is nothing at all; MissingImage
    where images are needed: `missing` is `error`, or it is `blank` and a model is to see them.
    """
    keys: dict[str, tuple[str, ...]] = {}
    missing, first = 0, ""
    for trajectory in islice(benchmark.trajectories(settings.source), limit):
        if trajectory.id in keys:
            raise DataError(f"{trajectory.where or settings.path}: the trajectory {trajectory.id} is there twice")
        keys[trajectory.id] = own = tuple(step.key for step in trajectory.steps)
        if len(set(own)) < len(own):
            twice = next(key for key in own if own.count(key) > 1)
            raise DataError(f"{trajectory.where or settings.path}: {trajectory.id} has the step {twice} twice")
        tell(len(keys))
        for step in trajectory.steps:
            gone = step.missing
            if gone is not None:
                missing += 1
                first = first or f"{step.where}: {gone.path or gone.name}"
    steps = sum(map(len, keys.values()))
    if not steps:
        splits = f" in the splits {', '.join(settings.splits)}" if settings.splits else ""
        raise DataError(f"{settings.path} holds no steps of {benchmark.name}{splits}")
    needed = settings.missing == "error" or (settings.missing == "blank" and not settings.is_oracle)
    if missing and needed:
        raise MissingImage(
            f"{missing} of {steps} steps have no image, the first is {first}: give the folder with --images, or leave "
            "such steps out with --missing skip"
        )
    return Survey(keys, missing)


def _short(keys: tuple[str, ...]) -> str:
    return ", ".join(keys[:5]) + (f" … ({len(keys)})" if len(keys) > 5 else "")
