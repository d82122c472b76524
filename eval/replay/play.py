"""One trajectory in one session: screenshot, dialect, session, policy and parser are those of a live run.

The cache persists across the steps. With `history: own` what the model said stays as it was said; with `gold` its
answer gives way to the recorded one before the next step, which cuts the session back to the end of the screenshot.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from agent.approval import Allow
from agent.assemble import make_brain, make_dialect
from agent.config import CacheConfig, LoopSettings
from agent.history import History, Observation, Turn
from agent.interrupts import Interrupts
from agent.step import Clock, Players, StageError, Thinking, look, think
from envs.geometry import Resize, Size
from eval.benchmarks.base import Benchmark, Trajectory
from eval.replay.environment import Recorded
from eval.replay.make_row import answered_row, or_skipped
from eval.replay.oracle import gold_answer, play_oracle
from eval.replay.settings import DRAWS, ReplaySettings
from eval.rows import Row
from guikv.content import Frame, Reply
from guikv.errors import ImageError

if TYPE_CHECKING:
    from guikv.models import Adapter

MOST_ANSWERS = 5
"""To views of one step (as in the reference evaluation of Mind2Web)."""


def play(
    settings: ReplaySettings, benchmark: Benchmark, trajectory: Trajectory, adapter: Adapter | None
) -> Generator[Row, None, None]:
    """A row for every step. `adapter` is None for the oracle.

    Raises DataError for images that are missing, and that are damaged if the settings do not leave those out; and the
    typed errors of settings and model.
    """
    if adapter is None:
        yield from play_oracle(settings, benchmark, trajectory)
        return
    # What an earlier trajectory left there would show up in the costs.
    adapter.vision_cache.clear()
    config = settings.config
    dialect = make_dialect(config, adapter, benchmark.kind, benchmark.capabilities)
    brain = make_brain(seeded(config.cache, settings.seed), adapter, config.sampling)
    environment = Recorded(benchmark, trajectory)
    limits = LoopSettings(max_new_tokens=config.model.max_new_tokens, screenshot_retries=0, reasks=0)
    players = Players(brain, environment, dialect, Allow(), Interrupts(), limits, trajectory.goal)
    player = _Player(settings, players, environment, adapter)
    try:
        for index in range(len(trajectory.steps)):
            environment.go(index)
            yield or_skipped(settings, environment, player.step)
    finally:
        brain.close()


def seeded(cache: CacheConfig, seed: int) -> CacheConfig:
    """The settings with the seed, for the policy that draws."""
    if cache.policy != DRAWS:
        return cache
    return cache.model_copy(update={"options": {"seed": seed, **cache.options}})


class _Player:
    """The history so far, and the number of pictures shown."""

    def __init__(self, settings: ReplaySettings, players: Players, environment: Recorded, adapter: Adapter) -> None:
        self.settings, self.players, self.environment, self.adapter = settings, players, environment, adapter
        self.history = History()
        self.shown = 0

    def step(self) -> Row:
        """Answers until no other view is asked for; only then are they a part of the history."""
        environment, history, clock = self.environment, self.history, Clock()
        answers: list[Thinking] = []
        views: list[int] = []
        while True:
            answers.append(self._answer(history, clock))
            views.append(environment.view)
            history = answers[-1].history
            parsed = answers[-1].parsed
            if len(views) == MOST_ANSWERS or parsed is None or not environment.move(parsed.actions):
                break
        if self.settings.history == "gold":
            history = self.history.add(self._gold_turn(answers[-1], views[-1]))
        self.history = history
        return answered_row(self.settings, environment, self.players.dialect, answers, views, clock)

    def _answer(self, history: History, clock: Clock) -> Thinking:
        note = self.environment.step.note
        failure: BaseException
        try:
            sight = look(self.players, clock)
            thinking = think(self.players, history, sight, self.shown, (note,) if note else (), lambda _: None)
            self.shown += 1
            return thinking
        except StageError as error:
            failure = error.__cause__ or error
        # Out of the handler: raised inside, the cause would get what it caused as its context, and they form a ring.
        if isinstance(failure, ImageError):
            raise self.environment.step.views[self.environment.view].unusable(failure) from failure
        raise failure

    def _gold_turn(self, last: Thinking, view: int) -> Turn:
        """The right answer to the view that it belongs to."""
        step, benchmark = self.environment.step, self.environment.benchmark
        observation, resize = last.history.turns[-1].observation, last.resize
        wanted = benchmark.oracle_view(step)
        if wanted != view:
            frame = Frame(step.views[wanted].load(), self.shown)
            observation = Observation(frame, observation.notes)
            resize = Resize(Size(*frame.image.size), Size(*self.adapter.image_size(frame.image.size)))
            self.shown += 1
        text = gold_answer(benchmark, step, self.players.dialect, resize)
        tokenizer = self.adapter.tokenizer
        ids = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        return Turn(observation, Reply(tuple(ids), text))
