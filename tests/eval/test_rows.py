"""Rows on disk: flushed, cut, damaged, and on a full one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envs.actions import Click
from eval.rows import Row, RowFile, RowsError, difference, read_rows

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


SETTINGS = {"version": "a1", "cache": {"policy": "gui_kv", "budget": "20%"}, "seeds": [0, 1], "out": None}


def with_settings(path: Path, count: int = 2) -> list[Row]:
    rows = [ROW.model_copy(update={"step": number, "key": str(number)}) for number in range(count)]
    file = RowFile(path, SETTINGS)
    for row in rows:
        file.write(row)
    file.close()
    return rows


def test_a_file_says_of_which_settings_its_rows_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = with_settings(path)
    before = path.read_bytes()
    assert json.loads(before.splitlines()[0]) == {"settings": SETTINGS}
    assert list(read_rows(path)) == rows
    RowFile(path, {**SETTINGS, "seeds": (0, 1)}).close()
    for changed, told in (
        ({**SETTINGS, "version": "b2"}, 'version is "a1" there and "b2" now'),
        ({**SETTINGS, "cache": {"policy": "gui_kv"}}, 'cache.budget is "20%" there and absent now'),
        ({**SETTINGS, "more": 1}, "more is absent there and 1 now"),
        ({}, 'version is "a1" there and absent now'),
    ):
        with pytest.raises(RowsError) as caught:
            RowFile(path, changed)
        assert told in str(caught.value)
        assert "choose another --out" in str(caught.value)
    assert path.read_bytes() == before


def test_every_cut_of_the_header_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with_settings(path, 0)
    header = path.read_bytes()
    for length in range(len(header)):
        path.write_bytes(header[:length])
        assert list(read_rows(path)) == []
        assert with_settings(path) == list(read_rows(path))
        assert path.read_bytes().startswith(header)


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"a,b", b'{"task": "click"}\n', b"[]\n", b"\x00" * 9])
def test_what_is_no_row_file_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(RowsError, match="does not say of which settings"):
        RowFile(path, SETTINGS)
    assert path.read_bytes() == content


def test_the_first_difference_is_told() -> None:
    assert difference(SETTINGS, dict(SETTINGS)) == ""
    assert difference({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}) == "a.b.c is 1 there and 2 now"
    assert difference({"a": {}}, {"a": 1}) == "a is {} there and 1 now"
    assert difference({"a": None}, {}) == "a is null there and absent now"
