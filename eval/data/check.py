"""Going through a benchmark's data once, keeping counts only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from eval.benchmarks.base import Benchmark, Source, Step, Trajectory, place_off_picture
from eval.benchmarks.errors import DataError
from eval.data.images import Images
from eval.data.tally import Problems, Split

RECORDS = "annotations that cannot be used"
NOTHING = "nothing to play"
SAME_ID, SAME_KEY, EMPTY = "trajectories with the id of another", "steps with the key of another", "empty trajectories"
OUTSIDE = "right answers outside their image"
ODD = "trajectories whose records contradict themselves"

Tick = Callable[[int, int, Problems], None]
"""Told after each trajectory: how many there were, with how many steps, and what is wrong so far."""


def check_data(
    benchmark: Benchmark, source: Source, limit: int | None = None, images: bool = True, tick: Tick | None = None
) -> dict[str, Any]:
    """What there is and what is wrong with it, as JSON.

    limit: trajectories to look at; images: whether the files of the images are read. Raises ConfigError for splits and
    options that the benchmark has not.
    """
    counts = _Counts(benchmark, images)
    try:
        for trajectory in benchmark.trajectories(replace(source, on_bad=counts.bad)):
            counts.add(trajectory)
            if tick is not None:
                tick(counts.trajectories, counts.steps, counts.problems)
            if counts.trajectories == limit:
                break
    except DataError as error:
        counts.bad(error)
    if not counts.trajectories and not counts.problems.found:
        counts.problems.add(NOTHING, str(source.path))
    return {**_asked(benchmark, source, limit), **counts.to_dict()}


class _Counts:
    """Counts of what was seen so far. Of trajectories only ids are kept, of images names and sizes."""

    def __init__(self, benchmark: Benchmark, images: bool) -> None:
        self.problems = Problems()
        self.steps = 0
        self._benchmark = benchmark
        self._images = Images(self.problems, images)
        self._ids: set[str] = set()
        self._splits: dict[str, Split] = {}
        self._kinds: Counter[str] = Counter()

    @property
    def trajectories(self) -> int:
        return sum(split.lengths.total() for split in self._splits.values())

    def bad(self, error: DataError) -> None:
        self.problems.add(RECORDS, str(error))

    def add(self, trajectory: Trajectory) -> None:
        """Count a trajectory, its steps and what is odd about them."""
        for note in trajectory.notes:
            self._images.notes.add(ODD, note)
        if trajectory.id in self._ids:
            self.problems.add(SAME_ID, f"{trajectory.where}: {trajectory.id}")
        if not trajectory.steps:
            self.problems.add(EMPTY, f"{trajectory.where}: {trajectory.id}")
        self._ids.add(trajectory.id)
        self._splits.setdefault(trajectory.split, Split()).lengths[len(trajectory.steps)] += 1
        keys: set[str] = set()
        for step in trajectory.steps:
            if step.key in keys:
                self.problems.add(SAME_KEY, f"{step.where}: {step.key}")
            keys.add(step.key)
            self.steps += 1
            self._kinds[step.kind] += 1
            self._step(step)

    def _step(self, step: Step) -> None:
        sizes = [self._images.see(picture) for picture in step.views]
        try:
            size = sizes[self._benchmark.oracle_view(step)]
            off = place_off_picture(self._benchmark, step, size) if size is not None else None
        except DataError as error:
            self.bad(error)
            return
        if off is not None:
            self.problems.add(OUTSIDE, f"{step.where}: {off}")

    def to_dict(self) -> dict[str, Any]:
        """JSON form: all splits together, and each."""
        whole = Split()
        for split in self._splits.values():
            whole.lengths.update(split.lengths)
        return {
            **whole.to_dict(),
            "splits": {name: split.to_dict() for name, split in self._splits.items()},
            "actions": dict(self._kinds.most_common()),
            "images": self._images.to_dict(),
            "problems": self.problems.to_list(),
            "notes": self._images.notes.to_list(),
        }


def _asked(benchmark: Benchmark, source: Source, limit: int | None) -> Mapping[str, Any]:
    return {
        "benchmark": benchmark.name,
        "path": str(source.path),
        "images_folder": None if source.images is None else str(source.images),
        "wanted_splits": list(source.splits),
        "options": dict(source.options),
        "limit": limit,
    }
