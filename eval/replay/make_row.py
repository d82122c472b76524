"""From what happened at a step to its row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from agent import costs
from agent.dialects import Dialect
from agent.step import Clock, Thinking
from envs.actions import dump_action
from eval.benchmarks.base import Step
from eval.benchmarks.errors import DataError, MissingImage
from eval.metrics.prediction import Prediction
from eval.replay.environment import Recorded
from eval.replay.settings import ReplaySettings
from eval.rows import Row


def why_missing(step: Step) -> str:
    """The first view without an image, as words; empty where all are there."""
    gone = step.missing
    return "" if gone is None else f"the image {gone.name} is missing"


def skipped_row(settings: ReplaySettings, environment: Recorded, why: str) -> Row:
    """The row of a step that was left out."""
    return Row(**_step_fields(settings, environment), skipped=why)


def or_skipped(settings: ReplaySettings, environment: Recorded, play: Callable[[], Row]) -> Row:
    """The row that playing the step gives, or that of a step left out: its image is missing, or cannot be used.

    Raises DataError where the settings do not leave such steps out.
    """
    why = why_missing(environment.step) if settings.missing == "skip" else ""
    if why:
        return skipped_row(settings, environment, why)
    try:
        return play()
    except DataError as error:
        if not settings.skip_bad or isinstance(error, MissingImage):
            raise
        return skipped_row(settings, environment, str(error))


def answered_row(
    settings: ReplaySettings,
    environment: Recorded,
    dialect: Dialect,
    answers: Sequence[Thinking],
    views: Sequence[int],
    clock: Clock,
) -> Row:
    """The row of a step that a model answered, once for each of the views."""
    last = answers[-1]
    actions = last.parsed.actions if last.parsed else ()
    error = "" if last.error is None else last.error.message
    texts = tuple(text for answer in answers for text in answer.raw)
    prediction = Prediction(texts, actions, last.resize, dialect.name, tuple(views), error)
    cost = reduce(costs.add, (dict(answer.cost) for answer in answers))
    seconds = {**clock.seconds, **cost.pop("seconds", {})}
    return Row(
        **_step_fields(settings, environment),
        **_prediction_fields(environment, prediction),
        cost=cost,
        kept={str(frame): kept.to_dict() for frame, kept in last.kept.items()},
        seconds={name: round(value, 6) for name, value in seconds.items()},
    )


def oracle_row(settings: ReplaySettings, environment: Recorded, prediction: Prediction) -> Row:
    """The row of an answer that no model gave."""
    return Row(**_step_fields(settings, environment), **_prediction_fields(environment, prediction))


def _prediction_fields(environment: Recorded, prediction: Prediction) -> dict[str, Any]:
    """The fields of a row that are about a prediction."""
    step, resize = environment.step, prediction.resize
    return {
        "size": (resize.screenshot.width, resize.screenshot.height),
        "image": (resize.image.width, resize.image.height),
        "dialect": prediction.dialect,
        "texts": prediction.texts,
        "views": prediction.views,
        "actions": tuple(dump_action(action) for action in prediction.actions),
        "error": prediction.error,
        "scores": environment.benchmark.score(step.gold, step.kind, prediction),
    }


def _step_fields(settings: ReplaySettings, environment: Recorded) -> dict[str, Any]:
    trajectory, step = environment.trajectory, environment.step
    return {
        "benchmark": settings.benchmark,
        "trajectory": trajectory.id,
        "step": environment.index,
        "key": step.key,
        "split": trajectory.split,
        "kind": step.kind,
        "goal": trajectory.goal,
        "note": step.note,
        "where": step.where,
        "picture": step.views[step.first].name,
        "gold": step.gold.model_dump(mode="json"),
        "facts": dict(step.facts),
    }
