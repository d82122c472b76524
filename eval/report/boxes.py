"""Right places that gold states as boxes, to be drawn on the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from agent.report.html import Raw, marks_svg
from envs.geometry import Size
from eval.benchmarks import BENCHMARKS
from eval.benchmarks.agentnetbench.gold import NetGold
from eval.benchmarks.aitz.gold import AitzGold
from eval.benchmarks.androidcontrol.gold import AndroidGold
from eval.benchmarks.base import Gold
from eval.benchmarks.mind2web.gold import Mind2WebGold
from eval.benchmarks.playground.gold import PlaygroundGold
from eval.benchmarks.screenspot.gold import Target
from eval.metrics.shapes import Box


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
