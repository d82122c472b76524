"""What is kept of each MiniWoB task: a row of a CSV file, and all rows as one result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.progress_bar import ProgressBar
from rich.table import Table

from agent.text import share
from eval.bench.rows import read_all
from eval.metrics.measures import interval

CSV = "miniwob.csv"


@dataclass(frozen=True)
class Row:
    """One task.

    n: episodes; success: share of them with a reward above 0; reward: mean, -1 to 1, not reduced by the time taken
    steps, seconds: mean per episode, of wall time; kv_bytes, kv_bytes_full: mean per step
    ended: how many episodes ended how; settings, weights: rows of others are never mixed
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


def read_rows(path: Path, settings: str, weights: str, n: int) -> dict[str, Row]:
    """Rows by task, of these settings, weights and number of episodes only. Raises RowsError."""
    rows = read_all(path, Row)
    return {row.task: row for row in rows if (row.settings, row.weights, row.n) == (settings, weights, n)}


def summarise(
    rows: Iterable[Row], model: str, settings: str, excluded: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    """The result, the best task first. Success is a fraction; `interval` half of the 95 % one of a task."""
    best = sorted(rows, key=lambda row: (-row.success, -row.reward, row.task))
    return {
        "tasks": {row.task: _task(row) for row in best},
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


def _task(row: Row) -> dict[str, Any]:
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


def result_table(result: Mapping[str, Any]) -> Table:
    """One row a task, the best first, and the mean below."""
    cache = f"cache {share(result['kv_bytes_mean'], result['kv_bytes_full_mean'])} of the full one's"
    table = Table(
        title=f"{result['model']} on MiniWoB, zero-shot",
        caption=f"{result['settings']}; {cache}; {result['seconds_per_episode']:.1f} s an episode",
        box=SIMPLE_HEAD,
        show_footer=True,
    )
    table.add_column("task", f"{result['tasks_n']} tasks, {result['tasks_solved']} ever solved")
    table.add_column("success", f"{100 * result['success_mean']:.1f} %", justify="right")
    table.add_column("", width=20)
    for name in ("reward", "n", "steps"):
        table.add_column(name, justify="right")
    table.add_column("ended")
    for name, task in result["tasks"].items():
        table.add_row(
            name,
            f"{100 * task['success']:.0f} % ± {100 * task['interval']:.0f}",
            ProgressBar(total=1.0, completed=task["success"], width=20),
            f"{task['reward']:.2f}",
            str(task["n"]),
            f"{task['steps']:.1f}",
            ", ".join(f"{count} {status}" for status, count in task["ended"].items()),
        )
    return table
