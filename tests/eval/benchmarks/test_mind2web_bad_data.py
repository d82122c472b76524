"""What is wrong with the data is told with file, record and field; what is right is read all the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agent.errors import ConfigError
from envs.geometry import Size
from eval.benchmarks.base import Source, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.mind2web import parquet_files
from eval.benchmarks.mind2web.benchmark import MIND2WEB
from tests.eval.benchmarks.mind2web_pages import PAGES, SCHEMA, block_line, candidate, row, write_lines, write_rows

PAGE = PAGES["task"][1]
Change = Callable[[dict[str, Any]], object]


def load(path: Path, **given: Any) -> list[Trajectory]:
    return list(MIND2WEB.trajectories(Source(path, **given)))


def lines(folder: Path, text: bytes) -> Path:
    (folder / "cross_task_blocks.jsonl").write_bytes(text)
    return folder


def line(**changes: Any) -> dict[str, Any]:
    return {**block_line("task", PAGE), **changes}


BAD_LINES: dict[str, tuple[Change, str]] = {
    "no gold": (lambda record: record.pop("bbox"), "bbox"),
    "no blocks": (lambda record: record.pop("target_blocks"), "target_blocks"),
    "unknown operation": (lambda record: record.update(operation="SHOUT"), "operation"),
    "NaN": (lambda record: record.update(bbox=[[float("nan"), 1, 2, 3]]), "NaN is not a number"),
    "a text for a number": (lambda record: record.update(bbox=[["left", 1, 2, 3]]), r"bbox\.0\.0"),
    "three numbers": (lambda record: record.update(bbox=[[1, 2, 3]]), r"bbox\.0\.3"),
    "negative width": (lambda record: record.update(bbox=[[1, 1, -2, 3]]), r"bbox\.0\.2"),
    "outside of the block": (
        lambda record: record.update(target_blocks={"0": [[1300, 10, 5, 5]]}),
        r"target_blocks\.0: the place is outside",
    ),
    "no block": (lambda record: record.update(target_blocks={"first": [[1, 1, 1, 1]]}), "target_blocks"),
    "block of a page without end": (lambda record: record.update(target_blocks={"99999": [[1, 1, 1, 1]]}), "target"),
    "a list": (lambda record: record.update(step=[1]), "step"),
    "no steps": (lambda record: record.update(total_steps=0), "total_steps"),
    "an empty name": (lambda record: record.update(annotation_id=""), "annotation_id"),
    "a name that leads out": (lambda record: record.update(annotation_id="../../x"), "leads out"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_bad_lines(name: str, tmp_path: Path) -> None:
    change, told = BAD_LINES[name]
    record = line()
    change(record)
    write_lines(tmp_path / "cross_task_blocks.jsonl", [line(action_uid="before"), record])
    with pytest.raises(DataError, match=rf"cross_task_blocks\.jsonl line 2.*{told}"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (json.dumps(line()).encode()[:-30], "line 1 is not whole JSON"),
        (b'{"annotation_id": "caf\xe9"}\n', "line 1 is not UTF-8"),
        (b"[1, 2]\n", "line 1"),
    ],
)
def test_bad_files(text: bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=told):
        load(lines(tmp_path, text))


def test_a_file_is_checked_before_the_first_of_its_tasks_is_given(tmp_path: Path) -> None:
    text = json.dumps(line()) + "\n" + json.dumps(line(annotation_id="later"))[:-9]
    found = MIND2WEB.trajectories(Source(lines(tmp_path, text.encode())))
    with pytest.raises(DataError, match="line 2"):
        next(found)


def test_two_steps_of_one_name(tmp_path: Path) -> None:
    write_lines(tmp_path / "cross_task_blocks.jsonl", [line(), line(step=0)])
    with pytest.raises(DataError, match="line 2: action_uid: 't1' is there twice"):
        load(tmp_path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is missing"):
        load(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no cross_domain"):
        load(tmp_path)
    write_lines(tmp_path / "cross_task_blocks.jsonl", [line()])
    assert [one.split for one in load(tmp_path)] == ["task"]
    with pytest.raises(DataError, match="holds no cross_website"):
        load(tmp_path, splits=("website",))


def test_unknown_splits_and_options(tmp_path: Path) -> None:
    write_lines(tmp_path / "cross_task_blocks.jsonl", [line()])
    with pytest.raises(ConfigError, match="no split 'train'"):
        load(tmp_path, splits=("train",))
    with pytest.raises(ConfigError, match="no option 'level'"):
        load(tmp_path, options={"level": "low"})
    with pytest.raises(ConfigError, match="hint cannot be 'yes'"):
        load(tmp_path, options={"hint": "yes"})
    with pytest.raises(ConfigError, match=r"\(it is session or text or release\)"):
        load(tmp_path, options={"history": "none"})


BAD_ROWS: dict[str, tuple[Change, str]] = {
    "no operation": (lambda record: record.update(operation=None), "operation"),
    "operation cut off": (lambda record: record.update(operation='{"op": "CLI'), "operation"),
    "NaN": (lambda record: record.update(pos_candidates=[candidate("nan,1,2,3")]), "bounding_box_rect"),
    "no numbers": (lambda record: record.update(pos_candidates=[candidate("left,1,2,3")]), "bounding_box_rect"),
    "negative width": (lambda record: record.update(pos_candidates=[candidate("1,1,-2,3")]), "bounding_box_rect"),
    "no place": (lambda record: record.update(pos_candidates=['{"tag": "a"}']), r"pos_candidates\.0\.attributes"),
    "outside of the page": (
        lambda record: record.update(pos_candidates=[candidate("10,9000,5,5")]),
        "is not on the page, which is 1280x1900",
    ),
    "no picture": (lambda record: record.update(screenshot={"bytes": b"GIF?", "path": None}), "is not an image"),
    "no index": (lambda record: record.update(target_action_index="last"), "target_action_index"),
    "index of no step": (lambda record: record.update(target_action_index="9"), "9 is none of 2 steps"),
    "no task": (lambda record: record.update(annotation_id=None), "annotation_id"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_rows(name: str, tmp_path: Path) -> None:
    change, told = BAD_ROWS[name]
    record = row(PAGE)
    change(record)
    write_rows(tmp_path / "test_task-0.parquet", [row(PAGES["task"][0]), record])
    with pytest.raises(DataError, match=rf"test_task-0\.parquet row 1.*{told}"):
        load(tmp_path)


def test_a_column_that_is_missing(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([row(PAGE)], SCHEMA)
    pq.write_table(table.drop_columns(["pos_candidates"]), tmp_path / "test_task-0.parquet")
    with pytest.raises(DataError, match=r"test_task-0\.parquet: the column pos_candidates is missing"):
        load(tmp_path)


def test_pages_are_not_read_as_html(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([row(PAGE)], SCHEMA)
    pq.write_table(table.drop_columns(["raw_html", "cleaned_html", "neg_candidates"]), tmp_path / "test_task-0.parquet")
    assert load(tmp_path)[0].steps[0].key == "t1"


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "test_task-0.parquet", [row(PAGE)])
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match="cannot be read as parquet"):
        load(tmp_path)


def test_text_in_a_parquet_file_that_is_not_utf8(tmp_path: Path) -> None:
    plain = pa.Table.from_pylist([row(PAGE)], SCHEMA)
    bad = pa.array([b"caf\xe9"]).view(pa.binary()).cast(pa.string(), safe=False)
    index = plain.schema.get_field_index("confirmed_task")
    pq.write_table(plain.set_column(index, "confirmed_task", bad), tmp_path / "test_task-0.parquet")
    with pytest.raises(DataError, match="row 0 is not UTF-8 text"):
        load(tmp_path)


def test_a_row_without_a_screenshot_has_the_blocks_that_its_element_needs(tmp_path: Path) -> None:
    record = row(PAGE)
    record.update(screenshot=None, pos_candidates=[candidate("100,1500,50,20")])
    write_rows(tmp_path / "test_task-0.parquet", [record])
    step = load(tmp_path)[0].steps[0]
    assert [view.exists for view in step.views] == [False, False]
    assert [view.stated for view in step.views] == [Size(1280, 1000), Size(1280, 999)]
    assert step.gold.target_blocks == {1: ((100.0, 700.0, 50.0, 20.0),)}
    assert MIND2WEB.oracle_view(step) == 1


def test_steps_in_one_text(tmp_path: Path) -> None:
    record = row(PAGE)
    record["action_reprs"] = ["\n".join(PAGE.reprs)]
    write_rows(tmp_path / "test_task-0.parquet", [record])
    (one,) = load(tmp_path, options={"history": "text"})
    assert one.steps[0].note == f"Previous actions:\n{PAGE.reprs[0]}"
    assert one.steps[0].facts["total_steps"] == 2


def test_pyarrow_is_only_needed_for_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(parquet_files.importlib, "import_module", absent)
    write_lines(tmp_path / "cross_task_blocks.jsonl", [line()])
    assert len(load(tmp_path)) == 1
    (tmp_path / "cross_task_blocks.jsonl").unlink()
    write_rows(tmp_path / "test_task-0.parquet", [row(PAGE)])
    with pytest.raises(DataError, match="pip install 'guikv"):
        load(tmp_path)
