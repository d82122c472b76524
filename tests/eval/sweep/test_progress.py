"""What is told of a cell while it is played, and when it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.benchmarks import BENCHMARKS
from eval.rows import Row
from eval.sweep.plan import Cell
from eval.sweep.progress import SweepBar
from eval.sweep.scheduler import CellRows
from tests.eval.sweep.tools import EPISODES, cells_of


def test_the_score_is_the_one_that_is_shown_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not every benchmark has an official one."""
    assert BENCHMARKS["webvoyager"].measures[0].name == "type_match"
    (plain,) = cells_of(EPISODES)
    cell = Cell(plain.name, plain.settings.model_copy(update={"benchmark": "webvoyager"}))
    rows = CellRows(tmp_path / "rows.jsonl")
    with SweepBar("replay", {cell.name: 1}) as bar:
        bar.step(cell, rows.score)
        for step, score in enumerate((1.0, 0.0)):
            row = Row(benchmark="webvoyager", trajectory="t", step=step, key=str(step), scores={"type_match": score})
            rows.add(row)
            bar.step(cell, rows.score)
        bar.trajectory(cell)
        bar.cell(cell, rows.score, "")
    rows.close()
    assert capsys.readouterr().err.strip() == f"{cell.name}: type_match 50.0% (1 of 1 cells)"


def test_a_failed_cell_is_told_and_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    (cell,) = cells_of(EPISODES)
    with SweepBar("replay", {cell.name: 3}) as bar:
        bar.trajectory(cell)
        bar.again(cell, "its player died")
        bar.cell(cell, None, "the device is full")
        (task,) = bar._progress.tasks
        assert (task.completed, task.total) == (1, 1)
    told = capsys.readouterr().err
    assert "its player died; it is begun again" in told
    assert "failed: the device is full" in told
