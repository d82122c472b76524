"""The oracle: the right answer, written in a dialect, read by its parser, and scored like any other.

What it does not get is lost by dialect or scorer, so this is how both are checked.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from functools import partial

from agent.dialects import Dialect
from agent.errors import DialectError
from envs.actions import dump_action
from envs.geometry import Resize, Size
from eval.benchmarks.base import Benchmark, Step, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.pictures import Picture
from eval.metrics.prediction import Prediction
from eval.replay.environment import Recorded
from eval.replay.make_row import or_skipped, oracle_row
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
        yield or_skipped(settings, environment, partial(_row, settings, environment, voice))


def _row(settings: ReplaySettings, environment: Recorded, voice: Speaker) -> Row:
    prediction = oracle_prediction(voice, environment.benchmark, environment.step, settings.missing == "blank")
    return oracle_row(settings, environment, prediction)


def oracle_prediction(voice: Speaker, benchmark: Benchmark, step: Step, blank: bool = False) -> Prediction:
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


def gold_answer(benchmark: Benchmark, step: Step, dialect: Dialect, resize: Resize) -> str:
    """What a model that knows the answer would say; an action that the family cannot express is told as JSON."""
    actions = benchmark.oracle(step, resize.screenshot)
    try:
        return dialect.write(step.thought, actions, resize)
    except DialectError:
        told = json.dumps([dump_action(action) for action in actions], ensure_ascii=False)
        return f"{step.thought}\n{told}" if step.thought else told
