"""The oracle: the right answer, written in a dialect, read by its parser, and scored like any other.

What it does not get is lost by dialect or scorer, so this is how both are checked.
"""

from __future__ import annotations

from collections.abc import Generator

from agent.errors import DialectError
from envs.geometry import Size
from eval.benchmarks.base import Benchmark, Step, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.pictures import Picture
from eval.metrics.prediction import Prediction
from eval.replay.environment import Recorded
from eval.replay.make_row import said, skipped, why_missing
from eval.replay.offline_dialect import Speaker, as_set
from eval.replay.settings import ReplaySettings
from eval.rows import Row
from guikv.errors import ImageError


def play_oracle(settings: ReplaySettings, benchmark: Benchmark, trajectory: Trajectory) -> Generator[Row, None, None]:
    """A row for every step. Of the images only the sizes are looked at.

    Raises DataError, ConfigError and DialectError.
    """
    voice = as_set(settings.dialect, settings.config.prompt, benchmark)
    environment = Recorded(benchmark, trajectory)
    for index in range(len(trajectory.steps)):
        environment.go(index)
        why = why_missing(environment.step) if settings.missing == "skip" else ""
        if why:
            yield skipped(settings, environment, why)
            continue
        prediction = say(voice, benchmark, environment.step, blank=settings.missing == "blank")
        yield said(settings, environment, prediction)


def say(voice: Speaker, benchmark: Benchmark, step: Step, blank: bool = False) -> Prediction:
    """The right answer. What the dialect cannot express is an answer that cannot be read, with the reason."""
    view = benchmark.oracle_view(step)
    size = _size(step.views[view], blank)
    try:
        resize = voice.resize(size)
    except ImageError as error:
        raise step.views[view].unusable(error) from error
    try:
        text = voice.dialect.write(step.thought, benchmark.oracle(step, size), resize)
    except DialectError as error:
        return Prediction(("",), (), resize, voice.dialect.name, (view,), str(error))
    return voice.predict((text,), size, (view,), benchmark.capabilities)


def _size(picture: Picture, blank: bool) -> Size:
    if picture.exists or not blank:
        return picture.size()
    if picture.stated is None:
        raise DataError(f"{picture.where}: the image {picture.name} is missing and its size is not stated")
    return picture.stated
