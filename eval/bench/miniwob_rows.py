"""What is kept of each MiniWoB task: a row of a CSV file, and all rows as one result."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.progress_bar import ProgressBar
from rich.table import Table

from agent.text import share
from eval.nano.summary import wilson
from guikv.errors import GuikvError

CSV = "miniwob.csv"


class RowsError(GuikvError):
    """The file of the rows holds something else."""


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


COLUMNS = tuple(f.name for f in dataclasses.fields(Row))
_KINDS: dict[str, Callable[[str], object]] = {"str": str, "int": int, "float": float}


def read_rows(path: Path, settings: str, weights: str, n: int) -> dict[str, Row]:
    """Rows by task, of these settings, weights and number of episodes only; none when there is no file.

    A last line that was cut off is left out. Raises RowsError when the file is something else.
    """
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise RowsError(f"{path} has other columns than this writes: move it away or choose another --out")
        lines = [line for line in reader if None not in line and None not in line.values()]
        try:
            rows = [_row(line) for line in lines]
        except ValueError as error:
            raise RowsError(f"{path} has a broken row: {error}; move it away or choose another --out") from error
    return {row.task: row for row in rows if (row.settings, row.weights, row.n) == (settings, weights, n)}


def _row(line: dict[str, str]) -> Row:
    return Row(**{f.name: _KINDS[str(f.type)](line[f.name]) for f in dataclasses.fields(Row)})  # type: ignore[arg-type]


def append_row(path: Path, row: Row) -> None:
    """Write one row at the end, with the header where the file is new."""
    fresh = not path.is_file() or not path.stat().st_size
    whole = fresh or path.read_bytes().endswith(b"\n")
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not whole:
            file.write("\n")
        if fresh:
            writer.writerow(COLUMNS)
        values = (getattr(row, name) for name in COLUMNS)
        writer.writerow([round(value, 4) if isinstance(value, float) else value for value in values])


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
        "interval": round(wilson(round(row.success * row.n), row.n), 4),
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
