"""What the tests of the release's readers share."""

from __future__ import annotations

from typing import Any

from envs.geometry import Resize, Size
from eval.metrics.prediction import Prediction
from eval.metrics.release import Call, Reading

RESIZE = Resize(Size(2000, 1000), Size(1000, 500))
FAILED = "failed"


def prediction(text: str, dialect: str) -> Prediction:
    return Prediction((text,), (), RESIZE, dialect)


def found(reading: Reading) -> Any:
    """The calls, or `FAILED`, which never comes with calls."""
    if reading.failed:
        assert not reading.calls
        return FAILED
    return list(reading.calls)


def at(name: str, x: float, y: float, **more: Any) -> Call:
    """A call with a place in pixels of the image that the model saw."""
    return Call(name, point=(x / 1000, y / 500), **more)
