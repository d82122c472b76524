"""Schemas of the annotation files: one trajectory each.

Annotators draw boxes over the edge of the screen, so places and boxes may lie outside the picture by `SLACK`; what
lies further out is bad data.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from envs.geometry import Size
from eval.benchmarks.agentnetbench.gold import NAMES, NEED_PLACE, Target
from eval.benchmarks.reading import Record

SLACK = 0.05
"""Of the picture's width and height."""
MAX_CHORD = 5

Fraction = Annotated[float, Field(ge=-SLACK, le=1 + SLACK)]
Length = Annotated[float, Field(ge=0, le=1 + 2 * SLACK)]
Pixels = tuple[float, float, float, float]


class Position(Record):
    """Fractions of the picture."""

    x: Fraction
    y: Fraction


class Box(Record):
    """x, y, width and height: of the picture, and in its pixels."""

    rel_bbox: tuple[Fraction, Fraction, Length, Length]
    abs_bbox: Pixels | None = None

    @model_validator(mode="after")
    def _inside(self) -> Self:
        x, y, width, height = self.rel_bbox
        if max(x + width, y + height) > 1 + SLACK:
            raise ValueError(f"the box {list(self.rel_bbox)} leaves the picture")
        return self

    @property
    def picture(self) -> Size | None:
        """The size of the picture, from the corner that both forms name."""
        if self.abs_bbox is None:
            return None
        (x, y, w, h), (px, py, pw, ph) = self.rel_bbox, self.abs_bbox
        if x + w < SLACK or y + h < SLACK or not (px + pw >= 1 and py + ph >= 1):
            return None
        return Size(max(1, round((px + pw) / (x + w))), max(1, round((py + ph) / (y + h))))


class Params(Record):
    """text, content: of write, the one or the other; amount: wheel clicks of a scroll, negative is down or left."""

    position: Position | None = None
    text: str | None = None
    content: str | None = None
    keys: tuple[str, ...] | str | None = None
    amount: float | None = None
    status: str | None = None


class Metadata(Record):
    bboxes: tuple[Box, ...] | None = None


class Act(Record):
    """One action, with what its type needs."""

    type: str
    params: Params = Params()
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        name = NAMES.get(self.type.replace("_", "").lower())
        if name is None:
            raise ValueError(f"there is no action type {self.type[:40]!r}; there are {', '.join(NAMES.values())}")
        if name in NEED_PLACE and self.params.position is None:
            raise ValueError(f"a {name} needs params.position")
        if name == "write" and self.params.text is None and self.params.content is None:
            raise ValueError("a write needs params.text or params.content")
        if name in ("press", "hotkey") and not all(self._keys or ("",)):
            raise ValueError(f"a {name} needs params.keys")
        if name == "hotkey" and len(self._keys) > MAX_CHORD:
            raise ValueError(f"a hotkey has at most {MAX_CHORD} keys")
        if name == "terminate" and not self.params.status:
            raise ValueError("a terminate needs params.status")
        return self

    @property
    def _keys(self) -> tuple[str, ...]:
        keys = self.params.keys
        return (keys,) if isinstance(keys, str) else keys or ()

    @property
    def boxes(self) -> tuple[Box, ...]:
        return (self.metadata.bboxes if self.metadata else None) or ()

    @property
    def target(self) -> Target:
        """What is right, in shares of the picture."""
        params, place = self.params, self.params.position
        return Target(
            type=NAMES[self.type.replace("_", "").lower()],
            x=place.x if place else None,
            y=place.y if place else None,
            boxes=tuple(box.rel_bbox for box in self.boxes),
            text=params.content or params.text or "",
            keys=self._keys,
            amount=params.amount,
            status=params.status or "",
        )


class Monologue(Record):
    observation: str | None = None
    thought: str | None = None
    low_level_instruction: str | None = None


class StepRecord(Record):
    """A step without right actions would score 0 whatever is answered, so they are required."""

    image: str = Field(min_length=1)
    ground_truth_actions: tuple[Act, ...] = Field(min_length=1)
    alternative_options: tuple[tuple[Act, ...], ...] | None = None
    milestone: bool | None = None
    inner_monologue: Monologue | None = None
    step_num: int | None = None

    @property
    def picture(self) -> Size | None:
        """The size of its picture, where a box says it."""
        options = (self.ground_truth_actions, *(self.alternative_options or ()))
        sizes = (box.picture for option in options for act in option for box in act.boxes)
        return next((size for size in sizes if size), None)


class Meta(Record):
    system: str | None = None
    domain: str | None = None


class TrajectoryRecord(Record):
    """A file. Some hold the goal as the user's description only."""

    task_id: str = Field(min_length=1)
    high_level_task_description: str | None = None
    user_task_description: str | None = None
    steps: tuple[StepRecord, ...] = Field(min_length=1)
    meta_info: Meta | None = None

    @model_validator(mode="after")
    def _told(self) -> Self:
        if not self.goal:
            raise ValueError("high_level_task_description or user_task_description is needed")
        return self

    @property
    def goal(self) -> str:
        """As the authors' evaluation takes it."""
        return (self.high_level_task_description or self.user_task_description or "").strip()
