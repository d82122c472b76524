"""`guikv bench policies`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.errors import ConfigError
from eval.options import JsonOption, ModelOption, ThreadsOption, WorkersOption, chosen, show
from guikv.files import replace_file

JSON, CSV = "policies.json", "policies.csv"


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
    as_json: JsonOption = False,
    workers: WorkersOption = "1",
    threads: ThreadsOption = 1,
) -> None:
    """Success against KV bytes: every policy, moment, window and option, on stored episodes.

    Finished cells are kept in --out as they end; the same command goes on where it was stopped.

    Example: guikv bench policies --episodes runs/episodes --cells main --limit 10
    """
    from agent.config import Config, ModelConfig
    from eval.rows import check_csv, write_csv
    from eval.study import answers, plot
    from eval.study.curves import curves_of
    from eval.study.presets import PARTS, TASKS
    from eval.study.presets import cells as study_cells
    from eval.study.run import ROWS, StudyRow, run_cells
    from eval.sweep.progress import job_done, long_progress
    from eval.sweep.workers import read_workers
    from guikv.models import version_of

    parts = _chosen(cells, tuple(PARTS), "--cells")
    wanted = _chosen(tasks, TASKS, "--tasks") if tasks else TASKS
    check_csv(out / CSV, out / ROWS)
    config = Config(model=ModelConfig(name=model))
    plan = study_cells(parts, wanted, groups)
    with long_progress() as progress:
        bar = progress.add_task("bench policies", total=len(plan))

        def tell(row: StudyRow, fresh: bool) -> None:
            job_done(progress, bar, f"{row.task:<10} {row.policy} {row.budget:g} % {row.success:.0%}", fresh)

        rows = run_cells(plan, config, episodes, out, groups, limit, read_workers(workers), threads, tell)
    write_csv(out / CSV, list(StudyRow.model_fields), rows.values())
    curves = curves_of(rows.values())
    settings: dict[str, Any] = {"model": model, "weights": version_of(model), "episodes": str(episodes)}
    settings |= {"limit": limit, "groups": groups, "parts": parts, "tasks": wanted}
    result = {"settings": settings, **answers.as_json(curves)}
    replace_file(out / JSON, f"{json.dumps(result, indent=1)}\n".encode())
    plots = [out / f"{part}.png" for part in parts if plot.plot_part(curves, part, out / f"{part}.png")]
    if "main" in parts and plot.plot_part(curves, "main", out / "main_past.png", "past"):
        plots.append(out / "main_past.png")
    files = f"{out / CSV}, {out / JSON}, {', '.join(map(str, plots))}"
    show(result, as_json, lambda _: answers.tables(curves, parts), lambda _: files)


def _chosen(text: str, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    """Names from a list with commas. Raises ConfigError for an unknown one."""
    names = chosen(text, known, f"{option}: there is no")
    if not names:
        raise ConfigError(f"{option} names nothing", f"there are {', '.join(known)}")
    return tuple(name for name in known if name in names)
