"""One step: screenshot, model, parsing, approval, execution. What it did comes back as values."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

from agent import costs
from agent.approval import Approver
from agent.config import LoopSettings
from agent.dialects import Dialect, Parsed
from agent.errors import ParseError
from agent.history import History, Observation, Turn
from agent.interrupts import Interrupts
from agent.model import Brain, Generation, PatchMap
from agent.records import Failure, Kept, Stage
from agent.text import plain
from envs.base import Environment, HiddenScreen, ScreenshotError
from envs.geometry import Resize, Size, Viewport
from guikv.content import Frame, Reply

HIDDEN = "There is no picture of the screen now: {why}."
REASK = "Your last answer could not be read: {why}. Answer again in the format that was asked for."


class StageError(Exception):
    """Something failed in `stage`; the cause is the original error."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.stage = stage


@dataclass
class Clock:
    """Seconds by phase, added up over a step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@contextmanager
def stage(name: Stage) -> Iterator[None]:
    """Any exception inside becomes a StageError that knows where it came from."""
    try:
        yield
    except StageError:
        raise
    except Exception as error:
        raise StageError(name) from error


@dataclass(frozen=True)
class Players:
    """Everyone who takes part in an episode."""

    brain: Brain
    environment: Environment
    dialect: Dialect
    approver: Approver
    interrupts: Interrupts
    settings: LoopSettings
    task: str


@dataclass(frozen=True)
class Thinking:
    """What the model made of a screenshot. `parsed` is None when even the second answer could not be read."""

    history: History
    parsed: Parsed | None
    raw: tuple[str, ...]
    reply_ids: tuple[tuple[int, ...], ...]
    finished: tuple[bool, ...]
    cost: Mapping[str, Any]
    kept: Mapping[int, Kept]
    resize: Resize
    error: Failure | None = None


@dataclass(frozen=True)
class Sight:
    """What is to be seen, and the environment's facts. A protected screen has no `image` but `hidden` says why."""

    image: Image.Image | None
    viewport: Viewport
    facts: Mapping[str, str]
    hidden: str = ""


def look(
    players: Players, clock: Clock, last: Viewport | None = None, sleep: Callable[[float], None] = time.sleep
) -> Sight:
    """A screenshot and the facts, tried again on ScreenshotError. Raises StageError.

    `last` is the viewport of the screenshot before, which a protected screen is taken to have.
    """
    with stage("screenshot"), clock.phase("screenshot"):
        for attempt in range(players.settings.screenshot_retries + 1):
            try:
                seen = players.environment.screenshot()
                return Sight(seen.image, seen.viewport, dict(players.environment.context()))
            except HiddenScreen as hidden:
                viewport = hidden.viewport or last
                if viewport is None:
                    raise
                why = plain(hidden.message, 200).rstrip(".")
                return Sight(None, viewport, dict(players.environment.context()), why)
            except ScreenshotError:
                if attempt == players.settings.screenshot_retries:
                    raise
                sleep(players.settings.retry_pause)
    raise AssertionError("unreachable: the last attempt returns or raises")


def think(
    players: Players,
    history: History,
    sight: Sight,
    number: int,
    notes: tuple[str, ...],
    keep: Callable[[Thinking], None],
) -> Thinking:
    """Ask the model; ask once more when its answer cannot be read. Raises StageError and Stopped.

    `keep` is given every answer at once, so that the record has it whatever comes next.
    """
    if sight.image is None:
        observation = Observation(None, (*notes, HIDDEN.format(why=sight.hidden)))
    else:
        observation = Observation(Frame(sight.image, number), notes)
    answers: list[Generation] = []
    cost: dict[str, Any] = {}
    with stage("model"):
        seen = sight.viewport.screenshot
        width, height = players.brain.image_size((seen.width, seen.height))
    resize = Resize(seen, Size(width, height))
    for _ in range(players.settings.reasks + 1):
        with stage("model"):
            players.brain.extend(players.dialect.render(players.task, history, observation))
            players.brain.compress()
            generation = players.brain.generate(players.settings.max_new_tokens)
            cost = costs.add(cost, players.brain.cost()) if cost else dict(players.brain.cost())
            kept = {frame: pack(patches) for frame, patches in players.brain.kept_patches().items()}
        answers.append(generation)
        history = history.add(Turn(observation, Reply(generation.ids, generation.text)))
        raw, ids, finished = zip(*((a.text, a.ids, a.finished) for a in answers), strict=True)
        result = Thinking(history, None, raw, ids, finished, cost, kept, resize)
        keep(result)
        players.interrupts.check()
        with stage("parse"):
            try:
                parsed = players.dialect.parse(generation.text, resize, players.environment.capabilities)
            except ParseError as error:
                why = error.message if generation.finished else f"it was cut off after {len(generation.ids)} tokens"
                observation = Observation(None, (REASK.format(why=why),))
                result = replace(result, error=Failure.of("parse", error))
                continue
        return replace(result, parsed=parsed, error=None)
    return result


def pack(patches: PatchMap) -> Kept:
    """Shares 0..1 as one digit each: 9 is all heads of all layers."""
    digits = np.rint(np.asarray(patches.kept) * 9).clip(0, 9).astype(np.uint8) + ord("0")
    return Kept(patches.rows, patches.cols, digits.tobytes().decode("ascii"))
