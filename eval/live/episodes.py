"""Live episodes through the agent's own loop, one after the other in one browser, whatever the site."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image

from agent.approval import Allow
from agent.assemble import load_adapter, loop_settings, make_brain, make_dialect, run_header
from agent.config import CacheConfig
from agent.console import Silent
from agent.dialects import Dialect
from agent.interrupts import Interrupts, Stopped
from agent.loop import StepRecorder, run_episode
from agent.model import SessionBrain
from agent.recorder import Recorder
from agent.records import Result, StepRecord
from envs.base import EnvError, SetupError
from eval.live.plan import Episode, Page, Plan
from eval.sweep.events import Event, RowMade, Stopping, going_on
from eval.sweep.jobs import ALONE, JobRow, Key, finish_jobs
from eval.sweep.workers import Workers, shares_gpus
from guikv.content import Frame, Message
from guikv.errors import GuikvError
from guikv.models import version_of
from guikv.session import Session

if TYPE_CHECKING:
    from guikv.models import Adapter

ROWS = "episodes.jsonl"
TRIES = 3
"""An episode that the browser or the machine spoiled is run again before it is given up."""
PATIENCE = 30.0
"""Seconds that a player has for finishing its step and closing its browser."""


class EvalError(GuikvError):
    """An evaluation cannot go on: an episode could not be run."""


class EpisodeRow(JobRow):
    """One episode.

    steps: how many; seconds, kv_bytes, full_kv_bytes: sums over them; wall_seconds: with loading
    chance: 0 to 1, of somebody who picks blindly, where the site knows it; reward: -1 to 1, where it gives one
    """

    task: str
    seed: int
    status: str
    reason: str = ""
    steps: int = 0
    chance: float = 0.0
    seconds: float = 0.0
    kv_bytes: int = 0
    full_kv_bytes: int = 0
    reward: float = 0.0
    wall_seconds: float = 0.0

    @property
    def key(self) -> Key:
        return self.task, self.seed

    @property
    def kept(self) -> bool:
        return self.status != "error"

    @property
    def success(self) -> bool:
        return self.status == "success"


class Meter(Silent):
    """A console that shows nothing and adds up what the steps took."""

    def __init__(self) -> None:
        self.seconds, self.kv_bytes, self.full_kv_bytes = 0.0, 0, 0

    def step(self, record: StepRecord) -> None:
        self.seconds += record.seconds.get("total", 0.0)
        self.kv_bytes += int(record.cost.get("kv_bytes", 0))
        self.full_kv_bytes += int(record.cost.get("full_kv_bytes", 0))


class NoRecord:
    """A recorder that writes nothing down."""

    def decide(self, record: StepRecord, image: Image.Image | None) -> None:
        return

    def write(self, record: StepRecord, image: Image.Image | None) -> None:
        return

    def finish(self, result: Result) -> None:
        return


class QuietInterrupts(Interrupts):
    """Ctrl-C, and the word of whoever gave the job, stop at the next stage, without a question."""

    def __init__(self, stopping: Stopping) -> None:
        super().__init__(write=lambda text: None, interactive=False)
        self._stopping = stopping

    def __enter__(self) -> Interrupts:
        # Where Ctrl-C is ignored, it is the business of the process that started this one.
        return self if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else super().__enter__()

    def check(self) -> None:
        super().check()
        if self._stopping():
            raise Stopped("the evaluation was stopped")


class ForgetfulBrain(SessionBrain):
    """Removes all earlier turns, screenshots and replies, when a new screenshot comes, before it is prefilled.

    It must happen before: a token that was prefilled over old entries carries what it read there. For the same
    reason the replies go too: they were written with the old screenshots in sight. The opening (system text and
    task) stays; it is older than every screenshot. Being asked again about the same screenshot removes nothing.
    """

    def extend(self, messages: tuple[Message, ...]) -> None:
        newest = self.session.ledger.newest_frame
        numbers = [part.number for message in messages for part in message.parts if isinstance(part, Frame)]
        if newest is not None and numbers and max(numbers) > newest:
            forget(self.session)
        self.session.extend(messages)


@torch.inference_mode()
def forget(session: Session) -> None:
    """Remove every entry but those of protected text. The ledger keeps its rows, so prefixes are still shared."""
    ledger = session.ledger
    session.state = session.state.remove(~ledger.protected & ~ledger.dropped)


def new_brain(cache: CacheConfig, adapter: Adapter, forgetful: bool = False) -> SessionBrain:
    """A fresh memory for one episode."""
    brain = make_brain(cache, adapter)
    return ForgetfulBrain(brain.session, brain.adapter) if forgetful else brain


class EpisodePlayer:
    """Plays episodes of a plan. Model and browser are started when the first one needs them."""

    def __init__(self, plan: Plan, stopping: Stopping = going_on) -> None:
        self._plan, self._stopping = plan, stopping
        self._model: tuple[Adapter, Dialect] | None = None
        self._page: Page | None = None

    def play(self, job: Episode) -> Iterator[Event]:
        """The episode's row. Raises KeyboardInterrupt when it is to stop, EvalError where the episode cannot be run,
        SetupError without a browser, and the typed errors of model and settings."""
        interrupts = QuietInterrupts(self._stopping)
        try:
            interrupts.check()
        except Stopped as stop:
            raise KeyboardInterrupt from stop
        if self._model is None:
            if self._plan.threads:
                torch.set_num_threads(self._plan.threads)
            adapter = load_adapter(self._plan.config)
            self._model = adapter, make_dialect(self._plan.config, adapter)
        yield RowMade(self._until_it_runs(*self._model, job, interrupts))

    def close(self) -> None:
        """Close the browser."""
        if self._page is not None:
            self._page.close()
            self._page = None

    def _until_it_runs(self, adapter: Adapter, dialect: Dialect, job: Episode, interrupts: Interrupts) -> EpisodeRow:
        """The episode, in a new browser where it was spoiled before."""
        task, seed = job
        why = ""
        for number in range(TRIES):
            try:
                row = self._run(adapter, dialect, job, interrupts)
            except EnvError as error:
                if isinstance(error, SetupError) and number == TRIES - 1:
                    raise
                row = EpisodeRow(task=task, seed=seed, status="error", reason=str(error))
            if row.kept:
                return row
            why = row.reason
            self.close()
        if self._plan.site.gives_up:
            raise EvalError(f"{task} {seed} could not be run, {TRIES} times: {why}")
        return EpisodeRow(task=task, seed=seed, status="error", reason=why)

    def _run(self, adapter: Adapter, dialect: Dialect, job: Episode, interrupts: Interrupts) -> EpisodeRow:
        """One try. Raises EnvError, KeyboardInterrupt, and EvalError where the model fails."""
        plan, (task, seed), begun, meter = self._plan, job, time.monotonic(), Meter()
        page = self._page
        if page is None:
            page = self._page = plan.site.launch(task, seed)
        else:
            page.load(task, seed)
        with closing(new_brain(plan.config.cache, adapter, plan.forget)) as brain:
            recorder, settings = _recorder(plan, adapter, dialect, job), loop_settings(plan.config)
            result = run_episode(brain, page, page.goal, dialect, settings, Allow(), recorder, meter, interrupts)
        if result.status == "stopped":
            raise KeyboardInterrupt
        if result.error is not None and result.error.stage == "model":
            raise EvalError(f"{task} {seed}: {result.reason}")
        return EpisodeRow(
            task=task,
            seed=seed,
            status=result.status,
            reason=result.reason,
            steps=result.steps,
            seconds=meter.seconds,
            kv_bytes=meter.kv_bytes,
            full_kv_bytes=meter.full_kv_bytes,
            wall_seconds=time.monotonic() - begun,
            **plan.site.facts(page, task, seed),
        )


def run_episodes(
    plan: Plan,
    path: Path | None = None,
    workers: Workers = ALONE,
    tell: Callable[[EpisodeRow, bool], None] = lambda row, fresh: None,
) -> dict[Key, EpisodeRow]:
    """The rows of all episodes of a plan, by task and seed; those that the file has are not run again.

    Raises what `EpisodePlayer.play` and `finish_jobs` raise. Browsers are closed in any case.
    """
    settings = {"version": version_of(plan.config.model.name), **plan.identity()} if path is not None else None
    jobs: Mapping[Key, Any] = {episode: episode for episode in plan.episodes}
    make = partial(EpisodePlayer, plan)
    gpu = shares_gpus(plan.config)
    return finish_jobs(jobs, EpisodeRow, make, path, settings, workers, gpu, PATIENCE, tell)


def _recorder(plan: Plan, adapter: Adapter, dialect: Dialect, episode: Episode) -> StepRecorder:
    if plan.records is None:
        return NoRecord()
    task, seed = episode
    name, number = f"{task}-{seed}", 0
    while (plan.records / name).exists():  # an earlier try, or a run that was stopped there
        number += 1
        name = f"{task}-{seed}-again-{number}"
    header = run_header(plan.config, adapter, name, plan.site.name)
    facts = {"dialect": dialect.name, plan.site.name: f"{task} {seed}", "evaluation": plan.identity()}
    return Recorder.create(plan.records / name, {**header, **facts})
