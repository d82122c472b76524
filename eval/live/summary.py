"""From outcomes to numbers, as JSON and as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import mean
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.progress_bar import ProgressBar
from rich.table import Table

from agent.text import share
from eval.live.episodes import Outcome
from eval.live.plan import Plan
from eval.metrics.measures import interval


def summarise(plan: Plan, outcomes: Sequence[Outcome], seconds: float) -> dict[str, Any]:
    """The result. `seconds` of wall time; success, interval and chance are fractions.

    Means of bytes and of seconds are over all steps of all episodes.
    """
    steps = sum(o.steps for o in outcomes)
    return {
        "tasks": {task: _task([o for o in outcomes if o.task == task]) for task in plan.tasks},
        "kv_bytes_mean": round(sum(o.kv_bytes for o in outcomes) / steps, 1),
        "kv_bytes_full_mean": round(sum(o.full_kv_bytes for o in outcomes) / steps, 1),
        "seconds_per_step": round(sum(o.seconds for o in outcomes) / steps, 4),
        "episodes_per_minute": round(60 * len(outcomes) / seconds, 2),
        "settings": plan.settings(),
    }


def _task(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    n, good = len(outcomes), sum(o.success for o in outcomes)
    return {
        "success": round(good / n, 4),
        "n": n,
        "interval": round(interval(good, n), 4),
        "chance": round(mean(o.chance for o in outcomes), 4),
        "steps": round(mean(o.steps for o in outcomes), 2),
        "ended": dict(sorted(Counter(o.status for o in outcomes).items())),
    }


def result_table(result: dict[str, Any]) -> Table:
    """One row a task."""
    s = result["settings"]
    method = f"{s['policy']} at {s['budget']}, {s['moment']}, {s['window']}, {s['history']} screenshots"
    special = [name for name, on in (("blank", s["blank"]), ("forget", s["forget"]), (s["shift"], s["shift"])) if on]
    cache = share(result["kv_bytes_mean"], result["kv_bytes_full_mean"])
    table = Table(
        title=f"{s['model']} live, seeds {s['seeds']}",
        caption=f"{', '.join([method, *special])}\ncache {cache} of the full one's; "
        f"{result['seconds_per_step']:.2f} s a step, {result['episodes_per_minute']:.0f} episodes a minute",
        box=SIMPLE_HEAD,
    )
    table.add_column("task")
    table.add_column("success", justify="right")
    table.add_column("", width=20)
    for name in ("chance", "n", "steps"):
        table.add_column(name, justify="right")
    for name, task in result["tasks"].items():
        table.add_row(
            name,
            f"{100 * task['success']:.1f} % ± {100 * task['interval']:.1f}",
            ProgressBar(total=1.0, completed=task["success"], width=20),
            f"{100 * task['chance']:.1f} %",
            str(task["n"]),
            f"{task['steps']:.1f}",
        )
    return table
