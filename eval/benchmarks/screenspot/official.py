"""Whether an answer points into the box, by the authors' rule."""

from __future__ import annotations

from envs.actions import points_of
from envs.geometry import Point, Size
from eval.benchmarks.screenspot.gold import Target
from eval.metrics.prediction import Prediction
from eval.metrics.shapes import relative


def read_answer(gold: Target, prediction: Prediction) -> Point | None:
    """The first place that the actions name, as fractions of the picture; None is a wrong format.

    A place off the picture is one too, since the dialects' parsers refuse it.
    """
    places = (points_of(action) for action in prediction.actions)
    return next((relative(points[0], prediction.size) for points in places if points), None)


def official(gold: Target, answer: Point | None, size: Size) -> dict[str, float]:
    """`official`, and `wrong_format` for an answer without a place, which is a 0. size: of the picture"""
    right = answer is not None and gold.hit(answer, size)
    return {"official": float(right), "wrong_format": float(answer is None)}
