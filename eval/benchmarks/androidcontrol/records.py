"""Schemas of the records: the actions of dataset and UGround, UGround's processed steps, UI-S1's episodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from eval.benchmarks.androidcontrol.gold import ActionKind, AndroidGold, Corners, Direction, Status
from eval.benchmarks.base import Trajectory
from eval.benchmarks.reading import Record
from eval.metrics.shapes import Box

Pixel = Annotated[float, Field(ge=0)]
Point = tuple[Pixel, Pixel]

_NEEDS: dict[str, tuple[str, ...]] = {
    "click": ("x", "y"),
    "long_press": ("x", "y"),
    "type": ("x", "y", "text"),
    "type_text": ("text",),
    "input_text": ("text",),
    "scroll": ("direction",),
    "open_app": ("app_name",),
    "status": ("goal_status",),
}
_KINDS: dict[str, ActionKind] = {"type": "type_text", "input_text": "type_text"}
"""The dataset's two ways of typing; the processed form has the third."""


def _complete(record: Record, kind: str, needs: dict[str, tuple[str, ...]]) -> None:
    """Raises ValueError where the record has not all that its kind of action needs."""
    missing = [name for name in needs.get(kind, ()) if getattr(record, name) is None]
    if missing:
        raise ValueError(f"{kind} needs {' and '.join(missing)}")


class ActionRecord(Record):
    """An action as the dataset (google-research/android_control) and UGround's processed steps write it."""

    action_type: Literal[
        "click",
        "long_press",
        "type",
        "type_text",
        "input_text",
        "scroll",
        "open_app",
        "navigate_back",
        "navigate_home",
        "wait",
        "status",
    ]
    x: Pixel | None = None
    y: Pixel | None = None
    text: str | None = None
    direction: Direction | None = None
    app_name: str | None = None
    goal_status: Status | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _complete(self, self.action_type, _NEEDS)
        return self

    @property
    def gold(self) -> AndroidGold:
        """Without nodes."""
        kind: Any = _KINDS.get(self.action_type, self.action_type)
        placed = self.x is not None and self.y is not None and kind in ("click", "long_press", "type_text")
        return AndroidGold(
            action=kind,
            point=(self.x or 0.0, self.y or 0.0) if placed else None,
            text=self.text or "" if kind == "type_text" else "",
            app=self.app_name or "" if kind == "open_app" else "",
            direction=self.direction if kind == "scroll" else None,
            status=self.goal_status if kind == "status" else None,
        )


class BoxRecord(Record):
    """Pixels. Trees hold boxes that reach beyond the screen, and empty ones: no point is in these."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float


class NodeRecord(Record):
    """A node as android_world's `UIElement.to_dict` writes it."""

    text: str | None = None
    content_description: str | None = None
    bbox_pixels: BoxRecord


class ProcessedStep(Record):
    """A step of 500_steps.json. `step` counts the steps after processing, which merges a click with the text that is
    typed after it: it may lag behind the screenshot's number."""

    episode_id: int
    step: int
    goal: str
    screenshot: str
    action: ActionRecord
    step_instruction: str = ""
    previous_actions: tuple[str, ...] = ()
    accessibility_tree: list[Any]


class ContentRecord(Record):
    """UI-S1's action, in the words of Qwen's mobile_use. The places of a swipe are not read: they are made up from the
    direction, with a finger that goes the wrong way for left and right."""

    action: Literal["click", "long_press", "swipe", "type", "open", "system_button", "wait", "terminate"]
    coordinate: Point | None = None
    text: str | None = None
    button: Literal["Back", "Home"] | None = None
    status: Literal["success", "failure"] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        needs = {"click": ("coordinate",), "long_press": ("coordinate",), "type": ("text",), "open": ("text",)}
        _complete(self, self.action, {**needs, "system_button": ("button",), "terminate": ("status",)})
        return self


class SwipeRecord(Record):
    """Where UI-S1's swipes go: three quarters of the screen and one quarter, so both together are its size."""

    coordinate: Point
    coordinate2: Point


class CheckRecord(Record):
    """What UI-S1 checks. direction: the side on which more is shown, as in the dataset."""

    action: str
    candidate_bbox: tuple[Corners, ...] = ()
    direction: Direction | None = None


class AnnotatedStep(Record):
    """A step of UI-S1's file. candidate_bbox: of a tap, all boxes that hold its place; of `open`, the app's icons."""

    action_content: ContentRecord
    check_options: CheckRecord
    screenshot: str
    step_instruction: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.check_options.action != self.action_content.action:
            raise ValueError(f"check_options is about {self.check_options.action}, not {self.action_content.action}")
        _complete(self.check_options, self.action_content.action, {"swipe": ("direction",)})
        place = self.action_content.coordinate if self.action_content.action in ("click", "long_press") else None
        for index, corners in enumerate(self.check_options.candidate_bbox):
            box = Box(*corners)
            if box.x0 > box.x1 or box.y0 > box.y1 or box.x1 < 0 or box.y1 < 0:
                raise ValueError(f"check_options.candidate_bbox.{index}: {list(corners)} is no box on the screen")
            if place is not None and not box.contains(place):
                raise ValueError(f"check_options.candidate_bbox.{index}: {list(corners)} does not contain the place")
        return self

    @property
    def gold(self) -> AndroidGold:
        """What is right at the step."""
        content, checked = self.action_content, self.check_options
        match content.action:
            case "click" | "long_press":
                return AndroidGold(action=content.action, point=content.coordinate, candidates=checked.candidate_bbox)
            case "swipe":
                return AndroidGold(action="scroll", direction=checked.direction)
            case "type":
                return AndroidGold(action="type_text", text=content.text or "")
            case "open":
                return AndroidGold(action="open_app", app=content.text or "", candidates=checked.candidate_bbox)
            case "system_button":
                return AndroidGold(action="navigate_back" if content.button == "Back" else "navigate_home")
            case "terminate":
                return AndroidGold(
                    action="status", status="successful" if content.status == "success" else "infeasible"
                )
            case _:
                return AndroidGold(action="wait")


class AnnotatedEpisode(Record):
    """An episode of UI-S1's file."""

    episode_id: int
    goal: str
    steps: Annotated[tuple[AnnotatedStep, ...], Field(min_length=1)]


class PublishedEpisode(Record):
    """An episode of the published TFRecord files, texts and actions decoded."""

    episode_id: int
    goal: str
    screenshots: Annotated[tuple[bytes, ...], Field(min_length=1)]
    accessibility_trees: tuple[bytes, ...]
    screenshot_widths: tuple[Annotated[int, Field(ge=1)], ...]
    screenshot_heights: tuple[Annotated[int, Field(ge=1)], ...]
    actions: Annotated[tuple[ActionRecord, ...], Field(min_length=1)]
    step_instructions: tuple[str, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        screens, steps = len(self.screenshots), len(self.actions)
        if steps != screens - 1:
            raise ValueError(f"{screens} screenshots need {screens - 1} actions, not {steps}")
        for name in ("accessibility_trees", "screenshot_widths", "screenshot_heights"):
            if len(getattr(self, name)) != screens:
                raise ValueError(f"{screens} screenshots need as many {name}, not {len(getattr(self, name))}")
        if len(self.step_instructions) != steps:
            raise ValueError(f"{steps} actions need as many step_instructions, not {len(self.step_instructions)}")
        return self


@dataclass(frozen=True)
class Entry:
    """An episode or step that a file holds, before it is filed under a split.

    make: reads the rest of it; raises DataError; single: it is one step of an episode, which stands alone
    """

    episode: int
    make: Callable[[], Trajectory]
    single: bool = False
