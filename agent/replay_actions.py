"""Does the actions of a recorded run again, without a model, and stops where the screen is not what it was.

The measure is plain: the share of pixels of which a channel differs by more than TOLERANCE of 255. Screens of another
size are different altogether.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops
from pydantic import ValidationError

from agent.errors import RecordError, RunError
from agent.recorded_step import recorded_picture
from agent.runs import Run
from agent.text import describe, plain
from envs.actions import LOOP_ACTIONS, Action, load_action, points_of
from envs.base import EnvError, Environment, Locating, ScreenshotError
from envs.geometry import Point
from guikv.files import make_folder, replacing

TOLERANCE = 8
"""How far a channel of a pixel may be off, of 255; a light grey button on white is off by 16."""
PAUSE = 0.2
"""Seconds between two looks at a screen that is not there yet."""
GAP, GREY = 8, (128, 128, 128)
"""Pixels between the two pictures side by side, and their colour."""


@dataclass(frozen=True)
class ReplayLimits:
    """When a replay stops and what it follows.

    threshold: share of pixels, 0 to 1, that may differ; wait: seconds for the screen to come to look as it did
    near: pixels that a described target may have moved; farther away it is something else
    """

    threshold: float = 0.01
    wait: float = 5.0
    near: float = 400.0


@dataclass(frozen=True)
class ReplayOutcome:
    """How it went: `steps` were done in full; `stopped` is the number of the one that was not, with `reason`.

    pictures: the recorded screen beside the one of now, where they differed
    """

    steps: int
    differences: tuple[float, ...]
    stopped: int | None = None
    reason: str = ""
    pictures: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "steps": self.steps,
            "differences": [round(value, 5) for value in self.differences],
            "stopped": self.stopped,
            "reason": self.reason,
            "pictures": None if self.pictures is None else str(self.pictures),
        }


def difference(one: Image.Image, other: Image.Image) -> float:
    """Share of pixels, 0 to 1, of which a channel differs by more than TOLERANCE; 1 where the sizes do."""
    if one.size != other.size:
        return 1.0
    bands = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).split()
    most = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    return sum(most.histogram()[TOLERANCE + 1 :]) / (one.width * one.height)


def replay_actions(
    run: Run, environment: Environment, limits: ReplayLimits, out: Path, tell: Callable[[str], None]
) -> ReplayOutcome:
    """Do the run's actions on an environment that stands where the run began; pictures go into the folder `out`.

    tell: is given a line for each step
    Raises RunError where the record is damaged, RecordError where a picture cannot be written.
    """
    differences: list[float] = []
    for index, step in enumerate(run.steps):
        try:
            recorded = recorded_picture(run.folder, step)
            actions = [_executed(action) for action in step["actions"]]
            targets = [str(action["target"]) for action in step["actions"]]
            number = int(step["step"])
        except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
            raise RunError(f"step {step.get('step')} of {run.folder} is damaged: {what}") from error
        try:
            if recorded is not None:
                seen, differs = _look(environment, recorded, limits)
                differences.append(differs)
                if differs > limits.threshold:
                    pictures = _side_by_side(recorded, seen, out / f"step-{number:04d}.png")
                    reason = f"{differs:.1%} of the screen differ, more than {limits.threshold:.1%}"
                    return ReplayOutcome(index, tuple(differences), number, reason, pictures)
            told = [f"step {number}", "" if recorded is None else f"{differences[-1]:.2%} differ"]
            for action, target in zip(actions, targets, strict=True):
                if action is not None and action.type not in LOOP_ACTIONS:
                    told.append(_do(environment, action, target, limits))
            tell("  ".join(part for part in told if part))
        except EnvError as error:
            return ReplayOutcome(index, tuple(differences), number, plain(str(error), 500))
    return _judged(run, environment, ReplayOutcome(len(run.steps), tuple(differences)))


def _judged(run: Run, environment: Environment, outcome: ReplayOutcome) -> ReplayOutcome:
    """A run that the environment's own check called a success must be one again."""
    last = int(run.steps[-1]["step"]) if run.steps else 0
    try:
        verdict = environment.verdict()
    except EnvError as error:
        return ReplayOutcome(outcome.steps, outcome.differences, last, plain(str(error), 500))
    if run.header.get("status") == "success" and verdict is not None and not verdict.success:
        reason = "all was done, but the task's check does not agree this time"
        return ReplayOutcome(outcome.steps, outcome.differences, last, reason)
    return outcome


def _executed(data: Mapping[str, Any]) -> Action | None:
    """What was done; None for what was refused or failed. What a kill left open counts as done."""
    error = data["error"]
    if error is not None and error["type"] != "Interrupted":
        return None
    chosen = data["executed"] or (data["wanted"] if error is not None else None)
    return None if chosen is None else load_action(chosen)


def _look(environment: Environment, recorded: Image.Image, limits: ReplayLimits) -> tuple[Image.Image, float]:
    """The screen and how it differs, as soon as it is like the recorded one, or at the end of the wait."""
    end = time.monotonic() + limits.wait
    while True:
        try:
            seen = environment.screenshot().image
            differs = difference(recorded, seen)
            if differs <= limits.threshold or time.monotonic() >= end:
                return seen, differs
        except ScreenshotError:
            if time.monotonic() >= end:
                raise
        time.sleep(PAUSE)


def _do(environment: Environment, action: Action, target: str, limits: ReplayLimits) -> str:
    """Do the action where its target is now; returns what was done, in words. Raises an EnvError."""
    moved = _found(environment, action, target, limits)
    at = action if moved is None else _moved(action, moved)
    environment.execute(at)
    with suppress(ScreenshotError):  # a screen that does not come to rest is no failure
        environment.settle()
    return describe(at) if moved is None else f"{describe(at)} (it was at {points_of(action)[0]})"


def _found(environment: Environment, action: Action, target: str, limits: ReplayLimits) -> Point | None:
    """Where the described target is now, if it is not where it was and not too far away."""
    points = points_of(action)
    if not target or len(points) != 1 or not isinstance(environment, Locating):
        return None
    if environment.describe_target(action) == target:
        return None
    found = environment.locate(target, points[0])
    return None if found is None or math.dist(found, points[0]) > limits.near else found


def _moved(action: Action, to: Point) -> Action:
    return load_action({**action.model_dump(mode="json"), "x": to[0], "y": to[1]})


def _side_by_side(recorded: Image.Image, seen: Image.Image, path: Path) -> Path:
    """Both pictures in one, the recorded one left. Raises RecordError."""
    size = (recorded.width + GAP + seen.width, max(recorded.height, seen.height))
    both = Image.new("RGB", size, GREY)
    both.paste(recorded, (0, 0))
    both.paste(seen, (recorded.width + GAP, 0))
    try:
        make_folder(path.parent)
        with replacing(path) as file:
            both.save(file, "PNG", compress_level=3)
    except OSError as error:
        raise RecordError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def outcome_json(outcome: ReplayOutcome) -> str:
    """One JSON document."""
    return json.dumps(outcome.to_dict(), indent=2)
