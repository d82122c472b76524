"""`guikv bench miniwob`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.options import (
    BudgetOption,
    HistoryOption,
    JsonOption,
    ModelOption,
    MomentOption,
    PolicyOption,
    PolicyOptions,
    ThreadsOption,
    WindowOption,
    WorkersOption,
    show,
)
from guikv.files import replace_file

JSON, CSV = "miniwob.json", "miniwob.csv"


def bench_miniwob(
    tasks: Annotated[
        str, typer.Option(help="only these tasks, with commas between; empty: all that are possible")
    ] = "",
    seeds: Annotated[int, typer.Option(min=1, help="episodes of each task: seeds 0, 1, …")] = 20,
    max_steps: Annotated[int, typer.Option(min=1, help="steps of an episode at most")] = 4,
    policy: PolicyOption = "gui_kv",
    option: PolicyOptions = None,
    budget: BudgetOption = "20%",
    moment: MomentOption = "next_observation",
    window: WindowOption = "shrink",
    history: HistoryOption = 5,
    model: ModelOption = "nano",
    zoom: Annotated[
        int, typer.Option(min=0, max=8, help="0: a 280x280 screen, nano's; else the task area alone, so much larger")
    ] = 0,
    out: Annotated[Path, typer.Option(help="folder for the CSV and the JSON")] = Path("runs/miniwob"),
    workers: WorkersOption = "1",
    threads: ThreadsOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Success on the tasks of MiniWoB that clicking, typing and scrolling can express, with nothing learned from them.

    Every episode is kept in --out as it ends; the same command goes on where it was stopped.

    Example: guikv bench miniwob --tasks click-button,click-link --seeds 5
    """
    from rich.console import Group

    from eval.live.episodes import ROWS, EpisodeRow, run_episodes
    from eval.live.miniwob import EXCLUDED, MiniWobSite, choose_tasks, settings_text
    from eval.live.plan import Plan, make_config
    from eval.live.summary import TaskRow, miniwob_summary, miniwob_table, task_row
    from eval.rows import check_csv, write_csv
    from eval.sweep.progress import job_done, long_progress
    from eval.sweep.workers import read_workers
    from guikv.models import version_of

    check_csv(out / CSV, out / ROWS)
    config = make_config(model, policy, option or (), budget, moment, window, history, max_steps)
    plan = Plan(config, MiniWobSite(zoom), choose_tasks(tasks), range(seeds), threads=threads)
    where = read_workers(workers)
    with long_progress() as progress:
        bar = progress.add_task("starting", total=len(plan.episodes))
        solved: list[bool] = []

        def tell(row: EpisodeRow, fresh: bool) -> None:
            solved.extend([row.success] if fresh else [])
            job_done(progress, bar, f"{row.task}, {sum(solved)} of {len(solved)} solved", fresh)

        found = run_episodes(plan, out / ROWS, where, tell)
    settings, weights = settings_text(plan), version_of(model)
    rows = [task_row(task, [found[task, seed] for seed in plan.seeds], settings, weights) for task in plan.tasks]
    write_csv(out / CSV, list(TaskRow.__annotations__), rows)
    result: dict[str, Any] = miniwob_summary(rows, model, settings, EXCLUDED)
    replace_file(out / JSON, f"{json.dumps(result, indent=1)}\n".encode())
    count = sum(map(len, EXCLUDED.values()))
    lines = [f"left out, since click, type, scroll and finished cannot express them ({count} tasks):"]
    lines += [f"  {reason}: {', '.join(names)}" for reason, names in EXCLUDED.items()]
    show(result, as_json, miniwob_table, lambda _: Group(*lines), lambda _: f"{out / CSV}, {out / JSON}")
