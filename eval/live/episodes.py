"""Playground episodes through the agent's own loop, one after the other in one browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from agent.approval import Allow
from agent.assemble import load_adapter, loop_settings, make_brain, make_dialect, run_header
from agent.console import Silent
from agent.dialects import Dialect
from agent.interrupts import Interrupts, Stopped, shielded
from agent.loop import StepRecorder, run_episode
from agent.model import SessionBrain
from agent.recorder import Recorder
from agent.records import Result, StepRecord
from envs.base import EnvError
from envs.playground.pages import chance_of
from eval.live.altered_screens import AlteredPlayground
from eval.live.brains import ForgetfulBrain
from eval.live.plan import Episode, Plan
from guikv.errors import GuikvError

if TYPE_CHECKING:
    from guikv.models import Adapter

TRIES = 3
"""An episode that the browser or the machine spoiled is run again before the evaluation gives up."""


class EvalError(GuikvError):
    """An evaluation cannot go on: an episode could not be run, or a worker is gone."""


@dataclass(frozen=True)
class Outcome:
    """One episode. seconds, kv_bytes and full_kv_bytes are sums over its steps; chance is 0 to 1."""

    task: str
    seed: int
    status: str
    reason: str
    steps: int
    chance: float
    seconds: float
    kv_bytes: int
    full_kv_bytes: int

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

    def write(self, record: StepRecord, image: Image.Image | None) -> None:
        return

    def finish(self, result: Result) -> None:
        return


class Screen(AbstractContextManager["Screen"]):
    """A playground that can be started anew when its browser is gone."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._playground: AlteredPlayground | None = None

    def show(self, task: str, seed: int) -> AlteredPlayground:
        """The page at its beginning, in the browser that runs or a new one. Raises EnvError."""
        playground = self._playground
        if playground is None:
            playground = self._playground = AlteredPlayground.launch(task, seed)
            playground.blank, playground.shift = self._plan.blank, self._plan.shift
        playground.load(task, seed)
        return playground

    def close(self) -> None:
        with shielded():
            if self._playground is not None:
                self._playground.close()
                self._playground = None

    def __exit__(self, *exc: object) -> None:
        self.close()


def run_all(
    plan: Plan,
    episodes: Sequence[Episode],
    tell: Callable[[Outcome], None],
    interrupts: Callable[[], Interrupts] = lambda: Interrupts(write=lambda text: None, interactive=False),
) -> None:
    """Run the episodes and `tell` of each as it ends.

    Raises KeyboardInterrupt when one was stopped, EvalError when one cannot be run, and the typed errors of model,
    settings and browser. The browser is closed in any case.
    """
    adapter = load_adapter(plan.config)
    dialect = make_dialect(plan.config, adapter)
    with Screen(plan) as screen:
        for task, seed in episodes:
            try:
                interrupts().check()
            except Stopped as stop:
                raise KeyboardInterrupt from stop
            tell(_run_one(plan, adapter, dialect, screen, (task, seed), interrupts))


def _run_one(
    plan: Plan,
    adapter: Adapter,
    dialect: Dialect,
    screen: Screen,
    episode: Episode,
    interrupts: Callable[[], Interrupts],
) -> Outcome:
    task, seed = episode
    why = ""
    for number in range(TRIES):
        meter = Meter()
        try:
            playground = screen.show(task, seed)
        except EnvError as error:
            why = str(error)
            screen.close()
            continue
        brain = new_brain(plan, adapter)
        try:
            recorder = _recorder(plan, adapter, dialect, episode, number)
            settings, goal = loop_settings(plan.config), playground.goal
            result = run_episode(brain, playground, goal, dialect, settings, Allow(), recorder, meter, interrupts())
        finally:
            brain.close()
        if result.status == "stopped":
            raise KeyboardInterrupt
        if result.status != "error":
            sums = (meter.seconds, meter.kv_bytes, meter.full_kv_bytes)
            return Outcome(task, seed, result.status, result.reason, result.steps, chance_of(task, seed), *sums)
        why = result.reason
        screen.close()
    raise EvalError(f"{task} {seed} could not be run, {TRIES} times: {why}")


def new_brain(plan: Plan, adapter: Adapter) -> SessionBrain:
    """A fresh memory for one episode."""
    brain = make_brain(plan.config.cache, adapter)
    return ForgetfulBrain(brain.session, brain.adapter) if plan.forget else brain


def _recorder(plan: Plan, adapter: Adapter, dialect: Dialect, episode: Episode, number: int) -> StepRecorder:
    if plan.out is None:
        return NoRecord()
    name = f"{episode[0]}-{episode[1]}" + (f"-again-{number}" if number else "")
    header = run_header(plan.config, adapter, name, "playground")
    facts = {"dialect": dialect.name, "playground": f"{episode[0]} {episode[1]}", "evaluation": plan.settings()}
    return Recorder.create(Path(plan.out) / name, {**header, **facts})
