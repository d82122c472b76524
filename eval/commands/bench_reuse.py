"""`guikv bench reuse`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.options import BudgetOption, HistoryOption, PolicyOption

if TYPE_CHECKING:
    from rich.table import Table


def bench_reuse(
    dialects: Annotated[str, typer.Option(help="which, with commas between; empty: all")] = "",
    steps: Annotated[int, typer.Option(min=2, help="steps of the episode")] = 12,
    history: HistoryOption = 5,
    budget: BudgetOption = "20%",
    policy: PolicyOption = "gui_kv",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """How much of the ledger every step reuses: each dialect, appended and in its owners' layout, each window.

    A tiny random model and drawn screenshots; only tokens are counted.

    Example: guikv bench reuse --dialects qwen3,opencua
    """
    from rich.console import Console

    from eval.bench.reuse import LAYOUTS, WINDOWS, chosen, run_bench
    from eval.sweep.progress import long_progress

    names = chosen(dialects)
    with long_progress() as progress:
        bar = progress.add_task("starting", total=steps * len(names) * len(LAYOUTS) * len(WINDOWS))

        def report(name: str, step: int) -> None:
            progress.update(bar, advance=1, description=f"{name}: step {step + 1}")

        result = run_bench(names, steps, history, budget, policy, report=report)
    if as_json:
        typer.echo(json.dumps(result, indent=1))
        return
    Console().print(reuse_table(result))


def reuse_table(result: dict[str, Any]) -> Table:
    """One row per run: percent of the ledger reused in each step from the second on, and the tokens computed."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    s = result["settings"]
    table = Table(
        title=f"percent of the ledger that a step reuses, {s['policy']} at {s['budget']}, {s['history']} screenshots",
        caption="new: tokens that went through the model per step, on average",
        box=SIMPLE_HEAD,
        padding=0,
        pad_edge=False,
        show_edge=False,
    )
    for column in ("dialect", "layout", "window"):
        table.add_column(column)
    for number in range(2, s["steps"] + 1):
        table.add_column(str(number), justify="right", min_width=3)
    table.add_column("mean", justify="right")
    table.add_column("new", justify="right")
    before = ""
    for run in result["runs"]:
        if before and run["dialect"] != before:
            table.add_section()
        shares = (f"{100 * share:.0f}" for share in run["ledger_reused"])
        mean, computed = f"{100 * run['ledger_reused_mean']:.0f}", f"{run['tokens_computed_mean']:.0f}"
        name = "" if run["dialect"] == before else run["dialect"]
        before = run["dialect"]
        table.add_row(name, run["layout"], run["window"], *shares, mean, computed)
    return table
