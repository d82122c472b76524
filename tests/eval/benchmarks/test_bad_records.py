"""A record that cannot be used ends the reading, or is left out and told, wherever it stands and whatever it is."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import BENCHMARKS
from eval.benchmarks.base import Source
from eval.benchmarks.errors import DataError
from tests.eval.benchmarks import androidcontrol_files, mind2web_pages

DATA = Path(__file__).parents[2] / "data"
BAD: tuple[Any, ...] = (None, 7, "text", [], {}, {"episode_id": "x"}, [{}], {"steps": [{}]})
"""What no benchmark takes for a record."""


def read(name: str, path: Path, leave_out: bool = True) -> tuple[list[str], list[str]]:
    """Ids of the trajectories, and what was told of records that were left out."""
    told: list[str] = []
    source = Source(path, on_bad=(lambda error: told.append(str(error))) if leave_out else None)
    return [trajectory.id for trajectory in BENCHMARKS[name].trajectories(source)], told


@dataclass(frozen=True)
class Form:
    """One published form. start: the data; write: a list of records to that place"""

    name: str
    records: tuple[Any, ...]
    write: Callable[[Path, list[Any]], Path]


def as_list(file: str) -> Callable[[Path, list[Any]], Path]:
    def write(folder: Path, records: list[Any]) -> Path:
        (folder / file).write_text(json.dumps(records))
        return folder / file

    return write


def as_lines(file: str) -> Callable[[Path, list[Any]], Path]:
    def write(folder: Path, records: list[Any]) -> Path:
        return mind2web_pages.write_lines(folder / file, records)

    return write


def as_files(folder: Path, records: list[Any]) -> Path:
    for number, record in enumerate(records):
        (folder / f"{number}.json").write_text(json.dumps(record))
    return folder


def lists(pattern: str) -> tuple[Any, ...]:
    return tuple(record for file in sorted(DATA.glob(pattern)) for record in json.loads(file.read_text()))[:6]


def lines(pattern: str) -> tuple[Any, ...]:
    texts = (line for file in sorted(DATA.glob(pattern)) for line in file.read_text().splitlines())
    return tuple(json.loads(line) for line in texts)[:6]


def files(pattern: str) -> tuple[Any, ...]:
    return tuple(json.loads(file.read_text()) for file in sorted(DATA.glob(pattern)))


FORMS = (
    Form("agentnetbench", files("agentnetbench/*.json"), as_files),
    Form("aitz", files("aitz/*.json"), as_files),
    Form("androidcontrol", lists("androidcontrol/processed/*.json"), as_list("500_steps.json")),
    Form("androidcontrol", lines("androidcontrol/ui_s1/*.jsonl"), as_lines("episodes.jsonl")),
    Form("mind2web", tuple(mind2web_pages.block_line("task", page) for page in mind2web_pages.PAGES["task"]),
         as_lines("cross_task_blocks.jsonl")),
    Form("screenspot_v2", lists("screenspot/v2/*.json"), as_list("screenspot_web_v2.json")),
    Form("screenspot_v2", lists("screenspot/v2_sized/*web*.json"), as_list("screenspot_web_v2.json")),
    Form("screenspot_pro", lists("screenspot/pro/annotations/*.json"), as_list("word.json")),
    Form("playground", lines("nano_episodes/*.jsonl"), as_lines("few.jsonl")),
)  # fmt: skip


def test_every_form_goes_on_behind_a_bad_record(tmp_path: Path) -> None:
    tried = 0
    for number, form in enumerate(FORMS):
        plain = tmp_path / f"{number}"
        plain.mkdir()
        ids, told = read(form.name, form.write(plain, list(form.records)))
        assert ids, form.name
        assert not told, form.name
        for at in range(len(form.records) + 1):
            for which, bad in enumerate(BAD):
                if bad == [] and form.name == "aitz":
                    continue
                folder = tmp_path / f"{number}-{at}-{which}"
                folder.mkdir()
                path = form.write(folder, [*form.records[:at], bad, *form.records[at:]])
                with pytest.raises(DataError):
                    read(form.name, path, leave_out=False)
                found, told = read(form.name, path)
                assert len(found) == len(ids), (form.name, at, bad)
                assert len(told) == 1, (form.name, at, bad, told)
                shutil.rmtree(folder)
                tried += 1
    assert tried > 300


def test_a_file_that_is_cut_off_keeps_what_stands_before(tmp_path: Path) -> None:
    for number, form in enumerate(FORMS):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        path = form.write(folder, list(form.records))
        last = sorted(path.glob("*.json"))[-1] if path.is_dir() else path
        text = last.read_text().rstrip()
        last.write_text(text[: len(text) - 4])
        with pytest.raises(DataError):
            read(form.name, path, leave_out=False)
        ids, told = read(form.name, path)
        assert len(ids) == (1 if form.name == "mind2web" else len(form.records) - 1), form.name
        assert len(told) == 1, form.name


def test_published_episodes(tmp_path: Path) -> None:
    whole = tmp_path / androidcontrol_files.FILE
    androidcontrol_files.write(tmp_path, androidcontrol_files.episode(), androidcontrol_files.episode(episode_id=[8]))
    good, told = read("androidcontrol", tmp_path)
    assert (len(good), told) == (2, [])
    data = gzip.decompress(whole.read_bytes())
    whole.write_bytes(gzip.compress(data[:-9]))
    ids, told = read("androidcontrol", tmp_path)
    assert ids == good[:1]
    assert "cut off" in told[0]


def test_parquet_rows(tmp_path: Path) -> None:
    pages = mind2web_pages.PAGES["task"]
    rows = [mind2web_pages.row(page) for page in pages]
    path = tmp_path / "test_task-00000-of-00001.parquet"
    mind2web_pages.write_rows(path, [rows[0], {**rows[1], "operation": "{"}])
    with pytest.raises(DataError):
        read("mind2web", path, leave_out=False)
    ids, told = read("mind2web", path)
    assert (len(ids), len(told)) == (1, 1)
    assert "row 1: operation" in told[0]


def test_recorded_browsing(tmp_path: Path) -> None:
    shutil.copytree(DATA / "webvoyager" / "taskWolfram_Alpha--6", tmp_path / "taskWolfram_Alpha--6")
    for number, text in enumerate(("{", "[]", "[1]", '[{"role": "user", "content": "no task"}]')):
        bad = tmp_path / f"taskBad--{number}"
        bad.mkdir()
        (bad / "interact_messages.json").write_text(text)
    with pytest.raises(DataError):
        read("webvoyager", tmp_path, leave_out=False)
    ids, told = read("webvoyager", tmp_path)
    assert (ids, len(told)) == (["taskWolfram_Alpha--6"], 4)


def test_data_that_are_not_there_are_an_error_all_the_same(tmp_path: Path) -> None:
    for name in BENCHMARKS:
        with pytest.raises(DataError):
            read(name, tmp_path)


def test_steps_are_put_in_the_order_of_their_numbers_and_a_note_says_so(tmp_path: Path) -> None:
    (file,) = DATA.glob("aitz/*.json")
    steps = json.loads(file.read_text())
    for order in ([2, 0, 3, 1], [3, 2, 1, 0], [1, 0, 2, 3], [0, 1, 2, 3]):
        path = tmp_path / "aitz.json"
        path.write_text(json.dumps([steps[number] for number in order]))
        (trajectory,) = BENCHMARKS["aitz"].trajectories(Source(path))
        assert [step.key for step in trajectory.steps] == ["0", "1", "2", "3"]
        assert [step.gold for step in trajectory.steps] == [
            step.gold for step in next(iter(BENCHMARKS["aitz"].trajectories(Source(file)))).steps
        ]
        assert len(trajectory.notes) == (order != [0, 1, 2, 3])
    path.write_text(json.dumps(steps[:3]))
    (trajectory,) = BENCHMARKS["aitz"].trajectories(Source(path))
    assert trajectory.notes == (f"{path}: episode_length: it is 4, but there are 3 steps",)
    path.write_text(json.dumps([{**steps[0], "episode_length": None}, steps[3]]))
    (trajectory,) = BENCHMARKS["aitz"].trajectories(Source(path))
    assert len(trajectory.notes) == 1
    net = sorted(DATA.glob("agentnetbench/*.json"))[0]
    record = json.loads(net.read_text())
    path = tmp_path / "net.json"
    path.write_text(json.dumps({**record, "steps": record["steps"][::-1]}))
    (turned,) = BENCHMARKS["agentnetbench"].trajectories(Source(path))
    (plain,) = BENCHMARKS["agentnetbench"].trajectories(Source(net))
    assert [step.key for step in turned.steps] == [step.key for step in plain.steps]
    assert "step_num: the steps are not in order" in turned.notes[0]
    assert plain.notes == ()
    steps = [{**step, "step_num": None} for step in record["steps"]]
    path.write_text(json.dumps({**record, "steps": steps}))
    (unnumbered,) = BENCHMARKS["agentnetbench"].trajectories(Source(path))
    assert unnumbered.notes == ()
    assert [step.gold for step in unnumbered.steps] == [step.gold for step in plain.steps]
