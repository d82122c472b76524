"""One cell: resuming where it was stopped, wherever that was."""

from __future__ import annotations

import io
import json
import resource
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from envs import processes
from eval.benchmarks.base import Source, Trajectory
from eval.benchmarks.errors import DataError, MissingImage
from eval.benchmarks.playground.benchmark import Playground
from eval.replay.play import play
from eval.rows import Row, RowsError, read_rows
from eval.sweep import cell_player
from eval.sweep.cell_player import CellJob, CellPlayer
from eval.sweep.events import JobFailed, play_job
from eval.sweep.folder import MixError, SweepError, rows_path
from eval.sweep.plan import Axes
from eval.sweep.survey import survey
from eval.sweep.workers import InProcess
from guikv.errors import DeviceMemoryError
from tests.eval.sweep.conftest import Whole
from tests.eval.sweep.tools import EPISODES, PLAYGROUND, Log, cells_of, comparable, drive, few
from tests.patience import PATIENCE

KILLED = """
import os, signal, sys
from pathlib import Path
from eval.sweep.workers import Processes
from eval.sweep.plan import Axes
from eval.sweep.cell_player import CellPlayer
from tests.eval.sweep.tools import Log, cells_of, drive

class Killer(Log):
    def step(self, cell, official):
        super().step(cell, official)
        if self.steps.count("nano-gui_kv-20%-s0") == 3:
            print(*(worker.process.pid for worker in pool._workers.values()), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

cells = cells_of(Path(sys.argv[1]), "nano", Axes(("gui_kv", "random"), ("20%",), (1,)))
pool = Processes(CellPlayer, 2)
drive(Path(sys.argv[2]), cells, pool, Killer())
"""


@pytest.mark.slow
def test_killed_in_the_middle_of_a_trajectory(whole: Whole, tmp_path: Path) -> None:
    """The session's memory is gone, so the trajectory is played again; its rows come out as they were."""
    out = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, str(whole.path), str(out)]
    killed = subprocess.run(command, stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
    assert killed.returncode == -signal.SIGKILL
    workers = {int(pid) for pid in killed.stdout.split()}
    assert len(workers) == 2
    path = rows_path(out, whole.cells[0])
    before = path.read_bytes()
    assert [row.key for row in read_rows(path)] == ["0", "0", "1"], "one of one step, and two of four"
    path.write_bytes(before + b'{"benchmark": "play')
    log = drive(out, whole.cells, InProcess(CellPlayer))
    assert comparable(out, whole.cells) == whole.rows
    assert path.read_bytes().startswith(before), "what was written stays, its seconds too"
    assert log.trajectories.count(whole.cells[0].name) == 2
    assert not processes.tree(workers), "they ended when their parent was gone"


def test_what_is_complete_is_not_played_again(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Iterator[Row]:
        raise AssertionError("played again")

    monkeypatch.setattr(cell_player, "play", never)
    log = drive(whole.out, whole.cells, InProcess(CellPlayer))
    assert not log.steps
    assert [why for _, why in log.ended] == ["", ""]


def test_a_limit_can_be_raised(tmp_path: Path) -> None:
    cells = cells_of(EPISODES)
    out = tmp_path / "out"
    assert len(drive(out, cells, InProcess(CellPlayer), limit=2).steps) == 2
    assert len(drive(out, cells, InProcess(CellPlayer), limit=4).trajectories) == 2
    drive(tmp_path / "whole", cells, InProcess(CellPlayer), limit=4)
    assert comparable(out, cells) == comparable(tmp_path / "whole", cells)
    assert not drive(out, cells, InProcess(CellPlayer), limit=1).steps


def cut(path: Path, rows: int) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:rows]))


@pytest.mark.parametrize("kept", [0, 1, 3, 8])
def test_cut_anywhere_the_rest_comes_out_the_same(tmp_path: Path, kept: int) -> None:
    cells = cells_of(few(tmp_path, "dialog-95000", "form_many-95000"))
    drive(tmp_path / "out", cells, InProcess(CellPlayer))
    whole = comparable(tmp_path / "out", cells)
    cut(rows_path(tmp_path / "out", cells[0]), kept)
    drive(tmp_path / "out", cells, InProcess(CellPlayer))
    assert comparable(tmp_path / "out", cells) == whole


