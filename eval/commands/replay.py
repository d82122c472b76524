"""`guikv replay` and `guikv rescore`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agent.commands.common import (
    EXIT_FAILED,
    EXIT_STOPPED,
    ConfigOption,
    DeviceOption,
    DtypeOption,
    MaxPixelsOption,
    MomentOption,
    QuantizationOption,
    SetOption,
    WindowOption,
    settings,
)
from eval.commands.data import find
from eval.options import ImagesOption, JsonOption, LimitOption, OptionOption, PathOption, SplitsOption

if TYPE_CHECKING:
    from rich.console import Console

    from eval.benchmarks import Benchmark
    from eval.sweep.plan import Cell

RUNS = Path("runs") / "replay"
WIDE = 120
"""Characters of a line where no terminal says how many there are."""
_DATA, _SWEEP = "Data", "Sweep"


def replay(
    name: Annotated[str, typer.Argument(help="The benchmark: `guikv data list` names them.", metavar="NAME")],
    path: PathOption = None,
    images: ImagesOption = None,
    split: SplitsOption = None,
    option: OptionOption = None,
    missing: Annotated[
        Literal["error", "skip", "blank"],
        typer.Option(
            help="Steps without their image: an error, left out, or (oracle) their size.", rich_help_panel=_DATA
        ),
    ] = "error",
    skip_bad_records: Annotated[
        bool,
        typer.Option(
            "--skip-bad-records", help="Leave out and count what cannot be used of the data.", rich_help_panel=_DATA
        ),
    ] = False,
    limit: LimitOption = None,
    model: Annotated[
        str | None, typer.Option(help="nano, a folder, a hub name, or oracle: right answers.", rich_help_panel="Model")
    ] = None,
    dialect: Annotated[
        str | None,
        typer.Option(help="The model's own if empty; of the oracle several, with commas.", rich_help_panel="Model"),
    ] = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    quantization: QuantizationOption = None,
    max_pixels: MaxPixelsOption = None,
    policies: Annotated[str | None, typer.Option(help="With commas: gui_kv,full.", rich_help_panel="Memory")] = None,
    budgets: Annotated[
        str | None,
        typer.Option(help="With commas: 5,20%,'2048 tokens',64MiB; bare numbers are %.", rich_help_panel="Memory"),
    ] = None,
    moment: MomentOption = None,
    screenshots: Annotated[
        int | None, typer.Option("--screenshots", min=1, help="Screenshots held.", rich_help_panel="Memory")
    ] = None,
    window: WindowOption = None,
    history: Annotated[
        Literal["gold", "own"],
        typer.Option(help="Earlier answers: the recorded right ones, or the model's own.", rich_help_panel="Memory"),
    ] = "gold",
    layout: Annotated[
        str | None, typer.Option(help="append keeps the cache; owners: the family's own.", rich_help_panel="Memory")
    ] = None,
    seeds: Annotated[
        str, typer.Option(help="Of the policy that draws (random): 0-2 or 0,1,2.", rich_help_panel=_SWEEP)
    ] = "0",
    workers: Annotated[
        str, typer.Option(help="Processes; ray or ray:2: actors on a Ray cluster.", rich_help_panel=_SWEEP)
    ] = "1",
    ray_address: Annotated[
        str | None,
        typer.Option(help="A cluster that runs; else $RAY_ADDRESS, else one of its own.", rich_help_panel=_SWEEP),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder; runs/replay/NAME-MODEL if empty.", rich_help_panel=_SWEEP)
    ] = None,
    config: ConfigOption = None,
    assign: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play a benchmark's recorded trajectories with dialect, session and policy of a live run, and score the answers.

    One cell for each policy, budget and seed; a row for every step, on the disk before the next begins. The same
    command goes on where it was stopped; a folder of other settings is refused. Exit code 1 when a cell failed.

    Example: guikv replay playground --path tests/data/nano_episodes --policies gui_kv,full --budgets 5,20
    """
    from agent.commands.demo import read_seeds
    from agent.errors import ConfigError
    from eval.benchmarks.errors import DataError
    from eval.benchmarks.source import make_source
    from eval.rows import RowsError
    from eval.sweep.folder import rows_path
    from eval.sweep.plan import Axes, make_cells, read_budgets, read_dialects, read_names
    from eval.sweep.sweep import base_settings, run_sweep
    from eval.sweep.workers import read_workers

    benchmark = find(name)
    resolved = settings(
        config,
        assign,
        {
            "model.name": model,
            "model.device": device,
            "model.dtype": dtype,
            "model.quantization": quantization,
            "model.max_pixels": max_pixels,
            "cache.moment": moment,
            "cache.window": window,
            "cache.history": screenshots,
            "prompt.layout": layout,
            "prompt.dialect": dialect if dialect and "," not in dialect else None,
        },
    )
    source = make_source(benchmark, path, images, split or (), option or ())
    axes = Axes(
        read_names("--policies", policies or resolved.cache.policy),
        read_budgets(budgets or resolved.cache.budget),
        tuple(read_seeds(seeds)),
        read_dialects(resolved, dialect),
    )
    base = base_settings(name, source, missing, history, resolved, skip_bad_records)
    cells = make_cells(base, axes)
    where = out or RUNS / f"{name}-{Path(resolved.model.name).name}"
    hands = read_workers(workers, ray_address)
    if ray_address and not workers.startswith("ray"):
        raise ConfigError("--ray-address says nothing without a cluster", "add --workers ray, or leave it out")
    if base.is_oracle and (policies or budgets):
        typer.echo("an oracle keeps nothing: --policies and --budgets change nothing", err=True)
    try:
        failed = run_sweep(cells, benchmark, where, hands, limit)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(EXIT_STOPPED) from None
    except (DataError, RowsError):
        if any(path.is_file() and path.stat().st_size for path in (rows_path(where, cell) for cell in cells)):
            typer.echo(f"the rows so far are in {where}; when this is mended, the same command goes on", err=True)
        raise
    if not _tell(where, cells, benchmark, failed, as_json) or failed:
        raise typer.Exit(EXIT_FAILED)


