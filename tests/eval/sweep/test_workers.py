"""Cells in several processes: the same rows, whoever dies."""

from __future__ import annotations

import multiprocessing.resource_tracker
import os
import signal
from pathlib import Path

import pytest

from eval.sweep.cell_player import CellJob, CellPlayer
from eval.sweep.events import Event, JobDone, PlayerDied
from eval.sweep.folder import claimed
from eval.sweep.plan import Axes, Cell
from eval.sweep.scheduler import RETRIES
from eval.sweep.workers import Processes, visible_gpus
from tests.eval.sweep.conftest import Whole
from tests.eval.sweep.tools import Log, cells_of, comparable, drive, few
from tests.leftovers import running, since


@pytest.fixture
def before() -> set[int]:
    """What runs before the test; Python's own helper for processes runs on and is no leftover."""
    multiprocessing.resource_tracker.ensure_running()
    return running()


class Murderer(Log):
    """Kills the first player when the first cell has its third row."""

    def __init__(self, pool: Processes, name: str) -> None:
        super().__init__()
        self.pool, self.name = pool, name

    def step(self, cell: Cell, official: float | None) -> None:
        super().step(cell, official)
        if cell.name == self.name and self.steps.count(cell.name) == 3:
            process = self.pool._workers[0].process
            process.kill()
            process.join()


@pytest.mark.slow
def test_two_processes_write_what_one_writes_though_one_is_killed(
    whole: Whole, tmp_path: Path, before: set[int]
) -> None:
    with Processes(CellPlayer, 2) as pool:
        log = drive(tmp_path, whole.cells, pool, Murderer(pool, whole.cells[0].name))
    assert comparable(tmp_path, whole.cells) == whole.rows
    assert log.repeats == [whole.cells[0].name]
    assert sorted(log.ended) == sorted((cell.name, "") for cell in whole.cells)
    assert sorted(log.trajectories) == sorted(cell.name for cell in whole.cells for _ in range(3)), "none twice"
    assert not since(before)


class Mortal:
    """A pool of one player that dies at whatever it is given, but for one cell."""

    size = 1

    def __init__(self, survivor: str) -> None:
        self.survivor = survivor
        self.given: list[str] = []

    def give(self, player: int, job: CellJob) -> None:
        self.given.append(job.cell.name)

    def wait(self) -> tuple[int, Event]:
        return 0, JobDone() if self.given[-1] == self.survivor else PlayerDied("it ended by itself (exit code -9)")


def test_a_cell_whose_players_die_fails_and_the_others_go_on(tmp_path: Path) -> None:
    cells = cells_of(few(tmp_path, "dialog-95000"), axes=Axes((), (), dialects=("ui_tars", "qwen3")))
    pool = Mortal("qwen3-oracle")
    log = drive(tmp_path / "out", cells, pool)
    assert pool.given == ["ui_tars-oracle"] * (1 + RETRIES) + ["qwen3-oracle"]
    assert log.ended == [("ui_tars-oracle", "it ended by itself (exit code -9), 3 times"), ("qwen3-oracle", "")]


class Stopper(Log):
    """Presses Ctrl-C as a terminal does: everybody gets the signal. Players go on, and the third row is the last."""

    def __init__(self, pool: Processes) -> None:
        super().__init__()
        self.pool = pool

    def step(self, cell: Cell, official: float | None) -> None:
        super().step(cell, official)
        for worker in self.pool._workers.values():
            os.kill(worker.process.pid or 0, signal.SIGINT)
        if len(self.steps) == 3:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.slow
def test_ctrl_c_leaves_rows_and_no_process(whole: Whole, tmp_path: Path, before: set[int]) -> None:
    with pytest.raises(KeyboardInterrupt), Processes(CellPlayer, 2) as pool:
        drive(tmp_path, whole.cells, pool, Stopper(pool))
    assert not since(before)
    rows = comparable(tmp_path, whole.cells)
    assert sum(map(len, rows.values())) == 3
    assert all(kept == whole.rows[name][: len(kept)] for name, kept in rows.items())
    with claimed(tmp_path):
        assert not list(tmp_path.rglob("*.part"))


def test_gpus_are_named_as_the_user_named_them(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == ("0", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert visible_gpus() == ("3", "5")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert visible_gpus() == ()
