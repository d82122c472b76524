"""Rows on disk: flushed, cut, damaged, and on a full one."""

from __future__ import annotations

from pathlib import Path

import pytest

from envs.actions import Click
from eval.rows import Row, RowFile, RowsError, read_rows

ROW = Row(benchmark="b", trajectory="t", step=0, key="0", texts=("é\ud800",), scores={"official": 1.0})


def written(path: Path, count: int = 3) -> list[Row]:
    rows = [ROW.model_copy(update={"step": number, "key": str(number)}) for number in range(count)]
    file = RowFile(path)
    for row in rows:
        file.write(row)
    file.close()
    return rows


def test_they_come_back(tmp_path: Path) -> None:
    rows = written(tmp_path / "deep" / "rows.jsonl")
    assert list(read_rows(tmp_path / "deep" / "rows.jsonl")) == rows


def test_no_file_has_no_rows(tmp_path: Path) -> None:
    assert list(read_rows(tmp_path / "rows.jsonl")) == []


@pytest.mark.parametrize("tail", [b'{"benchmark": "b"', b"\xff\xfe", b"{"])
def test_half_a_line_is_left_out_and_then_cut_off(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    rows = written(path)
    with path.open("ab") as file:
        file.write(tail)
    assert list(read_rows(path)) == rows
    RowFile(path).close()
    assert path.read_bytes().count(b"\n") == 3
    assert list(read_rows(path)) == rows


@pytest.mark.parametrize(
    "line", [b"{}", b"[]", b"nothing", b'{"benchmark":"b","trajectory":"t","step":0,"key":"k","x":1}']
)
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    written(path, 1)
    with path.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(RowsError, match=r"rows\.jsonl line 2 is no row"):
        list(read_rows(path))


@pytest.mark.parametrize("length", [2**16 - 1, 2**16, 200_000])
@pytest.mark.parametrize("rows", [0, 2])
def test_half_a_long_line_is_cut_off(tmp_path: Path, length: int, rows: int) -> None:
    path = tmp_path / "rows.jsonl"
    written(path, rows)
    before = path.read_bytes()
    with path.open("ab") as file:
        file.write(b"x" * length)
    RowFile(path).close()
    assert path.read_bytes() == before


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_told_and_not_written(tmp_path: Path, score: float) -> None:
    path = tmp_path / "rows.jsonl"
    rows = written(path)
    file = RowFile(path)
    with pytest.raises(RowsError, match="t 0: the row cannot be written as JSON"):
        file.write(ROW.model_copy(update={"scores": {"official": score}}))
    file.close()
    assert list(read_rows(path)) == rows


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(RowsError, match="cannot be written"):
        RowFile(tmp_path)


def test_a_full_disk_is_told() -> None:
    file = RowFile(Path("/dev/full"))
    with pytest.raises(RowsError, match="is the disk full"):
        file.write(ROW)
    with pytest.raises(RowsError, match="is the disk full"):
        file.close()


def test_only_the_seconds_may_differ() -> None:
    other = ROW.model_copy(update={"seconds": {"prefill": 1.0}})
    assert other != ROW
    assert other.comparable == ROW.comparable
    assert ROW.model_copy(update={"error": "x"}).comparable != ROW.comparable


def test_the_prediction_is_what_it_was() -> None:
    action = Click(x=3, y=4)
    row = ROW.model_copy(update={"actions": (action.model_dump(mode="json"),), "size": (640, 480), "image": (644, 476)})
    found = row.prediction
    assert found.actions == (action,)
    assert (found.size.width, found.resize.image.height) == (640, 476)


def test_what_is_no_action_is_told() -> None:
    row = ROW.model_copy(update={"actions": ({"type": "fly"},)})
    with pytest.raises(RowsError, match="the row holds what is no action"):
        assert row.prediction
