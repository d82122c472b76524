"""What is right at a step of Multimodal-Mind2Web."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from envs.actions import Action, Click, Select, Type
from envs.geometry import Point, Size
from eval.benchmarks.base import Gold, Step
from eval.metrics.shapes import Box

Operation = Literal["CLICK", "TYPE", "SELECT"]
"""Hovering and pressing Enter on an element are CLICK in the data."""
Length = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Place = tuple[Number, Number, Length, Length]
"""x, y, width, height in pixels."""
Index = Annotated[int, Field(ge=0, lt=1000)]
"""Of a block; no page is longer."""

Side = Annotated[int, Field(ge=1)]


class Mind2WebGold(Gold):
    """value: what is typed or chosen, "" for CLICK
    page: places of the right elements on the whole page, none for the steps that nobody can get right
    target_blocks: block → places in that block, only of elements that it shows whole (UGround's rule)
    sizes: width and height of the blocks; of the block form nominal ones, for it does not state them
    """

    operation: Operation
    value: str = ""
    page: tuple[Place, ...] = ()
    target_blocks: dict[Index, tuple[Place, ...]]
    sizes: Annotated[tuple[tuple[Side, Side], ...], Field(min_length=1)]

    def targets(self, block: int) -> tuple[Box, ...]:
        """Boxes in that block's pixels."""
        return tuple(Box.of_xywh(*place) for place in self.target_blocks.get(block, ()))

    @property
    def first_target(self) -> int | None:
        """The first block that shows a right element."""
        return min((block for block, places in self.target_blocks.items() if places), default=None)


def oracle(step: Step, size: Size) -> tuple[Action, ...]:
    """A click into the element, followed by the text for TYPE; a choice for SELECT. size: of `oracle_view(step)`"""
    gold: Mind2WebGold = step.gold
    x, y = _middle(gold.targets(oracle_view(step)), size)
    if gold.operation == "SELECT":
        return (Select(x=x, y=y, option=gold.value),)
    if gold.operation == "TYPE":
        return Click(x=x, y=y), Type(text=gold.value)
    return (Click(x=x, y=y),)


def oracle_view(step: Step) -> int:
    """The first block that shows a right element; that which is shown first where none does."""
    target: int | None = step.gold.first_target
    return step.first if target is None else target


def _middle(boxes: Sequence[Box], size: Size) -> Point:
    """Of the largest box, as far as it lies on the picture; of the picture where there is none."""
    largest = max(boxes, key=lambda box: box.area, default=Box(0, 0, size.width, size.height))
    x0, x1 = (min(max(x, 0.0), float(size.width)) for x in (largest.x0, largest.x1))
    y0, y1 = (min(max(y, 0.0), float(size.height)) for y in (largest.y0, largest.y1))
    return (x0 + x1) / 2, (y0 + y1) / 2
