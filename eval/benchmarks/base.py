"""What a benchmark is: trajectories of recorded steps, what is right at each, and how answers are scored.

A benchmark is data and rules only. It knows nothing of models, caches or sweeps: it gets a `Prediction`, which is
an answer after the dialect's own parser, and gives named scores between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from envs.actions import Action, points_of
from envs.geometry import Size
from eval.benchmarks.errors import DataError
from eval.benchmarks.pictures import Picture
from eval.metrics.measures import Measure
from eval.metrics.prediction import Prediction

Device = Literal["computer", "browser", "mobile"]
Kind = Literal["computer", "browser", "mobile", "grounding"]
Missing = Literal["error", "skip", "blank"]
"""A step whose image is missing: an error, left out and counted, or (for oracles, which need no more than the size)
taken with the size that its annotation states."""
Score = float


class Gold(BaseModel):
    """What is right at a step, in the benchmark's own terms. Written into every row, so that rows can be scored again
    without the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Step:
    """One recorded step.

    key: its name in the benchmark, unique in its trajectory
    views: what can be seen, usually one picture; `first` is shown first, others after a scroll
    gold: what is right; kind: its action type, for tables by type
    note: told to the model with this screenshot only (a low-level instruction), may be empty
    thought: the recorded thought, for a teacher-forced history; may be empty
    facts: what the measures need beside the scores: group, application, milestone, total_steps …; JSON values
    where: file and record, for messages
    """

    key: str
    views: tuple[Picture, ...]
    gold: Any
    kind: str
    first: int = 0
    note: str = ""
    thought: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""

    @property
    def missing(self) -> Picture | None:
        """The first view whose image is not there."""
        return next((view for view in self.views if not view.exists), None)


@dataclass(frozen=True)
class Trajectory:
    """Steps that belong together and are played in one session; single images are trajectories of one step.

    notes: what is odd about its record, but does not keep it from being played
    """

    id: str
    goal: str
    steps: tuple[Step, ...]
    split: str = ""
    where: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Where the data lie, as the user said.

    path: annotation file or folder; images: folder of the images, None for the place beside the annotations
    splits: only these; empty for all
    options: the benchmark's own settings, checked by it (level: high or low of AndroidControl)
    on_bad: told of every record that cannot be used, which is left out then; None: the first one is an error
    """

    path: Path
    images: Path | None = None
    splits: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    on_bad: Callable[[DataError], None] | None = None

    @contextmanager
    def skipping_bad(self) -> Iterator[None]:
        """Around the reading of a record, or of a file of them: a DataError is told to `on_bad` and goes no further.

        Raises DataError where nobody is told.
        """
        try:
            yield
        except DataError as error:
            if self.on_bad is None:
                raise
            self.on_bad(error)


def in_order(
    steps: tuple[Step, ...], numbers: Sequence[int | None], name: str, where: str
) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """The steps by the number that each has, and a note where the file had them otherwise.

    name: of the number's field. Where a step has no number, the order is the file's.
    """
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or known == sorted(known):
        return steps, ()
    ordered = tuple(steps[index] for index in sorted(range(len(steps)), key=lambda index: known[index]))
    return ordered, (f"{where}: {name}: the steps are not in order: {known[:20]}; they are put in order",)


class OneView:
    """For benchmarks whose steps are one picture each: the answer is given there, and nothing leads to another."""

    def oracle_view(self, step: Step) -> int:
        return step.first

    def follow(self, step: Step, view: int, actions: Sequence[Action]) -> int | None:
        return None


class Benchmark(Protocol):
    """One benchmark. Implementations are frozen dataclasses or modules' singletons without state."""

    @property
    def name(self) -> str: ...

    @property
    def device(self) -> Device:
        """What kind of screen it shows."""
        ...

    @property
    def kind(self) -> Kind:
        """Which of a dialect's prompts fits."""
        ...

    @property
    def gold_type(self) -> type[Gold]:
        """For reading gold back from a row."""
        ...

    @property
    def capabilities(self) -> frozenset[str]:
        """Action types that make sense here; told to dialects that list them."""
        ...

    @property
    def environment_variables(self) -> tuple[str, str]:
        """Names of the variables for annotations and images that the GUI-KV release reads; ("", "") for none."""
        ...

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is reported over all rows; `official` and `release` are the numbers that are shown first."""
        ...

    def trajectories(self, source: Source) -> Iterator[Trajectory]:
        """All trajectories, lazily, in an order that is always the same.

        Raises DataError for data that are not there, and on the first bad record if `source.on_bad` is None.
        """
        ...

    def oracle(self, step: Step, size: Size) -> tuple[Action, ...]:
        """The right answer as actions, points in pixels of the view `oracle_view(step)` of that size."""
        ...

    def oracle_view(self, step: Step) -> int:
        """The view in which the right answer is given; `step.first` unless scrolling is needed."""
        ...

    def follow(self, step: Step, view: int, actions: Sequence[Action]) -> int | None:
        """The view that these actions lead to within the same step, or None where the step is over."""
        ...

    def score(self, gold: Any, kind: str, prediction: Prediction) -> dict[str, Score]:
        """`official`, `release` and whatever else the field reports, each 0 to 1.

        Must not need images: rows are scored again from what they hold.
        """
        ...


def place_off_picture(benchmark: Benchmark, step: Step, size: Size, slack: float = 0.0) -> str | None:
    """The first place of the right answer that lies off its view, which is of `size`: annotation and image do not
    belong together. None where there is none.

    slack: how far it may, as a fraction of the picture
    """
    across, down = slack * size.width, slack * size.height
    for action in benchmark.oracle(step, size):
        for x, y in points_of(action):
            if not (-across <= x <= size.width + across and -down <= y <= size.height + down):
                return f"{action.type} at ({x:.0f}, {y:.0f}) of {size.width}x{size.height}"
    return None
