"""`guikv bench env`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from eval.bench.env import Track


def bench_env(
    environments: Annotated[
        str, typer.Option(help="which, with commas between: browser, desktop, android; empty: all")
    ] = "",
    steps: Annotated[int, typer.Option(min=4, help="steps in each environment, after four that do not count")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """What a step takes beside the model, in each environment on the same page; medians and 95th percentiles.

    The android device is simulated, under the real adb.

    Example: guikv bench env --environments browser,desktop --steps 80
    """
    from collections.abc import Mapping

    from rich.console import Console

    from eval.bench.env import run_bench
    from eval.bench.env_places import choose, opened
    from eval.sweep.progress import long_progress

    names = choose(environments)
    with long_progress() as progress:
        bar = progress.add_task("starting", total=steps + 4)

        def report(step: int, tracks: Mapping[str, Track]) -> None:
            last = "  ".join(f"{name} {track.totals[-1]:.2f} s" for name, track in tracks.items() if track.kinds)
            progress.update(bar, completed=step + 1, description=last or "warming up")

        with opened(names) as places:
            result = run_bench(places, steps, 4, report)
    if as_json:
        typer.echo(json.dumps(result, indent=1))
        return
    Console().print(env_table(result))


def env_table(result: dict[str, Any]) -> Table:
    """One column per environment: milliseconds by phase, median and 95th percentile."""
    from rich.table import Table

    from eval.bench.env import PHASES

    table = Table(
        title=f"a step without the model, {result['steps']} steps each, in turns",
        caption="milliseconds, median (95th percentile)\nencode: PNG and the step's line on disk, as in a run",
    )
    columns = result["environments"]
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    table.add_row("picture", *("{}x{}".format(*column["size"]) for column in columns.values()))
    for phase in PHASES:
        table.add_row(phase, *(_shown(column["phases"][phase]) for column in columns.values()))
    table.add_section()
    table.add_row("step", *(_shown(column["step"]) for column in columns.values()))
    ratios = (column["ratio"] for column in columns.values())
    table.add_row("÷ browser", *("–" if ratio is None else f"{ratio:.2f} ×" for ratio in ratios))
    return table


def _shown(spread: dict[str, float]) -> str:
    return f"{spread['median'] * 1000:.0f} ({spread['p95'] * 1000:.0f})"
