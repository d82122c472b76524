"""MiniWoB, task by task, through the agent's own loop in one browser: pages that no model here was trained on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from agent.approval import Allow
from agent.assemble import loop_settings, make_brain, make_dialect
from agent.config import Config
from agent.dialects import Dialect
from agent.errors import ConfigError
from agent.interrupts import Interrupts, shielded
from agent.loop import run_episode
from envs.base import EnvError, SetupError
from envs.browser import BrowserOptions
from envs.miniwob import MiniWob, task_names
from eval.bench.rows import append_row
from eval.live.episodes import TRIES, EvalError, Meter, NoRecord
from eval.live.miniwob_rows import CSV, Row, read_rows
from eval.live.plan import make_config
from eval.options import listed
from eval.study.run import weights_of
from guikv.files import make_folder

if TYPE_CHECKING:
    from guikv.models import Adapter

EXCLUDED: dict[str, tuple[str, ...]] = {
    "drag: something must be moved while the button is held": (
        "daily-calendar", "drag-box", "drag-circle", "drag-cube", "drag-items", "drag-items-grid", "drag-shapes",
        "drag-shapes-2", "drag-single-shape", "drag-sort-numbers", "draw-circle", "draw-line", "resize-textarea",
    ),
    "select text: a drag, a double click or a chord": ("highlight-text", "highlight-text-2", "text-editor"),
    "chord: made for Ctrl-C and Ctrl-V": ("copy-paste", "copy-paste-2"),
    "hover: the pointer must stay on something that moves or changes": ("chase-circle", "hover-shape"),
}  # fmt: skip
"""Reason → tasks that click, type, scroll and finished cannot express. Who has one solvable episode stays."""

SCREEN = (280, 280)
"""The screen that nano was trained on, in CSS pixels."""
_STILL_SECONDS = 1.0
"""Some pages never stand still; no longer than this is waited for them."""
_REPLY_SECONDS = 30.0


@dataclass(frozen=True)
class Plan:
    """What is to be run. seeds: episodes 0 … seeds-1 of every task; zoom: 0 for SCREEN, else of the task area alone."""

    config: Config
    tasks: tuple[str, ...]
    seeds: int
    zoom: int = 0

    @property
    def settings(self) -> str:
        """Everything but the weights that a task's result depends on."""
        cache = self.config.cache
        options = " ".join(f"{name}={value}" for name, value in sorted(cache.options.items()))
        words = (
            cache.policy, options, cache.budget, cache.moment, cache.window, f"history={cache.history}",
            f"steps={self.config.limits.steps}", f"zoom={self.zoom}",
        )  # fmt: skip
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class Outcome:
    """One episode. seconds: of wall time, with loading; the bytes are sums over its steps."""

    status: str
    reward: float
    steps: int
    seconds: float
    kv_bytes: int
    full_kv_bytes: int


def bench_config(
    model: str, policy: str, options: Iterable[str], budget: str, moment: str, window: str, history: int, steps: int
) -> Config:
    """Settings of every episode. Raises ConfigError and PolicyError."""
    config = make_config(model, policy, tuple(options), budget, moment, window, history)
    return config.model_copy(update={"limits": config.limits.model_copy(update={"steps": steps})})


def choose_tasks(text: str = "") -> tuple[str, ...]:
    """`a,b` → names; empty: all that can be expressed. Raises ConfigError, and SetupError without the package."""
    known = task_names()
    why = {task: reason for reason, tasks in EXCLUDED.items() for task in tasks}
    names = listed(text)
    for name in names:
        if name in why:
            raise ConfigError(f"--tasks: {name} cannot be solved by clicks, typing and scrolling", why[name])
        if name not in known:
            raise ConfigError(f"--tasks: there is no task {name!r}", f"there are {', '.join(known)}")
    return names or tuple(name for name in known if name not in why)


