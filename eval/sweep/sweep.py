"""A whole sweep: look at the data, claim the folder, play what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from agent.config import Config
from eval.benchmarks.base import Benchmark, Missing, Source
from eval.replay.settings import ORACLE, History, ReplaySettings
from eval.sweep.cell_player import CellPlayer
from eval.sweep.folder import admit, announce, claimed, rows_path
from eval.sweep.plan import Cell
from eval.sweep.progress import SweepBar
from eval.sweep.scheduler import Scheduler, read_known
from eval.sweep.survey import Survey, survey
from eval.sweep.workers import Workers, open_pool, shares_gpus
from guikv.models import SHIPPED, version_of


def base_settings(
    name: str, source: Source, missing: Missing, history: History, config: Config, skip_bad: bool = False
) -> ReplaySettings:
    """What all cells start from. Paths are made absolute: who plays a cell may stand in another folder."""
    config = _with_absolute_paths(config)
    return ReplaySettings(
        benchmark=name,
        path=source.path.absolute(),
        images=None if source.images is None else source.images.absolute(),
        splits=source.splits,
        options=dict(source.options),
        missing=missing,
        skip_bad=skip_bad,
        history=history,
        model=config.model.name,
        version="" if config.model.name == ORACLE else version_of(config.model.name),
        config=config,
    )


def _with_absolute_paths(config: Config) -> Config:
    """The settings with the paths of a model's folder and of a prompt's file made absolute."""
    name, file = config.model.name, config.prompt.file
    folder = Path(name).expanduser()
    if name not in SHIPPED and (folder / "config.json").is_file():
        name = str(folder.absolute())
    model = config.model.model_copy(update={"name": name})
    prompt = config.prompt.model_copy(update={"file": None if file is None else file.absolute()})
    return config.model_copy(update={"model": model, "prompt": prompt})


def run_sweep(
    cells: Sequence[Cell], benchmark: Benchmark, out: Path, workers: Workers, limit: int | None = None
) -> dict[str, str]:
    """Play every cell that is not complete; what was written before stays as it is. Returns cell → why it failed.

    Raises DataError, SweepError and MixError before anything is played, and what `Scheduler.run` and `open_pool` raise.
    """
    with claimed(out):
        admit(out, cells)
        data = _read_data(cells[0].settings, benchmark, limit)
        todo = {cell.name: data.todo(cell.name, read_known(rows_path(out, cell))) for cell in cells}
        announce(out, cells, data.steps, data.bad.count)
        left = [cell for cell in cells if todo[cell.name]]
        if not left:
            return {}
        first = left[0].settings
        gpu = not first.is_oracle and shares_gpus(first.config)
        with (
            SweepBar(f"replay {benchmark.name}", {cell.name: todo[cell.name] for cell in left}) as bar,
            open_pool(workers, CellPlayer, len(left), gpu) as pool,
        ):
            return Scheduler(out, pool, bar, limit).run(left)


def _read_data(settings: ReplaySettings, benchmark: Benchmark, limit: int | None) -> Survey:
    console = Console(stderr=True)
    with console.status("reading the data") as status:
        data = survey(
            settings, benchmark, limit, lambda count: status.update(f"reading the data: {count} trajectories")
        )
    for problem in (data.bad, data.notes):
        if problem.count:
            console.print(str(problem), highlight=False, markup=False, soft_wrap=True)
    return data
