"""`guikv bench long`: whether step 1,000 costs what step 100 does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.errors import ConfigError
from eval.options import JsonOption, chosen, show

if TYPE_CHECKING:
    from rich.table import Table

KINDS = ("scripted", "nano", "browser")


def bench_long(
    steps: Annotated[int, typer.Option(min=8, help="steps of the episode")] = 1000,
    what: Annotated[str, typer.Option(help="which, with commas between: scripted, nano, browser")] = "scripted,nano",
    plot: Annotated[
        Path | None, typer.Option(help="draw time, memory, record and entries over the steps into this PNG file")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Late steps against early ones of one long episode: CPU time, memory, record, cached entries, the report.

    scripted: 1920x1080 screenshots and a tiny random model; nano: the shipped model on the playground; browser: a live
    page at 1920x1080.

    Example: guikv bench long --steps 300 --what browser
    """
    from eval.bench.long import run_bench
    from eval.bench.long_plot import long_plot
    from eval.sweep.progress import long_progress
    from guikv.files import replace_file

    kinds = chosen(what, dict.fromkeys(KINDS), "there is nothing to measure in")
    with long_progress() as progress:
        bar = progress.add_task("starting", total=steps * len(kinds))
        result = run_bench(
            kinds, steps, lambda kind, step: progress.update(bar, advance=1, description=f"{kind}: step {step}")
        )
    if plot is not None:
        try:
            replace_file(plot, long_plot(result))
        except OSError as error:
            raise ConfigError(
                f"--plot {plot}: {error.strerror or error}", "name a file in a folder that exists"
            ) from error
    show(result, as_json, long_table)


ROWS = (
    ("CPU time, late ÷ early", "time_ratio", "{:.2f} ×"),
    ("memory grown by", "rss_growth_mb", "{:.1f} MB"),
    ("Chromium's memory grown by", "chromium_growth_mb", "{:.1f} MB"),
    ("a line of the record, late ÷ early", "record_line_ratio", "{:.2f} ×"),
    ("cached entries, late ÷ early", "entries_ratio", "{:.2f} ×"),
    ("record ÷ its pictures", "record_to_pictures", "{:.2f}"),
    ("report made in", "report_seconds", "{:.1f} s"),
    ("report opened in", "report_open_seconds", "{:.1f} s"),
)


def long_table(result: dict[str, Any]) -> Table:
    """One column per run."""
    from rich.table import Table

    table = Table(title=f"{result['steps']} steps: the last 50 against steps 51 to 100")
    table.add_column("")
    for name in result["runs"]:
        table.add_column(name, justify="right")
    for label, key, form in ROWS:
        values = (run[key] for run in result["runs"].values())
        table.add_row(label, *("–" if value is None else form.format(value) for value in values))
    return table
