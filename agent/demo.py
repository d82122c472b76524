"""Playground episodes one after the other, on one kind of screen or several, and the tables that list them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent import costs
from agent.config import Config
from agent.console import Silent, Terminal
from agent.errors import RecordError
from agent.recorded_episode import Closing, run_recorded
from agent.recorder import write_atomically
from agent.records import Result, StepRecord
from agent.report import build_report
from agent.report.html import render
from agent.report.views import CACHE
from agent.runs import load_run
from agent.text import number, plain, share
from envs.base import EnvironmentDied
from guikv.files import replace_file

if TYPE_CHECKING:
    from guikv.models import Adapter


@dataclass(frozen=True)
class Outcome:
    """One episode: on which screen, what was asked, how it ended, what it cost in all."""

    screen: str
    task: str
    seed: int
    goal: str
    result: Result
    cost: Mapping[str, Any]
    report: Path

    @property
    def new(self) -> int:
        return int(self.cost.get("tokens_new", 0))

    @property
    def reused(self) -> int:
        return int(self.cost.get("tokens_reused", 0))

    @property
    def row(self) -> tuple[str, ...]:
        """Cells for tables, as in COLUMNS."""
        cache = share(self.cost.get("kv_bytes", 0), self.cost.get("full_kv_bytes", 0))
        outcome = "done" if self.result.success else self.result.status
        steps, seconds = str(self.result.steps), f"{self.result.seconds:.1f} s"
        reused = _percent(self.reused, self.new)
        cells = (outcome, steps, seconds, number(self.new), reused, cache)
        return f"{self.task} {self.seed}", self.screen, self.goal, MEMORY.get(self.task, "–"), *cells


MEMORY = {
    "remember_1": "code, 1 back",
    "remember_2": "code, 2 back",
    "remember_3": "code, 3 back",
    "order": "list, 1+ back",
}
"""Playground task → what only an earlier screen showed, and how many screens ago.

The others can be done from what is on the screen.
"""

COLUMNS = ("task", "screen", "goal", "from memory", "outcome", "steps", "time", "tokens", "reused", "cache")
"""tokens: computed, as against reused ones; cache: at the end, of the full cache's."""

GOAL, OUTCOME = COLUMNS.index("goal"), COLUMNS.index("outcome")