def _tell(out: Path, cells: list[Cell], benchmark: Benchmark, failed: dict[str, str], as_json: bool) -> bool:
    """Whether there is any step to tell of."""
    from eval.sweep.summary import as_json as whole
    from eval.sweep.summary import summarise, tables

    found = summarise(out, cells, benchmark)
    played = any(cell.steps for cell in found)
    if as_json:
        typer.echo(json.dumps(whole(found, benchmark, failed, out), indent=1))
        return played
    console = _console()
    for part in tables(found, benchmark) if played else ():
        console.print(part, highlight=False)
    skipped = max((cell.skipped for cell in found), default=0)
    if skipped:
        steps = f"{skipped:,} step was" if skipped == 1 else f"{skipped:,} steps were"
        or_bad = " or cannot be used" if cells[0].settings.skip_bad else ""
        console.print(f"{steps} left out, since the image is missing{or_bad}", highlight=False)
    if not played and not failed:
        console.print("nothing was played: give the folder of the images with --images", highlight=False)
    for name, why in failed.items():
        console.print(f"{name} failed: {why}", highlight=False, markup=False, soft_wrap=True)
    if played:
        console.print(f"{out}: guikv report {out} makes a page of it", highlight=False, markup=False, soft_wrap=True)
    return played


def _console() -> Console:
    """As wide as the terminal, and wide enough for the names of cells where there is none."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, WIDE)
    return console


def rescore(
    folder: Annotated[Path, typer.Argument(help="Folder of `guikv replay`.", metavar="DIR")],
    parse: Annotated[bool, typer.Option("--parse", help="Read the answers again, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Work out the scores anew from the rows alone: no model, no images, no data.

    Example: guikv rescore runs/replay/playground-nano
    """
    from eval.sweep.rescore import rescore as score_again

    cells = score_again(folder, parse)
    if as_json:
        typer.echo(json.dumps({"out": str(folder), "cells": [asdict(cell) for cell in cells]}, indent=1))
        return
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(str(folder)), box=box.SIMPLE_HEAD)
    for column in ("cell", "rows", "changed", f"{cells[0].rule} before", "after"):
        table.add_column(column, justify="left" if column == "cell" else "right", no_wrap=True)
    for cell in cells:
        scores = ("–" if value is None else f"{value:.1%}" for value in (cell.before, cell.after))
        table.add_row(cell.name, str(cell.rows), str(cell.changed), *scores)
    _console().print(table)
