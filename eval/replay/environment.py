"""A recorded trajectory as an environment: it shows what was recorded, and nothing that is done changes it.

Only the views of one step (the parts of a long page) can be moved between, by the benchmark's own rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from envs.actions import Action
from envs.base import Event, Screenshot, Verdict
from envs.geometry import Size, Viewport
from eval.benchmarks.base import Benchmark, Step, Trajectory, place_off_picture
from eval.benchmarks.errors import DataError

SLACK = 0.05
"""Of the picture: annotators' windows and clicks overlap its edges a little."""


@dataclass
class Recorded:
    """An `Environment` over a trajectory. `go` shows another step."""

    benchmark: Benchmark
    trajectory: Trajectory
    index: int = 0
    view: int = 0

    @property
    def name(self) -> str:
        return f"recorded {self.benchmark.device}"

    @property
    def capabilities(self) -> frozenset[str]:
        return self.benchmark.capabilities

    @property
    def step(self) -> Step:
        return self.trajectory.steps[self.index]

    def go(self, index: int) -> None:
        """Show a step's first view."""
        self.index, self.view = index, self.trajectory.steps[index].first

    def move(self, actions: Sequence[Action]) -> bool:
        """Show the view that these actions lead to within the step; False where there is none."""
        view = self.benchmark.follow(self.step, self.view, actions)
        if view is not None:
            self.view = view
        return view is not None

    def screenshot(self) -> Screenshot:
        """Raises DataError where the recorded image is missing, damaged, or not the one that was annotated."""
        picture = self.step.views[self.view]
        image = picture.load()
        size = Size(*image.size)
        if self.view == self.benchmark.oracle_view(self.step):
            off = place_off_picture(self.benchmark, self.step, size, SLACK)
            if off is not None:
                raise DataError(f"{self.step.where}: the right answer lies outside the image {picture.name}: {off}")
        return Screenshot(image, Viewport(size, size))

    def execute(self, action: Action) -> tuple[Event, ...]:
        """Moves to another view of the same step where the benchmark says so, and does nothing else."""
        self.move((action,))
        return ()

    def settle(self) -> float:
        return 0.0

    def context(self) -> Mapping[str, str]:
        return {"trajectory": self.trajectory.id, "step": self.step.key}

    def describe_target(self, action: Action) -> str:
        return ""

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        """There is nothing to end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
