"""Folders of sweeps: what belongs together, what is unfinished, and what is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.benchmarks.errors import DataError
from eval.report.cells import ReportError, read_sweep
from eval.report.series import Series, flattened, group_cells
from eval.rows import RowsError
from tests.eval.report import made


def test_cells_that_differ_in_the_seed_are_one(tmp_path: Path) -> None:
    sweep = group_cells(read_sweep(made.sweep(tmp_path)))
    assert [one.label for one in sweep.points] == ["full", "gui_kv 5%", "gui_kv 20%", "random 20%"]
    assert sweep.points[3].seeds == (0, 1)
    assert sweep.budgets == ("5%", "20%")
    assert sweep.warnings == ()
    assert sweep.shared["config.cache.moment"] == "next_observation"
    assert "seed" not in sweep.shared
    assert sweep.at(Series("full"), "5%") is sweep.points[0]
    assert sweep.at(Series("random"), "5%") is None


def test_other_settings_make_other_series(tmp_path: Path) -> None:
    for moment in ("prefill", "next_observation"):
        made.cell(tmp_path, f"g-{moment}", made.settings(moment=moment), made.rows(made.FULL))
        made.cell(tmp_path, f"f-{moment}", made.settings("full", "100%", moment=moment), made.rows(made.FULL))
    made.cell(tmp_path, "alpha", made.settings(moment="prefill", options={"alpha": 2}), made.rows(made.FULL))
    sweep = group_cells(read_sweep(tmp_path))
    labels = [one.label for one in sweep.points]
    assert len(labels) == len(set(labels)) == 5
    assert {"full · moment prefill", "full · moment next_observation"} < set(labels)
    alpha = next(one for one in sweep.points if one.cells[0].name == "alpha")
    full = sweep.full_of(alpha.series)
    assert full is not None
    assert full.cells[0].name == "f-prefill"


def test_dialects_of_an_oracle(tmp_path: Path) -> None:
    for dialect in ("ui_tars", "opencua"):
        made.cell(tmp_path, dialect, made.settings(model="oracle", dialect=dialect), made.rows(made.FULL, None))
    sweep = group_cells(read_sweep(tmp_path))
    assert [one.label for one in sweep.points] == ["oracle · dialect opencua", "oracle · dialect ui_tars"]
    assert sweep.budgets == ()


def test_an_unfinished_sweep_is_compared_on_common_steps(tmp_path: Path) -> None:
    made.cell(tmp_path, "full", made.settings("full"), made.rows(made.FULL))
    made.cell(tmp_path, "gui", made.settings(), made.rows({"a": (0.0, 1.0), "b": (0.0,)})[:2])
    made.cell(tmp_path, "none", made.settings("snap_kv"), [])
    sweep = group_cells(read_sweep(tmp_path))
    assert sweep.played == (("0", "a", "0"), ("0", "a", "1"))
    assert sweep.warnings[0] == "none has no step yet and is left out"
    assert "the 2 steps that every cell has, of up to 4; gui has the fewest, 2" in sweep.warnings[1]


def test_half_a_line_at_the_end_is_left_out(tmp_path: Path) -> None:
    made.cell(tmp_path, "gui", made.settings(), made.rows(made.FULL), tail='{"benchmark": "playgr')
    assert len(group_cells(read_sweep(tmp_path)).played) == 4


def test_skipped_steps_do_not_count(tmp_path: Path) -> None:
    its = made.rows(made.FULL)
    gone = {"skipped": "the image x.png is missing", "scores": {}, "cost": {}, "texts": (), "views": (), "facts": {}}
    first = [its[0].model_copy(update=gone), *its[1:]]
    made.cell(tmp_path, "full", made.settings("full"), first)
    made.cell(tmp_path, "gui", made.settings(), [*first[:3], its[3].model_copy(update=gone)])
    sweep = group_cells(read_sweep(tmp_path))
    assert sweep.skipped == {("0", "a", "0")}
    assert sweep.played == (("0", "a", "1"), ("0", "b", "0"))
    assert sweep.warnings == ("1 steps were left out by some cells only, and count in none",)


def test_the_full_cache_at_several_budgets_counts_once(tmp_path: Path) -> None:
    made.cell(tmp_path, "f1", made.settings("full", "5%"), made.rows(made.FULL)[:3])
    made.cell(tmp_path, "f2", made.settings("full", "20%"), made.rows(made.FULL))
    sweep = group_cells(read_sweep(tmp_path))
    assert [cell.name for cell in sweep.cells] == ["f2"]
    assert "f2 and f1 are the same settings" in sweep.warnings[0]


def test_budgets_of_different_units_are_in_order(tmp_path: Path) -> None:
    for budget in ("64MiB", "2048 tokens", "20%", "3%", "512 tokens"):
        made.cell(tmp_path, budget, made.settings(budget=budget), made.rows(made.FULL))
    assert group_cells(read_sweep(tmp_path)).budgets == ("3%", "20%", "512 tokens", "2048 tokens", "64MiB")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{", "settings.json is not whole JSON"),
        ('{"path": "/x"}', "settings.json: benchmark: Field required"),
        ('{"benchmark": "playground", "path": "/x", "seed": "no"}', "settings.json: seed: "),
        ('{"benchmark": "p", "path": "/x", "config": {"cache": {"budget": "much"}}}', "config.cache.budget: "),
        ("[]", "settings.json: "),
    ],
)
def test_damaged_settings_are_named(tmp_path: Path, change: str, message: str) -> None:
    place = made.cell(tmp_path, "gui", made.settings(), made.rows(made.FULL))
    (place / "settings.json").write_text(change)
    with pytest.raises(DataError) as caught:
        read_sweep(tmp_path)
    assert message in str(caught.value)
    assert "gui" in str(caught.value)


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"scores": {"official": float("nan")}}, "line 2: scores.official: nan is no score"),
        ({"scores": {}}, "line 2: scores: there is no official score"),
        ({"cost": {"kv_bytes": "many"}}, "line 2: cost.kv_bytes: "),
        ({"cost": {"kv_bytes": float("inf")}}, "line 2: cost.kv_bytes: "),
        ({"seconds": {"vision": float("nan")}}, "line 2: cost.seconds.vision: "),
        ({"benchmark": "other"}, "line 2: benchmark: 'other' is not 'playground'"),
        ({"key": "0"}, "line 2: the step a 0 is there already, in line 1"),
    ],
)
def test_damaged_rows_are_named(tmp_path: Path, update: dict[str, object], message: str) -> None:
    place = made.cell(tmp_path, "gui", made.settings(), [])
    lines = [one.model_dump(mode="json") for one in made.rows(made.FULL)]
    lines[1] |= update
    (place / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(RowsError) as caught:
        read_sweep(tmp_path)
    assert str(place / "rows.jsonl") in str(caught.value)
    assert message in str(caught.value)


def test_a_line_that_is_no_row_is_named(tmp_path: Path) -> None:
    made.cell(tmp_path, "gui", made.settings(), made.rows(made.FULL), tail="{}\n")
    with pytest.raises(RowsError, match="line 5 is no row"):
        read_sweep(tmp_path)


def test_folders_that_are_no_sweep(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="holds no sweep"):
        read_sweep(tmp_path)
    with pytest.raises(ReportError, match="holds no sweep"):
        read_sweep(tmp_path / "absent")
    made.cell(tmp_path, "gui", made.settings(), [])
    with pytest.raises(ReportError, match="no cell of the sweep has a row yet"):
        group_cells(read_sweep(tmp_path))
    made.cell(tmp_path, "a", made.settings(), made.rows({"a": (1.0,)}))
    made.cell(tmp_path, "b", made.settings("snap_kv"), made.rows({"b": (1.0,)}))
    with pytest.raises(ReportError, match="no step was played in every cell"):
        group_cells(read_sweep(tmp_path))


def test_several_benchmarks_make_no_report(tmp_path: Path) -> None:
    made.cell(tmp_path, "a", made.settings(), [])
    other = made.settings().model_copy(update={"benchmark": "aitz"})
    made.cell(tmp_path, "b", other, [])
    with pytest.raises(ReportError, match=r"several benchmarks \(aitz, playground\)"):
        read_sweep(tmp_path)


def test_cells_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("gui-10%", "gui-5%", "gui-100%"):
        made.cell(tmp_path, name, made.settings(), [])
    assert [cell.name for cell in read_sweep(tmp_path)] == ["gui-5%", "gui-10%", "gui-100%"]


def test_settings_in_one_row() -> None:
    data = {"a": {"b": 1, "c": None, "d": []}, "e": ["x"], "f": False}
    assert flattened(data) == {"a.b": "1", "e": '["x"]', "f": "false"}


def test_rows_are_read_again_by_their_line(tmp_path: Path) -> None:
    place = made.cell(tmp_path, "gui", made.settings(), made.rows(made.FULL))
    only = read_sweep(tmp_path)[0]
    found = only.reread([("0", "a", "1"), ("0", "c", "0"), ("0", "unknown", "0")])
    assert {step: row.texts for step, row in found.items()} == {
        ("0", "a", "1"): ("answer of a 1",),
        ("0", "c", "0"): ("answer of c 0",),
    }
    lines = (place / "rows.jsonl").read_text().splitlines(keepends=True)
    (place / "rows.jsonl").write_text("".join([lines[0], "{}\n", *lines[2:]]))
    with pytest.raises(RowsError, match="cannot be read again"):
        only.reread([("0", "a", "1")])
    (place / "rows.jsonl").write_text("")
    with pytest.raises(RowsError, match="has become shorter"):
        only.reread([("0", "a", "1")])


def test_half_a_character_pair_is_read_again(tmp_path: Path) -> None:
    """Models can write one, and JSON can hold it."""
    made.cell(tmp_path, "gui", made.settings(), made.rows({"a": (0.0,)}, texts=("\ud83d",)))
    (row,) = read_sweep(tmp_path)[0].reread([("0", "a", "0")]).values()
    assert row.texts == ("\ud83d",)