def total_row(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Sums of the rows, as in COLUMNS."""
    new, reused = sum(o.new for o in outcomes), sum(o.reused for o in outcomes)
    done = f"{sum(o.result.success for o in outcomes)} of {len(outcomes)}"
    steps = str(sum(o.result.steps for o in outcomes))
    seconds = f"{sum(o.result.seconds for o in outcomes):.1f} s"
    return "total", "", "", "", done, steps, seconds, number(new), _percent(reused, new), ""


def by_screen(outcomes: Sequence[Outcome]) -> tuple[tuple[str, ...], ...]:
    """Successes per task and screen as a table with its head; empty where there is one screen only."""
    screens = tuple(dict.fromkeys(o.screen for o in outcomes))
    if len(screens) < 2:
        return ()
    rows = [("task", *screens)]
    for task in (*dict.fromkeys(o.task for o in outcomes), "all"):
        cells = []
        for screen in screens:
            of = [o for o in outcomes if o.screen == screen and task in (o.task, "all")]
            cells.append(f"{sum(o.result.success for o in of)} of {len(of)}")
        rows.append((task, *cells))
    steps = [[o.result for o in outcomes if o.screen == screen] for screen in screens]
    per_step = (sum(r.seconds for r in of) / max(1, sum(r.steps for r in of)) for of in steps)
    rows.append(("seconds a step", *(f"{seconds:.2f}" for seconds in per_step)))
    return tuple(rows)


def _percent(reused: int, new: int) -> str:
    return f"{100 * reused / (new + reused):.0f} %" if new + reused else "–"


@dataclass
class Tally(Silent):
    """A console that shows step lines and adds up what they cost."""

    terminal: Terminal
    cost: Mapping[str, Any]

    def step(self, record: StepRecord) -> None:
        self.terminal.step(record)
        self.cost = costs.add(self.cost, record.cost) if self.cost else dict(record.cost)


def run_demo(
    config: Config,
    adapter: Adapter,
    episodes: Sequence[tuple[str, int]],
    folder: Path,
    screens: Sequence[str] = ("browser",),
) -> list[Outcome]:
    """Run the episodes on each kind of screen; ends early when one is stopped.

    A screen that dies ends its own episodes only. Each leaves its record and report under `folder`.
    """
    outcomes: list[Outcome] = []
    for screen in screens:
        outcomes += _on_screen(config, adapter, episodes, folder, screen)
        if outcomes and outcomes[-1].result.status == "stopped":
            break
    return outcomes


def _on_screen(
    config: Config, adapter: Adapter, episodes: Sequence[tuple[str, int]], folder: Path, screen: str
) -> list[Outcome]:
    from agent.assemble import browser_options
    from envs.playground.page import WHEEL_PIXELS
    from envs.playground.screens import SCREENS

    outcomes: list[Outcome] = []
    options = replace(browser_options(config), url=None, allow_hosts=(), wheel_pixels=WHEEL_PIXELS)
    playground = SCREENS[screen](options)
    with Closing(playground):
        for task, seed in episodes:
            playground.load(task, seed)
            terminal = Terminal()
            terminal.write(f"{screen}: {task} {seed}: {playground.goal}")
            tally = Tally(terminal, {})
            run = folder / f"{screen}-{task}-{seed}"
            facts = {"playground": f"{task} {seed}", "screen": screen}
            result = run_recorded(config, adapter, playground, playground.goal, run, tally, facts)
            report = build_report(load_run(run))
            outcomes.append(Outcome(screen, task, seed, playground.goal, result, tally.cost, report))
            terminal.end(result)
            if result.status == "stopped" or (result.error and result.error.type == EnvironmentDied.__name__):
                break
    return outcomes


_NARROW, _MOST = 120, 150
"""Widths of a terminal: below the first there is no room for _EXTRA, and the second is enough."""
_EXTRA, _RIGHT = ("goal", "tokens"), ("steps", "time", "tokens", "reused")


def show_tables(screen: Console, outcomes: Sequence[Outcome]) -> None:
    """A table for each kind of screen, one row an episode, and the total; then successes per task on each of several.

    Goals and tokens, which were shown above, only where there is room.
    """
    for kind in dict.fromkeys(outcome.screen for outcome in outcomes):
        _show_kind(screen, kind, [outcome for outcome in outcomes if outcome.screen == kind])
    rows = by_screen(outcomes)
    if not rows:
        return
    table = Table(title="the same pages on each screen", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, name in enumerate(rows[0]):
        table.add_column(name, justify="right" if place else "left")
    for row in rows[1:]:
        if row[0] == "all":
            table.add_section()
        table.add_row(*row)
    screen.print(table)


def _show_kind(screen: Console, kind: str, outcomes: Sequence[Outcome]) -> None:
    done = sum(outcome.result.success for outcome in outcomes)
    wide = screen.width >= _NARROW
    shown = [n for n, name in enumerate(COLUMNS) if name != "screen" and (wide or name not in _EXTRA)]
    width = min(screen.width, _MOST) if wide else None
    title = f"{kind}: {done} of {len(outcomes)} tasks done"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=width)
    for name in (COLUMNS[n] for n in shown):
        table.add_column(
            name,
            justify="right" if name in _RIGHT else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if name == "goal" else None,  # only the goal gives way
        )
    for outcome in outcomes:
        cells = [Text(plain(cell, 60)) for cell in outcome.row]
        cells[OUTCOME].stylize("green" if outcome.result.success else "red")
        table.add_row(*(cells[n] for n in shown))
    table.add_section()
    table.add_row(*(total_row(outcomes)[n] for n in shown))
    screen.print(table)


def write_index(folder: Path, config: Config, outcomes: Sequence[Outcome]) -> Path:
    """A page that lists the episodes with links to their reports, and the same as demo.json. Raises RecordError."""
    done = sum(outcome.result.success for outcome in outcomes)
    remembered = [outcome.result.success for outcome in outcomes if outcome.task in MEMORY]
    html = render(
        "agent.report",
        "index.html.j2",
        done=done,
        total=len(outcomes),
        remembered=sum(remembered),
        from_memory=len(remembered),
        columns=COLUMNS,
        goal_column=GOAL,
        outcome_column=OUTCOME,
        by_screen=by_screen(outcomes),
        rows=[(o.result.success, o.report.relative_to(folder).as_posix(), o.row) for o in outcomes],
        total_row=total_row(outcomes),
        facts=[("model", config.model.name), *((name, getattr(config.cache, name)) for name in CACHE)],
    )
    path = folder / "index.html"
    summary = {
        "done": done,
        "total": len(outcomes),
        "config": config.model_dump(mode="json"),
        "episodes": [
            {"screen": o.screen, "task": o.task, "seed": o.seed, "goal": o.goal}
            | {**o.result.to_dict(), "cost": dict(o.cost)}
            for o in outcomes
        ],
    }
    try:
        replace_file(path, html.encode(errors="replace"))
        write_atomically(folder / "demo.json", summary)
    except OSError as error:
        raise RecordError(f"the demo's page {path} cannot be written: {error.strerror or error}") from error
    return path
