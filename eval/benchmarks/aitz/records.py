"""A step of an episode's file, as IMNearth/CoAT publishes it. Lists stand in it as JSON texts."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from eval.benchmarks.aitz.gold import Kind
from eval.benchmarks.reading import Record


def _unpacked(value: Any) -> Any:
    """The list of a JSON text. Raises ValueError."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Point = Annotated[tuple[Number, Number], BeforeValidator(_unpacked)]
Boxes = Annotated[tuple[tuple[Number, Number, Number, Number], ...], BeforeValidator(_unpacked)]


class StepRecord(Record):
    """result_touch_yx, result_lift_yx: fractions of the screen, (-1, -1) for none; ui_positions: y, x, height, width
    in pixels of the image; image_path: subset/episode/file below the folder of train or test; episode_length: steps of
    the whole episode."""

    episode_id: Annotated[str, Field(min_length=1)]
    step_id: Annotated[int, Field(strict=True, ge=0)]
    episode_length: int | None = None
    instruction: Annotated[str, Field(min_length=1)]
    ui_positions: Boxes = ()
    result_action_type: Kind
    result_action_text: str = ""
    result_touch_yx: Point
    result_lift_yx: Point
    image_path: Annotated[str, Field(min_length=1)]
    coat_action_think: str = ""
