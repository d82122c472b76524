"""Scores worked out anew: from the rows alone, and the file is the old one until the new one is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.rows import RowsError, read_rows
from eval.sweep.cell_player import CellPlayer
from eval.sweep.folder import SweepError, rows_path
from eval.sweep.plan import Axes, Cell
from eval.sweep.rescore import rescore
from eval.sweep.workers import InProcess
from tests.eval.sweep.tools import cells_of, comparable, drive, few


@pytest.fixture
def played(tmp_path: Path) -> tuple[Path, list[Cell]]:
    path = few(tmp_path, "form_many-95000")
    cells = cells_of(path, axes=Axes((), (), dialects=("ui_tars", "qwen3")))
    drive(tmp_path / "out", cells, InProcess(CellPlayer))
    path.unlink()
    return tmp_path / "out", cells


def edit(path: Path, number: int, **values: Any) -> None:
    lines = path.read_text().splitlines(keepends=True)
    lines[number] = json.dumps({**json.loads(lines[number]), **values}) + "\n"
    path.write_text("".join(lines))


def test_nothing_changes_where_nothing_changed(played: tuple[Path, list[Cell]]) -> None:
    out, cells = played
    before = {cell.name: rows_path(out, cell).read_bytes() for cell in cells}
    for parse in (False, True):
        found = rescore(out, parse)
        assert [(c.name, c.rows, c.changed, c.before, c.after) for c in found] == [
            ("qwen3-oracle", 9, 0, 1.0, 1.0),
            ("ui_tars-oracle", 9, 0, 1.0, 1.0),
        ]
    assert {cell.name: rows_path(out, cell).read_bytes() for cell in cells} == before


def test_wrong_scores_are_put_right(played: tuple[Path, list[Cell]]) -> None:
    out, cells = played
    path, whole = rows_path(out, cells[0]), comparable(out, cells)
    edit(path, 0, scores={"official": 0.0, "release": 1.0})
    edit(path, 4, scores={})
    found = {cell.name: cell for cell in rescore(out)}["ui_tars-oracle"]
    assert (found.changed, found.before, found.after) == (2, 7 / 8, 1.0)
    assert comparable(out, cells) == whole


def test_another_answer_counts_when_it_is_parsed_again(played: tuple[Path, list[Cell]]) -> None:
    out, cells = played
    path = rows_path(out, cells[0])
    edit(path, 0, texts=["Action: click(start_box='(1,1)')"])
    edit(path, 1, texts=["I do not know"])
    assert rescore(out)[1].changed == 0, "the actions stand in the row"
    assert rescore(out, parse=True)[1].changed == 2
    first, second, *_ = read_rows(path)
    assert first.actions[0]["type"] == "click"
    assert first.scores["official"] == 0.0
    assert second.error
    assert not second.actions


def test_skipped_steps_stay_without_scores(tmp_path: Path) -> None:
    path = few(tmp_path, "dialog-95000")
    path.write_text(path.read_text().replace("dialog-95000-1.png", "gone.png"))
    cells = cells_of(path, missing="skip")
    drive(tmp_path / "out", cells, InProcess(CellPlayer))
    assert rescore(tmp_path / "out", parse=True)[0].rows == 2
    assert [row.scores for row in read_rows(rows_path(tmp_path / "out", cells[0]))][1] == {}


def test_bad_gold_is_named_and_the_file_stays(played: tuple[Path, list[Cell]]) -> None:
    out, cells = played
    path = rows_path(out, cells[0])
    edit(path, 2, gold={"type": "kick"})
    before = path.read_bytes()
    with pytest.raises(RowsError, match=r"rows.jsonl: form_many-95000 2: gold.type"):
        rescore(out)
    assert path.read_bytes() == before
    assert not list(out.rglob("*.part"))


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [("benchmark", {"benchmark": "nonesuch"}, "nonesuch"), ("config", {"config": {}}, "say nothing of the prompt")],
)
def test_settings_that_do_not_help(
    played: tuple[Path, list[Cell]], name: str, values: dict[str, Any], why: str
) -> None:
    out, cells = played
    path = rows_path(out, cells[0]).with_name("settings.json")
    data = json.loads(path.read_text())
    assert name in data
    path.write_text(json.dumps({**data, **values}))
    with pytest.raises(SweepError, match=why):
        rescore(out, parse=True)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="no folder"):
        rescore(tmp_path / "nonesuch")
    assert not (tmp_path / "nonesuch").exists()
    with pytest.raises(SweepError, match="no results"):
        rescore(tmp_path)
    assert not list(tmp_path.iterdir()), "nothing is written where nothing belongs"
