"""What the benchmark's data say of the steps that are looked at: their pictures, and the right answers and places."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import ValidationError

from agent.errors import AgentError
from agent.report.html import Raw, marks_svg
from envs.actions import Action
from envs.geometry import Size
from eval.benchmarks import BENCHMARKS, Benchmark
from eval.benchmarks.agentnetbench.gold import NetGold
from eval.benchmarks.aitz.gold import AitzGold
from eval.benchmarks.androidcontrol.gold import AndroidGold
from eval.benchmarks.base import Gold, Source, Step, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.mind2web.gold import Mind2WebGold
from eval.benchmarks.playground.gold import PlaygroundGold
from eval.benchmarks.screenspot.gold import Target
from eval.metrics.shapes import Box
from eval.report.cells import CellRecord
from eval.rows import Row
from guikv.errors import GuikvError

Name = tuple[str, str]
"""Split and id of a trajectory."""


@dataclass(frozen=True)
class Data:
    """The data behind the rows, as far as they were found. problem: why something is missing; empty where nothing is"""

    benchmark: Benchmark | None
    trajectories: Mapping[Name, Trajectory]
    problem: str = ""

    def step(self, row: Row) -> Step | None:
        """The recorded step of a row."""
        trajectory = self.trajectories.get((row.split, row.trajectory))
        steps = trajectory.steps if trajectory is not None else ()
        return next((step for step in steps if step.key == row.key), None)

    def wanted(self, row: Row) -> tuple[Action, ...]:
        """The right answer as actions in pixels, where it belongs to the picture that the last answer was given to."""
        step = self.step(row)
        if self.benchmark is None or step is None or not row.views:
            return ()
        if self.benchmark.oracle_view(step) != row.views[-1]:
            return ()
        return self.benchmark.oracle(step, Size(*row.size))

    def frames(self, rows: list[Row], history: str) -> list[tuple[Row, int]]:
        """For each picture that a session was shown up to the last of `rows`, whose it was and which view.

        rows: of one trajectory in order; history: of the replay's settings
        """
        shown: list[tuple[Row, int]] = []
        for row in rows:
            shown += [(row, view) for view in row.views]
            step = self.step(row)
            # With the recorded history, the right answer's own view takes the place of the one the model ended at.
            if history == "gold" and self.benchmark is not None and step is not None and row is not rows[-1]:
                right = self.benchmark.oracle_view(step)
                if row.views and right != row.views[-1]:
                    shown.append((row, right))
        return shown

    def load(self, row: Row, view: int) -> Image.Image:
        """Raises DataError where the picture cannot be had."""
        step = self.step(row)
        if step is None:
            raise DataError(self.problem or f"the data have no step {row.trajectory} {row.key} any more")
        if not 0 <= view < len(step.views):
            raise DataError(f"{step.where or row.trajectory}: the step {row.key} has no view {view} any more")
        return step.views[view].load()


def find(settings: CellRecord, wanted: Collection[Name], path: Path | None = None, images: Path | None = None) -> Data:
    """The trajectories of these names, from where the replay had them or from `path` and `images`. Never raises."""
    benchmark = BENCHMARKS.get(settings.benchmark)
    if benchmark is None:
        return Data(None, {}, f"this installation does not know the benchmark {settings.benchmark!r}")
    own = Source(settings.path, settings.images, settings.splits, settings.options)
    source = replace(own, path=path or own.path, images=images if images or path else own.images)
    found: dict[Name, Trajectory] = {}
    left = set(wanted)
    try:
        for trajectory in benchmark.trajectories(source) if left else ():
            name = (trajectory.split, trajectory.id)
            if name in left:
                found[name] = trajectory
                left.discard(name)
                if not left:
                    break
    except (AgentError, GuikvError, OSError) as error:
        return Data(benchmark, found, str(error))
    problem = f"{source.path} has no trajectory {', '.join(sorted(name for _, name in left)[:3])}" if left else ""
    return Data(benchmark, found, problem)


def gold_boxes(benchmark: str, gold: Mapping[str, Any], size: Size, view: int) -> tuple[Box, ...]:
    """Boxes in pixels of the view, which has that size; () where the gold states none or is not of its kind."""
    known = BENCHMARKS.get(benchmark)
    if known is None:
        return ()
    try:
        return boxes_of(known.gold_type.model_validate(gold), size, view)
    except ValidationError:
        return ()


def boxes_of(gold: Gold, size: Size, view: int) -> tuple[Box, ...]:
    """The same for gold that was read."""
    read = _READERS.get(type(gold))
    return tuple(read(gold, size, view)) if read is not None else ()


def box_svg(boxes: Sequence[Box], size: Size) -> Raw:
    """Frames around the boxes, as SVG over the picture."""
    shapes = "".join(
        f'<rect class="goal" x="{box.x0:.1f}" y="{box.y0:.1f}" width="{max(box.x1 - box.x0, 1):.1f}" '
        f'height="{max(box.y1 - box.y0, 1):.1f}"/>'
        for box in boxes
    )
    return marks_svg(shapes, size.width, size.height)


def _android(gold: AndroidGold, size: Size) -> Iterable[Box]:
    """The candidates, and of the nodes around the point the smallest."""
    around = [node.shape for node in gold.nodes if gold.point is not None and node.shape.contains(gold.point)]
    width, height = gold.screen or (size.width, size.height)
    boxes = [*(Box(*corners) for corners in gold.candidates), *sorted(around, key=lambda box: box.area)[:1]]
    shares = [Box(box.x0 / width, box.y0 / height, box.x1 / width, box.y1 / height) for box in boxes]
    return [_stretched(box, size) for box in shares]


def _stretched(box: Box, size: Size) -> Box:
    """Fractions of a picture → its pixels."""
    return Box(box.x0 * size.width, box.y0 * size.height, box.x1 * size.width, box.y1 * size.height)


_READERS: dict[type[Gold], Callable[[Any, Size, int], Iterable[Box]]] = {
    PlaygroundGold: lambda gold, size, view: [Box(*gold.box)] if gold.box is not None else [],
    NetGold: lambda gold, size, view: (
        _stretched(Box.of_xywh(*box), size) for action in gold.actions for box in action.boxes
    ),
    AndroidGold: lambda gold, size, view: _android(gold, size),
    Mind2WebGold: lambda gold, size, view: gold.targets(view),
    AitzGold: lambda gold, size, view: (Box.of_xywh(*box) for box in gold.boxes),
    Target: lambda gold, size, view: [_stretched(gold.share(size), size)],
}
"""Kind of gold → its boxes on a view of that size."""
