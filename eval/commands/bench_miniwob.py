"""`guikv bench miniwob`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.options import (
    BudgetOption,
    HistoryOption,
    ModelOption,
    MomentOption,
    PolicyOption,
    PolicyOptions,
    WindowOption,
)
from guikv.files import replace_file

if TYPE_CHECKING:
    from eval.live.miniwob import Outcome

JSON = "miniwob.json"


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
    threads: Annotated[int, typer.Option(min=1, help="CPU threads; small models are fastest with one")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """Success on the tasks of MiniWoB that clicking, typing and scrolling can express, with nothing learned from them.

    Finished tasks are kept in the CSV of --out; the same command goes on where it was stopped.

    Example: guikv bench miniwob --tasks click-button,click-link --seeds 5
    """
    import torch
    from rich.console import Console

    from agent.assemble import load_adapter
    from eval.bench.progress import long_progress
    from eval.live.miniwob import EXCLUDED, Plan, bench_config, choose_tasks, run_bench
    from eval.live.miniwob_rows import CSV, result_table, summarise

    config = bench_config(model, policy, option or (), budget, moment, window, history, max_steps)
    plan = Plan(config, choose_tasks(tasks), seeds, zoom)
    adapter = load_adapter(config)
    torch.set_num_threads(threads)
    with long_progress() as progress:
        bar = progress.add_task("starting", total=len(plan.tasks) * seeds)
        won: list[bool] = []

        def tell(task: str, outcome: Outcome | None) -> None:
            if outcome is None:  # what was there already must not count for the speed
                progress.update(bar, total=(progress.tasks[bar].total or seeds) - seeds)
                return
            won.append(outcome.status == "success")
            progress.update(bar, advance=1, description=f"{task}, {sum(won)} of {len(won)} solved")

        rows = run_bench(plan, adapter, out, tell)
    result = summarise(rows.values(), model, plan.settings, EXCLUDED)
    replace_file(out / JSON, f"{json.dumps(result, indent=1)}\n".encode())
    if as_json:
        typer.echo(json.dumps(result, indent=1))
        return
    console = Console()
    console.print(result_table(result))
    console.print(f"left out, since click, type, scroll and finished cannot express them ({_count(EXCLUDED)}):")
    for reason, names in EXCLUDED.items():
        console.print(f"  {reason}: {', '.join(names)}", highlight=False)
    console.print(f"{out / CSV}, {out / JSON}", highlight=False, soft_wrap=True)


def _count(groups: dict[str, tuple[str, ...]]) -> str:
    return f"{sum(map(len, groups.values()))} tasks"
