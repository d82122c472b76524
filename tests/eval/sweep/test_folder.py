"""A results folder holds one kind of rows and has one writer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.rows import ROWS, RowsError, read_rows
from eval.sweep.cell_player import CellPlayer
from eval.sweep.folder import SETTINGS, SWEEP, MixError, SweepError, admit, begin, claimed, rows_path, stored_cells
from eval.sweep.plan import Axes, Cell
from eval.sweep.workers import InProcess
from tests.eval.sweep.tools import cells_of, drive, few

DIALECTS = Axes((), (), dialects=("ui_tars", "qwen3"))


@pytest.fixture
def played(tmp_path: Path) -> tuple[Path, list[Cell]]:
    """An oracle's sweep over one episode of two steps."""
    cells = cells_of(few(tmp_path, "dialog-95000"), axes=DIALECTS)
    drive(tmp_path / "out", cells, InProcess(CellPlayer))
    return tmp_path / "out", cells


def test_settings_lie_beside_the_rows(played: tuple[Path, list[Cell]]) -> None:
    out, cells = played
    assert [cell.name for cell in stored_cells(out)] == ["qwen3-oracle", "ui_tars-oracle"]
    for cell in cells:
        told = json.loads((out / "cells" / cell.name / SETTINGS).read_text())
        assert told == cell.settings.identity()
        assert len(list(read_rows(rows_path(out, cell)))) == 2
    shared = json.loads((out / SWEEP).read_text())
    assert shared["benchmark"] == "playground"
    assert "dialect" not in shared
    assert not list(out.rglob("*.part"))


def test_cells_can_be_added(played: tuple[Path, list[Cell]]) -> None:
    out, cells = played
    more = cells_of(cells[0].settings.path, axes=Axes((), (), dialects=("opencua",)))
    drive(out, more, InProcess(CellPlayer))
    assert len(stored_cells(out)) == 3


def change(**values: Any) -> Any:
    return lambda cell: Cell(cell.name, cell.settings.model_copy(update=values))


@pytest.mark.parametrize(
    ("changed", "key", "there", "here"),
    [
        (change(missing="skip"), "missing", '"error"', '"skip"'),
        (change(history="own"), "history", '"gold"', '"own"'),
        (change(options={"level": "low"}), "options.level", "absent", '"low"'),
        (change(splits=("a",)), "splits", "[]", '["a"]'),
        (change(model="nano"), "model", '"oracle"', '"nano"'),
    ],
)
def test_other_settings_are_refused_by_name(
    played: tuple[Path, list[Cell]], changed: Any, key: str, there: str, here: str
) -> None:
    out, cells = played
    before = rows_path(out, cells[0]).read_bytes()
    with pytest.raises(MixError) as caught:
        drive(out, [changed(cells[0])], InProcess(CellPlayer))
    assert f"{key} is {there} there and {here} now" in str(caught.value)
    assert "choose another --out" in str(caught.value)
    assert rows_path(out, cells[0]).read_bytes() == before


def test_a_cell_of_other_settings_is_refused(tmp_path: Path) -> None:
    (cell,) = cells_of(few(tmp_path, "dialog-95000"), "nano")
    admit(tmp_path / "out", [cell])
    begin(tmp_path / "out", cell).write_text("{}\n")
    settings = cell.settings
    options = settings.config.cache.model_copy(update={"options": {"alpha": 2.0}})
    other = settings.model_copy(update={"config": settings.config.model_copy(update={"cache": options})})
    with pytest.raises(MixError, match=r"config\.cache\.options\.alpha is 8\.0 there and 2\.0 now"):
        admit(tmp_path / "out", [Cell(cell.name, other)])


def test_settings_that_led_to_no_row_give_way(tmp_path: Path) -> None:
    """A model that did not fit is tried again with other settings, in the same folder."""
    out, path = tmp_path / "out", few(tmp_path, "dialog-95000")
    wrong = [Cell(cell.name, cell.settings.model_copy(update={"history": "own"})) for cell in cells_of(path)]
    admit(out, wrong)
    begin(out, wrong[0]).touch()
    cells = cells_of(path)
    drive(out, cells, InProcess(CellPlayer))
    assert [cell.settings for cell in stored_cells(out)] == [cells[0].settings.identity()]
    assert json.loads((out / SWEEP).read_text())["history"] == "gold"
    with pytest.raises(MixError, match=r"history is .gold. there and .own. now"):
        admit(out, wrong)


def test_rows_that_say_not_of_what_are_refused(played: tuple[Path, list[Cell]]) -> None:
    out, cells = played
    (out / "cells" / cells[0].name / SETTINGS).unlink()
    with pytest.raises(MixError, match=f"no {SETTINGS}"):
        admit(out, cells)
    (out / SWEEP).unlink()
    with pytest.raises(MixError, match=f"no {SWEEP}"):
        admit(out, cells)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_damaged_settings(played: tuple[Path, list[Cell]], content: bytes) -> None:
    out, cells = played
    (out / SWEEP).write_bytes(content)
    with pytest.raises(SweepError, match=SWEEP):
        admit(out, cells)


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with claimed(tmp_path), pytest.raises(SweepError, match="another process"), claimed(tmp_path):
        pass
    with claimed(tmp_path):
        assert (tmp_path / "sweep.lock").is_file()


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SweepError, match="cannot be written"), claimed(tmp_path / "file" / "out"):
        pass
    with pytest.raises(SweepError, match="holds no results"):
        stored_cells(tmp_path)


def test_damaged_rows_are_named(played: tuple[Path, list[Cell]]) -> None:
    out, cells = played
    path = out / "cells" / cells[0].name / ROWS
    path.write_bytes(b'{"benchmark": 1}\n' + path.read_bytes())
    with pytest.raises(RowsError, match="line 1 is no row"):
        drive(out, cells, InProcess(CellPlayer))
