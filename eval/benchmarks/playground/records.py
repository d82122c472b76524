"""An episode as `python -m envs.playground.episodes` writes it: a line of a file."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from eval.benchmarks.playground.gold import PlaygroundGold
from eval.benchmarks.reading import Record


class ActionRecord(Record):
    """box: x0, y0, x1, y1 in pixels; word: of the control; field: of the field that is typed into."""

    type: Literal["click", "type", "scroll"]
    word: str = ""
    field: str = ""
    box: tuple[float, float, float, float] | None = None
    text: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.type == "click" and self.box is None:
            raise ValueError("a click needs the box of its control")
        if self.type == "type" and "text" not in self.model_fields_set:
            raise ValueError("typing needs its text")
        return self

    @property
    def gold(self) -> PlaygroundGold:
        return PlaygroundGold(
            type=self.type,
            box=self.box if self.type == "click" else None,
            text=self.text if self.type == "type" else "",
        )


class StepRecord(Record):
    file: str
    action: ActionRecord


class EpisodeRecord(Record):
    """A line. chance: how likely random clicks of one who knows the rules are right."""

    task: str
    seed: int
    goal: str
    chance: float
    steps: tuple[StepRecord, ...]
