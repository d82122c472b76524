"""Small sweeps over the playground's episodes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.config import Config, ModelConfig
from eval.benchmarks import BENCHMARKS
from eval.replay.settings import ORACLE, ReplaySettings
from eval.rows import read_rows
from eval.sweep.folder import admit, claimed, rows_path
from eval.sweep.plan import Axes, Cell, make_cells
from eval.sweep.scheduler import Pool, Scheduler

EPISODES = Path(__file__).parents[2] / "data" / "nano_episodes"
PLAYGROUND = BENCHMARKS["playground"]


def few(folder: Path, *names: str) -> Path:
    """A file with these episodes only; `--images` has to name `EPISODES`."""
    lines = []
    for name in names:
        task, seed = name.rsplit("-", 1)
        found = (EPISODES / f"{task}.jsonl").read_text(encoding="utf-8").splitlines()
        lines += [line for line in found if json.loads(line)["seed"] == int(seed)]
    assert len(lines) == len(names)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "few.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def cells_of(path: Path, model: str = ORACLE, axes: Axes | None = None, **settings: Any) -> list[Cell]:
    config = Config(model=ModelConfig(name=model, max_new_tokens=48))
    base = ReplaySettings(benchmark="playground", path=path, images=EPISODES, model=model, config=config, **settings)
    return make_cells(base, axes or Axes(("gui_kv",), ("20%",)))


@dataclass
class Log:
    """A watcher that remembers; subclasses interfere."""

    steps: list[str] = field(default_factory=list)
    trajectories: list[str] = field(default_factory=list)
    repeats: list[str] = field(default_factory=list)
    ended: list[tuple[str, str]] = field(default_factory=list)

    def step(self, cell: Cell, official: float | None) -> None:
        self.steps.append(cell.name)

    def trajectory(self, cell: Cell) -> None:
        self.trajectories.append(cell.name)

    def again(self, cell: Cell, why: str) -> None:
        self.repeats.append(cell.name)

    def cell(self, cell: Cell, official: float | None, why: str) -> None:
        self.ended.append((cell.name, why))


def drive(out: Path, cells: Sequence[Cell], pool: Pool, log: Log | None = None, limit: int | None = None) -> Log:
    log = log or Log()
    with claimed(out):
        admit(out, cells)
        Scheduler(out, pool, log, limit).run(cells)
    return log


def comparable(out: Path, cells: Sequence[Cell]) -> dict[str, list[dict[str, Any]]]:
    """Cell → its rows without seconds, in the order of the file."""
    return {cell.name: [row.comparable for row in read_rows(rows_path(out, cell))] for cell in cells}