class Screen(AbstractContextManager["Screen"]):
    """One browser for all episodes, started anew when it is gone."""

    def __init__(self, zoom: int) -> None:
        self._zoom = zoom
        self._page: MiniWob | None = None

    def show(self, task: str, seed: int) -> MiniWob:
        """The task at its beginning. Raises EnvError."""
        if self._page is None:
            options = BrowserOptions(wheel_pixels=40, stable_seconds=_STILL_SECONDS, reply_seconds=_REPLY_SECONDS)
            viewport = None if self._zoom else SCREEN
            self._page = MiniWob.launch(task, seed, max(1, self._zoom), options=options, viewport=viewport)
        else:
            self._page.load(task, seed)
        return self._page

    def close(self) -> None:
        with shielded():
            if self._page is not None:
                self._page.close()
                self._page = None

    def __exit__(self, *exc: object) -> None:
        self.close()


def run_bench(
    plan: Plan,
    adapter: Adapter,
    out: Path,
    tell: Callable[[str, Outcome | None], None] = lambda task, outcome: None,
) -> dict[str, Row]:
    """Run every task that `out` does not have yet, one CSV row for each, and return the rows of all.

    `tell` is called after each episode, and once with None for a task that was there already. A task of which no
    episode could be run counts as never solved and gets no line in the file, so that it is tried again next time.
    Raises KeyboardInterrupt when stopped, SetupError without a browser, EvalError where the model fails.
    """
    make_folder(out)
    path, weights, dialect = out / CSV, weights_of(adapter), make_dialect(plan.config, adapter)
    there = read_rows(path, plan.settings, weights, plan.seeds)
    rows = {}
    with Screen(plan.zoom) as screen:
        for task in plan.tasks:
            if task in there:
                rows[task] = there[task]
                tell(task, None)
                continue
            outcomes = []
            for seed in range(plan.seeds):
                outcomes.append(_run_one(plan, adapter, dialect, screen, task, seed))
                tell(task, outcomes[-1])
            rows[task] = _row(plan, task, weights, outcomes)
            if any(outcome.status != "error" for outcome in outcomes):
                append_row(path, rows[task])
    return rows


def _run_one(plan: Plan, adapter: Adapter, dialect: Dialect, screen: Screen, task: str, seed: int) -> Outcome:
    """One episode, tried again in a new browser where it was spoiled; after TRIES it has failed as an error."""
    for number in range(TRIES):
        begun = time.monotonic()
        try:
            outcome = _play(plan, adapter, dialect, screen.show(task, seed), begun)
        except EnvError as error:
            outcome = None
            if isinstance(error, SetupError) and number == TRIES - 1:
                raise
        if outcome is not None:
            return outcome
        screen.close()
    return Outcome("error", 0.0, 0, 0.0, 0, 0)


def _play(plan: Plan, adapter: Adapter, dialect: Dialect, page: MiniWob, begun: float) -> Outcome | None:
    """The page's episode, or None where the page or the browser spoiled it. Raises EnvError likewise."""
    meter, interrupts = Meter(), Interrupts(write=lambda text: None, interactive=False)
    brain = make_brain(plan.config.cache, adapter)
    try:
        settings = loop_settings(plan.config)
        result = run_episode(brain, page, page.goal, dialect, settings, Allow(), NoRecord(), meter, interrupts)
    finally:
        brain.close()
    if result.status == "stopped":
        raise KeyboardInterrupt
    if result.error is None:
        reward, seconds = page.reward, time.monotonic() - begun
        return Outcome(result.status, reward, result.steps, seconds, meter.kv_bytes, meter.full_kv_bytes)
    if result.error.stage == "model":
        raise EvalError(f"{page.task} {page.seed}: {result.reason}")
    return None


def _row(plan: Plan, task: str, weights: str, outcomes: list[Outcome]) -> Row:
    steps = max(1, sum(o.steps for o in outcomes))
    ended = Counter(o.status for o in outcomes)
    return Row(
        task=task,
        n=len(outcomes),
        success=ended["success"] / len(outcomes),
        reward=mean(o.reward for o in outcomes),
        steps=mean(o.steps for o in outcomes),
        seconds=mean(o.seconds for o in outcomes),
        kv_bytes=sum(o.kv_bytes for o in outcomes) / steps,
        kv_bytes_full=sum(o.full_kv_bytes for o in outcomes) / steps,
        ended=" ".join(f"{status}={count}" for status, count in sorted(ended.items())),
        settings=plan.settings,
        weights=weights,
    )