def test_rows_of_something_else_are_told(tmp_path: Path) -> None:
    """The settings are the same, but what is played again comes out differently: another model, say."""
    cells = cells_of(few(tmp_path, "form_many-95000"))
    out, path = tmp_path / "out", rows_path(tmp_path / "out", cells[0])
    drive(out, cells, InProcess(CellPlayer))
    cut(path, 2)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[1]["texts"] = ["Action: wait()"]
    lines[1]["seconds"] = {"render": 9.0}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    before = path.read_bytes()
    with pytest.raises(MixError, match=r"form_many-95000 .* step 1 came out differently in texts"):
        drive(out, cells, InProcess(CellPlayer))
    assert path.read_bytes() == before


def test_other_data_under_the_same_path_are_told(tmp_path: Path) -> None:
    path = few(tmp_path, "form_many-95000")
    cells = cells_of(path)
    drive(tmp_path / "out", cells, InProcess(CellPlayer))
    record = json.loads(path.read_text())
    record["steps"] = record["steps"][:2]
    path.write_text(json.dumps(record) + "\n")
    with pytest.raises(MixError, match="the data are others now"):
        drive(tmp_path / "out", cells, InProcess(CellPlayer))


def test_an_error_of_one_cell_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = cells_of(few(tmp_path, "dialog-95000"), axes=Axes((), (), dialects=("ui_tars", "qwen3")))

    def short(settings: Any, *rest: Any) -> Iterator[Row]:
        if settings.dialect == "ui_tars":
            raise DeviceMemoryError("the device is full")
        yield from play(settings, *rest)

    monkeypatch.setattr(cell_player, "play", short)
    log = drive(tmp_path / "out", cells, InProcess(CellPlayer))
    assert log.ended == [("ui_tars-oracle", "the device is full"), ("qwen3-oracle", "")]
    assert len(comparable(tmp_path / "out", cells)["qwen3-oracle"]) == 2


def test_an_error_of_all_cells_ends_it(tmp_path: Path) -> None:
    path = few(tmp_path, "dialog-95000")
    path.write_text(path.read_text() + '{"task": "click"}\n')
    cells = cells_of(path, axes=Axes((), (), dialects=("ui_tars", "qwen3")))
    log = Log()
    with pytest.raises(DataError, match=r"few\.jsonl line 2"):
        drive(tmp_path / "out", cells, InProcess(CellPlayer), log)
    assert not log.ended
    assert len(comparable(tmp_path / "out", cells)["ui_tars-oracle"]) == 2, "what came before is kept"


