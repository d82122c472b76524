"""Records of the annotation files, as their authors publish them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from envs.geometry import Size
from eval.benchmarks.errors import DataError
from eval.benchmarks.reading import Record
from eval.benchmarks.screenspot.gold import Target

Kind = Literal["text", "icon"]
Number = Annotated[float, Field(strict=True, ge=-1e6, le=1e6)]
Four = tuple[Number, Number, Number, Number]
Side = Annotated[int, Field(strict=True, ge=1)]
Text = Annotated[str, Field(min_length=1)]

OVERHANG = 2.0
"""Pixels by which a box may reach over the picture's edge. One record of each benchmark does, by 1."""


class V2Record(Record):
    """OS-Copilot/ScreenSpot-v2. bbox: x, y, width, height in pixels."""

    img_filename: Text
    bbox: Four
    instruction: Text
    data_type: Kind
    data_source: str = ""


class SizedRecord(Record):
    """The same as microsoft/GUI-Actor publishes it (`verifier/ScreenSpot-v2-new`). bbox: x0, y0, x1, y1 in pixels.

    img_size: width, height; platform: what v2 calls the source
    """

    img_filename: Text
    bbox: Four
    instruction: Text
    img_size: tuple[Side, Side]
    ui_type: Kind
    platform: str = ""


class ProRecord(Record):
    """likaixin/ScreenSpot-Pro. bbox: x0, y0, x1, y1 in pixels; img_size: width, height."""

    id: Text
    img_filename: Text
    bbox: Four
    instruction: Text
    instruction_cn: str | None = None
    application: Text
    platform: Text
    img_size: tuple[Side, Side] | None = None
    ui_type: Kind
    group: Text


def target(box: Four, size: tuple[int, int] | None, where: str) -> Target:
    """A box that can be pointed into. box: x0, y0, x1, y1; where: file and record.

    Raises DataError for one without an area, or that reaches more than `OVERHANG` over an edge that is known.
    """
    x0, y0, x1, y1 = box
    if x1 <= x0 or y1 <= y0:
        raise DataError(f"{where}: bbox: {list(box)} has no area")
    width, height = size or (float("inf"), float("inf"))
    over = max(-x0, -y0, x1 - width, y1 - height)
    inside = x0 < width and y0 < height and x1 > 0 and y1 > 0
    if over > OVERHANG or not inside:
        shown = f"the picture of {width}x{height}" if size else "the picture"
        raise DataError(f"{where}: bbox: {list(box)} (left, top, right, bottom) lies outside {shown}")
    return Target(box=box, size=size)


def as_size(size: tuple[int, int] | None) -> Size | None:
    return None if size is None else Size(*size)
