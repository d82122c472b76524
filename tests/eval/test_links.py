"""Every command that writes, into a folder where somebody laid links: what they lead to stays as it was."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from agent.config import Config
from agent.demo import write_index
from agent.errors import AgentError, RecordError
from agent.recorder import Recorder, write_atomically
from agent.records import StepRecord
from agent.report.build import build_report
from agent.runs import load_run
from envs.geometry import Size, Viewport
from eval.cli import app
from eval.live.episodes import EpisodeRow
from eval.rows import RowFile, RowsError, write_csv
from eval.sweep.events import Event, RowMade
from eval.sweep.jobs import finish_jobs
from guikv.errors import GuikvError
from tests.agent.scripted import FINISHED, FakeScreen, click, play
from tests.eval.sweep.tools import EPISODES, few

THEIRS = b"theirs"


Do = Callable[[Path], object]


def replayed(out: Path) -> None:
    command("replay", "playground", "--path", few(out.parent, "dialog-95000"), "--images", EPISODES,
            "--model", "oracle", "--dialect", "qwen3", "--out", out)  # fmt: skip


def rescored(out: Path) -> None:
    command("rescore", out)


def reported(out: Path) -> None:
    command("report", out)


def shown(out: Path) -> None:
    command("show", out)


def recorded(out: Path) -> None:
    play([click(1, 1), click(2, 2), FINISHED], FakeScreen(), recorder=Recorder.create(out, {"task": "Press"}))


class AtOnce:
    """A player whose episodes are over when they begin."""

    def play(self, job: tuple[str, int]) -> Iterator[Event]:
        yield RowMade(EpisodeRow(task=job[0], seed=job[1], status="success"))

    def close(self) -> None:
        return


def evaluated(out: Path) -> None:
    jobs = {("click", seed): ("click", seed) for seed in range(2)}
    rows = finish_jobs(jobs, EpisodeRow, lambda stopping: AtOnce(), out / "episodes.jsonl", {"policy": "full"})
    write_csv(out / "episodes.csv", ["task", "seed"], rows.values())
    write_atomically(out / "result.json", {"done": 1})


def demonstrated(out: Path) -> None:
    out.mkdir(exist_ok=True)
    write_index(out, Config(), [])


def command(*arguments: object) -> None:
    """As a user would call it. Raises what is no error for users."""
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception


def hostile(whole: Path, out: Path, elsewhere: Path) -> Iterator[str]:
    """Copies of a folder with one link in it: at every file and folder, and at the names that writers once used."""
    inside = sorted(each.relative_to(whole) for each in whole.rglob("*"))
    parts = [each.with_name(f"{each.name}.part") for each in inside]
    parts += [each.with_suffix(".part") for each in inside]
    for each in (*inside, *parts):
        for target in ("file", "nothing", "folder", "pipe"):
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(whole, out)
            place = out / each
            if place.is_dir():
                shutil.rmtree(place)
            place.unlink(missing_ok=True)
            place.symlink_to(elsewhere / target)
            yield f"{each} → {target}"


@pytest.mark.parametrize(
    ("do", "before"),
    [
        (replayed, None),
        (rescored, replayed),
        (reported, replayed),
        (shown, recorded),
        (recorded, None),
        (evaluated, None),
        (demonstrated, None),
    ],
    ids=lambda do: do.__name__ if do else "",
)
def test_no_command_writes_through_a_link(do: Do, before: Do | None, tmp_path: Path) -> None:
    elsewhere, whole = tmp_path / "elsewhere", tmp_path / "whole"
    (elsewhere / "folder").mkdir(parents=True)
    (elsewhere / "file").write_bytes(THEIRS)
    os.mkfifo(elsewhere / "pipe")
    if before is not None:
        before(whole)
    do(whole)
    tried = 0
    for name in hostile(whole, tmp_path / "out", elsewhere):
        tried += 1
        if name.endswith("pipe") and ".part" not in name and do not in (recorded, evaluated, demonstrated):
            continue  # whoever reads a pipe waits; only writers are looked at here
        with suppress(AgentError, GuikvError):
            do(tmp_path / "out")
        assert (elsewhere / "file").read_bytes() == THEIRS, name
        assert sorted(each.name for each in elsewhere.rglob("*")) == ["file", "folder", "pipe"], name
    assert tried >= 12


def test_a_record_refuses_folders_that_are_links(tmp_path: Path) -> None:
    (tmp_path / "there" / "frames").mkdir(parents=True)
    (tmp_path / "run").symlink_to(tmp_path / "there")
    with pytest.raises(RecordError, match="run cannot be written: run: this is a link"):
        recorded(tmp_path / "run")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "frames").symlink_to(tmp_path / "there" / "frames")
    with pytest.raises(RecordError, match="other cannot be written: frames: this is a link"):
        recorded(tmp_path / "other")
    assert not list((tmp_path / "there" / "frames").iterdir())
    assert list((tmp_path / "there").iterdir()) == [tmp_path / "there" / "frames"]


def test_a_picture_is_not_written_through_a_link(tmp_path: Path) -> None:
    image = Image.new("RGB", (8, 8))
    first = Recorder.create(tmp_path / "a", {})
    first.write(StepRecord(step=1, frame=1, viewport=Viewport(Size(8, 8), Size(8, 8))), image)
    (name,) = (each.name for each in (tmp_path / "a" / "frames").iterdir())
    second = Recorder.create(tmp_path / "b", {})
    (tmp_path / "theirs").write_bytes(THEIRS)
    place = tmp_path / "b" / "frames" / name
    for link in (place, place.with_suffix(".part"), place.with_name(f"{name}.part")):
        link.symlink_to(tmp_path / "theirs")
    second.write(StepRecord(step=1, frame=1, viewport=Viewport(Size(8, 8), Size(8, 8))), image)
    assert (tmp_path / "theirs").read_bytes() == THEIRS
    assert not place.is_symlink()


def test_a_report_may_be_put_into_a_linked_folder_that_its_user_names(tmp_path: Path) -> None:
    recorded(tmp_path / "run")
    (tmp_path / "there").mkdir()
    (tmp_path / "pages").symlink_to(tmp_path / "there")
    build_report(load_run(tmp_path / "run"), tmp_path / "pages" / "a.html")
    assert (tmp_path / "there" / "a.html").is_file()


def test_rows_are_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(THEIRS)
    for name in ("rows.jsonl", "rows.csv"):
        (tmp_path / name).symlink_to(tmp_path / "theirs")
    for settings in (None, {"policy": "full"}):
        with pytest.raises(RowsError, match=r"rows\.jsonl cannot be written: this is a link"):
            RowFile(tmp_path / "rows.jsonl", settings)
    write_csv(tmp_path / "rows.csv", ["task"], [EpisodeRow(task="click", seed=0, status="success")])
    assert (tmp_path / "rows.csv").read_text() == "task\nclick\n"
    assert not (tmp_path / "rows.csv").is_symlink()
    assert (tmp_path / "theirs").read_bytes() == THEIRS


def test_an_eps_that_is_called_a_frame_is_told_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path / "run")
    (tmp_path / "gs").write_text(f"#!/bin/sh\necho > {tmp_path}/started\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    frames = sorted((tmp_path / "run" / "frames").iterdir())
    assert len(frames) > 1
    frames[0].write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n")
    page = build_report(load_run(tmp_path / "run")).read_text()
    assert f"picture frames/{frames[0].name} is not an image (PNG, JPEG, WEBP)" in page
    assert page.count("data:image/") >= 1
    assert not (tmp_path / "started").exists()
