"""A look at the data before anything is played: what is wrong with them is told now, not after hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from eval.benchmarks.base import Benchmark, Source, Trajectory
from eval.benchmarks.errors import DataError, MissingImage
from eval.data.tally import Problem
from eval.replay.settings import ReplaySettings
from eval.sweep.folder import MixError

Known = Mapping[str, tuple[str, ...]]
"""Trajectory → keys of its steps that have rows, in order."""

BAD, NOTES = "records cannot be used and are left out", "notes on the data"


@dataclass(frozen=True)
class Survey:
    """keys: trajectory → those of its steps; missing: steps without one of their images

    bad: records that cannot be used and are left out; notes: what is odd about others
    """

    keys: Mapping[str, tuple[str, ...]]
    missing: int = 0
    bad: Problem = field(default_factory=lambda: Problem(BAD))
    notes: Problem = field(default_factory=lambda: Problem(NOTES))

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


def named_once(source: Source, benchmark: Benchmark) -> Iterator[Trajectory]:
    """The trajectories of the data. Raises DataError for names that are there twice as for any bad record."""
    seen: set[str] = set()
    for trajectory in benchmark.trajectories(source):
        with source.skipping_bad():
            where = trajectory.where or source.path
            if trajectory.id in seen:
                raise DataError(f"{where}: the trajectory {trajectory.id} is there twice")
            keys = Counter(step.key for step in trajectory.steps)
            twice = next((key for key, count in keys.items() if count > 1), None)
            if twice is not None:
                raise DataError(f"{where}: {trajectory.id} has the step {twice} twice")
            seen.add(trajectory.id)
            yield trajectory


def survey(
    settings: ReplaySettings,
    benchmark: Benchmark,
    limit: int | None = None,
    tell: Callable[[int], None] = lambda count: None,
) -> Survey:
    """Reads all annotations, and of the images only whether they are there. `tell` hears the trajectories so far.

    Raises DataError for bad records and for names that are there twice unless the settings leave them out, and where
    there is nothing at all; MissingImage where images are needed: `missing` is `error`, or it is `blank` and a model is
    to see them.
    """
    keys: dict[str, tuple[str, ...]] = {}
    missing, first = 0, ""
    seen, source = Survey(keys), settings.source
    if settings.skip_bad:
        source = replace(source, on_bad=lambda error: seen.bad.add(str(error)))
    for trajectory in islice(named_once(source, benchmark), limit):
        keys[trajectory.id] = tuple(step.key for step in trajectory.steps)
        tell(len(keys))
        for note in trajectory.notes:
            seen.notes.add(note)
        for step in trajectory.steps:
            gone = step.missing
            if gone is not None:
                missing += 1
                first = first or f"{step.where}: {gone.path or gone.name}"
    steps = sum(map(len, keys.values()))
    if not steps:
        splits = f" in the splits {', '.join(settings.splits)}" if settings.splits else ""
        bad = f"; {seen.bad}" if seen.bad.count else ""
        raise DataError(f"{settings.path} holds no steps of {benchmark.name}{splits}{bad}")
    needed = settings.missing == "error" or (settings.missing == "blank" and not settings.is_oracle)
    if missing and needed:
        raise MissingImage(
            f"{missing} of {steps} steps have no image, the first is {first}: give the folder with --images, or leave "
            "such steps out with --missing skip"
        )
    return replace(seen, missing=missing)


def _short(keys: tuple[str, ...]) -> str:
    return ", ".join(keys[:5]) + (f" … ({len(keys)})" if len(keys) > 5 else "")