def test_what_nobody_foresaw_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Iterator[Row]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(cell_player, "play", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        drive(tmp_path / "out", cells_of(few(tmp_path, "dialog-95000")), InProcess(CellPlayer))


def test_a_missing_model_is_an_event(tmp_path: Path) -> None:
    (cell,) = cells_of(few(tmp_path, "dialog-95000"), "nonesuch")
    (event,) = play_job(CellPlayer(), CellJob(cell))
    assert isinstance(event, JobFailed)
    assert "no model at 'nonesuch'" in str(event.error)


class Heavy:
    """Stands for the activations of a step that failed."""


def test_what_a_failed_cell_held_is_free_before_the_next_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[weakref.ref[Heavy]] = []

    def full(*_: Any) -> Iterator[Row]:
        heavy = Heavy()
        held.append(weakref.ref(heavy))
        try:
            raise RuntimeError("deep inside")
        except RuntimeError as error:
            raise DeviceMemoryError("the device is full") from error
        yield

    monkeypatch.setattr(cell_player, "play", full)
    (cell,) = cells_of(few(tmp_path, "dialog-95000"))
    event = next(iter(play_job(CellPlayer(), CellJob(cell))))
    assert isinstance(event, JobFailed)
    assert [one() for one in held] == [None]


def without_image(folder: Path) -> Path:
    path = few(folder, "form_many-95000")
    record = json.loads(path.read_text())
    record["steps"][3]["file"] = "gone.png"
    path.write_text(json.dumps(record) + "\n")
    return path


def test_missing_images_are_told_before_anything_is_played(tmp_path: Path) -> None:
    (cell,) = cells_of(without_image(tmp_path))
    with pytest.raises(MissingImage, match=r"1 of 9 steps have no image, the first is few.jsonl line 1: .*gone.png"):
        survey(cell.settings, PLAYGROUND)
    for missing in ("skip", "blank"):
        assert survey(cell.settings.model_copy(update={"missing": missing}), PLAYGROUND).missing == 1


def test_a_model_cannot_see_blanks(tmp_path: Path) -> None:
    (cell,) = cells_of(without_image(tmp_path), "nano", missing="blank")
    with pytest.raises(MissingImage, match="1 of 9 steps have no image"):
        survey(cell.settings, PLAYGROUND)


def test_names_that_are_there_twice(tmp_path: Path) -> None:
    path = few(tmp_path, "dialog-95000")
    (cell,) = cells_of(path)

    @dataclass(frozen=True)
    class Twice(Playground):
        def trajectories(self, source: Source) -> Iterator[Trajectory]:
            for trajectory in super().trajectories(source):
                yield replace(trajectory, steps=trajectory.steps * 2)

    with pytest.raises(DataError, match=r"few\.jsonl line 1: dialog-95000 has the step 0 twice"):
        survey(cell.settings, Twice())
    path.write_text(path.read_text() * 2)
    with pytest.raises(DataError, match=r"few\.jsonl line 2: the trajectory dialog-95000 is there twice"):
        survey(cell.settings, PLAYGROUND)


def test_skipped_steps_have_rows(tmp_path: Path) -> None:
    cells = cells_of(without_image(tmp_path), missing="skip")
    drive(tmp_path / "out", cells, InProcess(CellPlayer))
    rows = list(read_rows(rows_path(tmp_path / "out", cells[0])))
    assert [bool(row.skipped) for row in rows] == [False] * 3 + [True] + [False] * 5
    assert not rows[3].scores


def test_no_data_at_all(tmp_path: Path) -> None:
    (cell,) = cells_of(few(tmp_path, "dialog-95000"), splits=("nonesuch",))
    with pytest.raises(DataError, match="no steps of playground in the splits nonesuch"):
        survey(cell.settings, PLAYGROUND)


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """The limit of a file's size stands for the end of the disk: a write fails in the middle of a row."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    cells = cells_of(EPISODES)
    out, name = tmp_path / "out", cells[0].name
    with small_disk(12_000), pytest.raises(RowsError, match=r"rows\.jsonl cannot be written: .*; is the disk full?"):
        drive(out, cells, InProcess(CellPlayer))
    assert len(rows_path(out, cells[0]).read_bytes()) == 12_000
    before = comparable(out, cells)[name]
    assert len(before) > 3
    drive(out, cells, InProcess(CellPlayer))
    drive(tmp_path / "whole", cells, InProcess(CellPlayer))
    after = comparable(out, cells)[name]
    assert after == comparable(tmp_path / "whole", cells)[name]
    assert after[: len(before)] == before


def test_a_disk_too_full_to_begin(tmp_path: Path) -> None:
    with small_disk(100), pytest.raises(SweepError, match=r"sweep\.json cannot be written: .*; is the disk full?"):
        drive(tmp_path / "out", cells_of(EPISODES), InProcess(CellPlayer))
    assert not list((tmp_path / "out").rglob("*.json*")), "no half-written settings"


def test_a_full_disk_at_the_first_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = cells_of(few(tmp_path, "dialog-95000"))
    path = rows_path(tmp_path / "out", cells[0])
    drive(tmp_path / "out", cells, InProcess(CellPlayer))
    path.unlink()
    monkeypatch.setattr("eval.rows.appending", lambda path: io.FileIO("/dev/full", "r+"))
    with pytest.raises(RowsError, match="No space left on device; is the disk full"):
        drive(tmp_path / "out", cells, InProcess(CellPlayer))
    assert not path.exists()
