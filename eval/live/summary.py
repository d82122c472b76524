"""From the rows of live episodes to numbers, as JSON and as tables, for the playground and for MiniWoB."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.progress_bar import ProgressBar
from rich.table import Table

from agent.text import share
from eval.live.episodes import EpisodeRow
from eval.live.plan import HELD_OUT, Plan
from eval.metrics.measures import interval

Columns = dict[str, Callable[[Mapping[str, Any]], str]]
"""Heading → what stands there of a task."""


def summarise(plan: Plan, rows: Sequence[EpisodeRow], per_minute: float, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The result on the playground. success, interval and chance are fractions.

    per_minute: episodes that were played now; settings: what is told beside those of the plan
    Means of bytes and of seconds are over all steps of all episodes.
    """
    steps = sum(row.steps for row in rows)
    return {
        "tasks": {task: _playground_task([row for row in rows if row.task == task]) for task in plan.tasks},
        "kv_bytes_mean": round(sum(row.kv_bytes for row in rows) / steps, 1),
        "kv_bytes_full_mean": round(sum(row.full_kv_bytes for row in rows) / steps, 1),
        "seconds_per_step": round(sum(row.seconds for row in rows) / steps, 4),
        "episodes_per_minute": round(per_minute, 2),
        "settings": {
            "seeds": f"{plan.seeds.start}:{plan.seeds.stop}",
            "held_out": plan.seeds.stop <= HELD_OUT,
            **plan.identity(),
            **settings,
        },
    }


def _playground_task(rows: Sequence[EpisodeRow]) -> dict[str, Any]:
    n, good = len(rows), sum(row.success for row in rows)
    return {
        "success": round(good / n, 4),
        "n": n,
        "interval": round(interval(good, n), 4),
        "chance": round(mean(row.chance for row in rows), 4),
        "steps": round(mean(row.steps for row in rows), 2),
        "ended": dict(sorted(Counter(row.status for row in rows).items())),
    }


def result_table(result: Mapping[str, Any]) -> Table:
    """One row a task of the playground."""
    s = result["settings"]
    method = f"{s['policy']} at {s['budget']}, {s['moment']}, {s['window']}, {s['history']} screenshots"
    special = [name for name, on in (("blank", s["blank"]), ("forget", s["forget"]), (s["shift"], s["shift"])) if on]
    cache = share(result["kv_bytes_mean"], result["kv_bytes_full_mean"])
    caption = (
        f"{', '.join([method, *special])}\ncache {cache} of the full one's; "
        f"{result['seconds_per_step']:.2f} s a step, {result['episodes_per_minute']:.0f} episodes a minute"
    )
    table = Table(title=f"{s['model']} live, seeds {s['seeds']}", caption=caption, box=SIMPLE_HEAD)
    columns: Columns = {"chance": lambda task: f"{100 * task['chance']:.1f} %", "n": _count, "steps": _steps}
    return _with_tasks(table, result, 1, columns)


def _count(task: Mapping[str, Any]) -> str:
    return str(task["n"])


def _steps(task: Mapping[str, Any]) -> str:
    return f"{task['steps']:.1f}"


def _with_tasks(
    table: Table, result: Mapping[str, Any], digits: int, columns: Columns, feet: tuple[str, str] = ("", "")
) -> Table:
    """The table with a row for each task: its success, drawn too, and what the columns make of it."""
    table.add_column("task", feet[0])
    table.add_column("success", feet[1], justify="right")
    table.add_column("", width=20)
    for name in columns:
        table.add_column(name, justify="left" if name == "ended" else "right")
    for name, task in result["tasks"].items():
        success = f"{100 * task['success']:.{digits}f} % ± {100 * task['interval']:.{digits}f}"
        drawn = ProgressBar(total=1.0, completed=task["success"], width=20)
        table.add_row(name, success, drawn, *(write(task) for write in columns.values()))
    return table


@dataclass(frozen=True)
class TaskRow:
    """One MiniWoB task, as the CSV has it.

    n: episodes; success: share of them with a reward above 0; reward: mean, -1 to 1, not reduced by the time taken
    steps, seconds: mean per episode, of wall time; kv_bytes, kv_bytes_full: mean per step
    ended: how many episodes ended how; weights: of which checkpoint
    """

    task: str
    n: int
    success: float
    reward: float
    steps: float
    seconds: float
    kv_bytes: float
    kv_bytes_full: float
    ended: str
    settings: str
    weights: str


def task_row(task: str, rows: Sequence[EpisodeRow], settings: str, weights: str) -> TaskRow:
    """A task's episodes as one row."""
    steps = max(1, sum(row.steps for row in rows))
    ended = Counter(row.status for row in rows)
    return TaskRow(
        task=task,
        n=len(rows),
        success=ended["success"] / len(rows),
        reward=mean(row.reward for row in rows),
        steps=mean(row.steps for row in rows),
        seconds=mean(row.wall_seconds for row in rows),
        kv_bytes=sum(row.kv_bytes for row in rows) / steps,
        kv_bytes_full=sum(row.full_kv_bytes for row in rows) / steps,
        ended=" ".join(f"{status}={count}" for status, count in sorted(ended.items())),
        settings=settings,
        weights=weights,
    )


def miniwob_summary(
    rows: Iterable[TaskRow], model: str, settings: str, excluded: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    """The result on MiniWoB, the best task first. Success is a fraction; `interval` half of the 95 % one of a task."""
    best = sorted(rows, key=lambda row: (-row.success, -row.reward, row.task))
    return {
        "tasks": {row.task: _miniwob_task(row) for row in best},
        "success_mean": round(mean(row.success for row in best), 4),
        "tasks_n": len(best),
        "tasks_solved": sum(row.success > 0 for row in best),
        "seconds_per_episode": round(mean(row.seconds for row in best), 3),
        "kv_bytes_mean": round(mean(row.kv_bytes for row in best), 1),
        "kv_bytes_full_mean": round(mean(row.kv_bytes_full for row in best), 1),
        "excluded": {reason: list(tasks) for reason, tasks in excluded.items()},
        "model": model,
        "weights": best[0].weights,
        "settings": settings,
    }


def _miniwob_task(row: TaskRow) -> dict[str, Any]:
    ended = dict(part.split("=") for part in row.ended.split())
    return {
        "success": round(row.success, 4),
        "n": row.n,
        "interval": round(interval(round(row.success * row.n), row.n), 4),
        "reward": round(row.reward, 4),
        "steps": round(row.steps, 2),
        "seconds": round(row.seconds, 2),
        "ended": {status: int(count) for status, count in ended.items()},
    }


def miniwob_table(result: Mapping[str, Any]) -> Table:
    """One row a task of MiniWoB, the best first, and the mean below."""
    cache = f"cache {share(result['kv_bytes_mean'], result['kv_bytes_full_mean'])} of the full one's"
    table = Table(
        title=f"{result['model']} on MiniWoB, zero-shot",
        caption=f"{result['settings']}; {cache}; {result['seconds_per_episode']:.1f} s an episode",
        box=SIMPLE_HEAD,
        show_footer=True,
    )
    columns: Columns = {"reward": lambda task: f"{task['reward']:.2f}", "n": _count, "steps": _steps}
    columns["ended"] = lambda task: ", ".join(f"{count} {status}" for status, count in task["ended"].items())
    feet = f"{result['tasks_n']} tasks, {result['tasks_solved']} ever solved", f"{100 * result['success_mean']:.1f} %"
    return _with_tasks(table, result, 0, columns, feet)
