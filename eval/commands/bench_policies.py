"""`guikv bench policies`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.options import ModelOption, listed
from guikv.files import replace_file

if TYPE_CHECKING:
    from eval.study.presets import Cell
    from eval.study.run import Row

JSON = "policies.json"


def bench_policies(
    episodes: Annotated[Path, typer.Option(help="folder of right episodes: python -m envs.playground.episodes")],
    cells: Annotated[
        str, typer.Option(help="parts of the study, with commas between: main, moments, windows, options")
    ] = "main,moments,windows,options",
    tasks: Annotated[str, typer.Option(help="only these tasks, with commas between; empty: all")] = "",
    limit: Annotated[int, typer.Option(min=1, help="episodes per task and group")] = 20,
    groups: Annotated[int, typer.Option(min=1, help="groups of seeds")] = 3,
    model: ModelOption = "nano",
    out: Annotated[Path, typer.Option(help="folder for the CSV, the JSON and the plots")] = Path("runs/policies"),
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads; small models are fastest with one")] = 1,
) -> None:
    """Success against KV bytes: every policy, moment, window and option, on stored episodes.

    Finished cells are kept in the CSV of --out; the same command goes on where it was stopped.

    Example: guikv bench policies --episodes runs/episodes --cells main --limit 10
    """
    import torch
    from rich.console import Console

    from agent.assemble import load_adapter, make_dialect
    from agent.config import Config, ModelConfig
    from eval.bench.progress import long_progress
    from eval.study import answers, plot, run, table
    from eval.study.curves import curves_of
    from eval.study.play import Player
    from eval.study.presets import PARTS, TASKS
    from eval.study.presets import cells as design_cells

    parts = _chosen(cells, tuple(PARTS), "--cells")
    wanted = _chosen(tasks, TASKS, "--tasks") if tasks else TASKS
    config = Config(model=ModelConfig(name=model))
    adapter = load_adapter(config)
    torch.set_num_threads(threads)
    player = Player(adapter, make_dialect(config, adapter))
    plan = design_cells(parts, wanted, groups)
    with long_progress() as progress:
        bar = progress.add_task("bench policies", total=len(plan))

        def report(cell: Cell, row: Row | None, fresh: bool) -> None:
            if not fresh:  # what was there already must not count for the speed
                total = progress.tasks[bar].total or 1
                progress.update(bar, total=total - 1)
                return
            won = f" {row.success:.0%}" if row else ""
            what = f"{cell.task:<10} {cell.arm.policy} {cell.budget:g} %{won}"
            progress.update(bar, advance=1, description=what)

        rows = run.run_cells(plan, player, episodes, out, groups, limit, report)
    wanted_keys = {cell.key for cell in plan}
    curves = curves_of(row for key, row in rows.items() if key in wanted_keys)
    result = {
        "settings": {
            "model": model,
            "weights": run.weights_of(adapter),
            "episodes": str(episodes),
            "limit": limit,
            "groups": groups,
            "parts": parts,
            "tasks": wanted,
        },
        **answers.as_json(curves),
    }
    replace_file(out / JSON, f"{json.dumps(result, indent=1)}\n".encode())
    plots = [out / f"{part}.png" for part in parts if plot.plot_part(curves, part, out / f"{part}.png")]
    if "main" in parts and plot.plot_part(curves, "main", out / "main_past.png", "past"):
        plots.append(out / "main_past.png")
    if as_json:
        typer.echo(json.dumps(result, indent=1))
        return
    console = Console()
    for part in parts:
        console.print(table.task_table(curves, part))
    ranking = answers.rank(curves)
    if ranking is not None:
        console.print(table.ranking_table(ranking))
    for sentence in answers.sentences(curves):
        console.print(sentence, highlight=False)
    console.print(f"{out / run.CSV}, {out / JSON}, {', '.join(map(str, plots))}", highlight=False, soft_wrap=True)


def _chosen(text: str, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    """Names from a list with commas. Raises ConfigError for an unknown one."""
    from agent.errors import ConfigError

    names = listed(text)
    for name in names:
        if name not in known:
            raise ConfigError(f"{option}: there is no {name!r}", f"there are {', '.join(known)}")
    if not names:
        raise ConfigError(f"{option} names nothing", f"there are {', '.join(known)}")
    return tuple(name for name in known if name in names)
