"""What is on disk after a run, after half a run, and when the disk gives out."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from agent.errors import RecordError, RunError
from agent.recorder import Recorder
from agent.records import Kept, StepRecord, read_patches
from agent.runs import load_run
from guikv.content import Frame
from tests.agent.scripted import FINISHED, FakeScreen, click, play
from tests.patience import PATIENCE

HEADER = {"task": "Press", "model": {"name": "scripted"}, "cache": {"policy": "gui_kv", "budget": "20%"}}


def record(folder: Path, answers: list[str | Exception], **screen: Any) -> Path:
    play(answers, FakeScreen(**screen), recorder=Recorder.create(folder, HEADER))
    return folder


def test_a_run_can_be_read_back(tmp_path: Path) -> None:
    run = load_run(record(tmp_path / "run", [click(140, 55), "rubbish", click(9, 9), FINISHED]))
    assert run.warnings == ()
    assert (run.header["status"], run.header["steps"], run.header["task"]) == ("success", 3, "Press")
    assert set(run.header["versions"]) == {"python", "torch", "transformers", "guikv", "playwright", "pillow"}
    first = run.steps[0]
    assert first["actions"][0]["executed"]["type"] == "click"
    assert first["actions"][0]["points"] == [[140.0, 55.0]]
    assert first["resize"] == {"screenshot": [280, 280], "image": [280, 280]}
    assert first["kept_patches"]["0"] == {"rows": 10, "cols": 10, "kept": "9" * 100}
    assert first["cost"]["kv_bytes"] < first["cost"]["full_kv_bytes"]
    assert run.steps[1]["raw"] == ["rubbish", "Thought: Blue\nAction: click(start_box='(9,9)')"]
    assert all((run.folder / step["frame_file"]).is_file() for step in run.steps)


def test_equal_frames_are_stored_once(tmp_path: Path) -> None:
    run = load_run(record(tmp_path / "run", [click(1, 1), click(2, 2), FINISHED], still=True))
    assert len(run.steps) == 3
    assert len(list((tmp_path / "run" / "frames").iterdir())) == 1


def test_a_run_is_never_written_over(tmp_path: Path) -> None:
    folder = record(tmp_path / "run", [FINISHED])
    with pytest.raises(RecordError, match="holds a run already"):
        Recorder.create(folder, HEADER)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RecordError, match="cannot be written"):
        Recorder.create(tmp_path / "file" / "run", HEADER)


def test_every_step_is_on_disk_before_the_next_begins(tmp_path: Path) -> None:
    seen: list[int] = []

    def count(_: int) -> None:
        seen.append(len((tmp_path / "run" / "steps.jsonl").read_bytes().splitlines()))

    recorder = Recorder.create(tmp_path / "run", HEADER)
    play([click(1, 1), click(2, 2), FINISHED], recorder=recorder, before=count)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("cut", [1, 2, 40, 300])
def test_a_cut_last_line_is_a_warning(tmp_path: Path, cut: int) -> None:
    folder = record(tmp_path / "run", [click(1, 1), click(2, 2), FINISHED])
    steps = folder / "steps.jsonl"
    steps.write_bytes(steps.read_bytes()[:-cut])
    run = load_run(folder)
    if cut == 1:
        assert (len(run.steps), run.warnings) == (3, ())
    else:
        assert len(run.steps) == 2
        assert "steps.jsonl line 3: cut off" in run.warnings[0]


def test_a_damaged_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    folder = record(tmp_path / "run", [click(1, 1), click(2, 2), FINISHED])
    steps = folder / "steps.jsonl"
    lines = steps.read_bytes().splitlines(keepends=True)
    for damage in (b"{\n", b"[]\n", b"\xff\xfe\n", b'{"step": "one"}\n', b"[" * 100_000 + b"\n"):
        steps.write_bytes(lines[0] + damage + lines[2])
        with pytest.raises(RunError, match=r"steps\.jsonl line 2 is damaged"):
            load_run(folder)


def test_folders_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no run"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text("{]")
    with pytest.raises(RunError, match="damaged"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text('{"status": "running"}')
    assert len(load_run(tmp_path).warnings) == 2


class Full:
    """A file on a disk that is full after `room` bytes."""

    def __init__(self, file: IO[bytes], room: int) -> None:
        self._file, self._room = file, room

    def write(self, data: bytes) -> int:
        if len(data) > self._room:
            self._file.write(data[: self._room])
            self._file.flush()
            raise OSError(28, "No space left on device")
        self._room -= len(data)
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_full_disk_ends_the_episode_and_keeps_what_was_written(tmp_path: Path) -> None:
    recorder = Recorder.create(tmp_path / "run", HEADER)
    recorder._steps = Full(recorder._steps, 4000)  # type: ignore[assignment]
    episode = play([click(1, 1), click(2, 2), click(3, 3), FINISHED], recorder=recorder)
    assert episode.result.status == "error"
    assert "No space left" in episode.result.reason
    run = load_run(tmp_path / "run")
    assert run.header["status"] == "error"
    assert 1 <= len(run.steps) < 4
    assert "cut off" in run.warnings[0]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from agent.recorder import Recorder
from guikv.content import Frame
from tests.agent.scripted import click, play
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
recorder = Recorder.create(Path(sys.argv[1]), {"task": "Press"})
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
result = play([click(n, n) for n in range(20)], recorder=recorder).result
print(result.status, result.reason)
"""


def test_a_real_file_limit(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "run")],
        capture_output=True, text=True, timeout=PATIENCE, check=True, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert done.stdout.startswith("error the run in")
    assert len(load_run(tmp_path / "run").steps) >= 1


def test_what_is_no_json_is_a_record_error(tmp_path: Path) -> None:
    recorder = Recorder.create(tmp_path / "run", HEADER)
    with pytest.raises(RecordError, match="step 1"):
        recorder.write(StepRecord(step=1, cost={"x": float("nan")}), None)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "running"


def kept_at(dice: random.Random, step: int) -> dict[int, Kept]:
    """What a cache might hold after a step: of old screenshots a few patches, of the newest all."""
    held = {}
    for frame in range(max(0, step - 5), step):
        weights = [97, *[1 / 3] * 9]
        held[frame] = Kept(20, 30, "".join(map(str, dice.choices(range(10), weights, k=600))))
    held = {frame: kept for frame, kept in held.items() if dice.random() > 0.2}
    return {**held, step: Kept(20, 30, "9" * 600)}


def test_a_line_names_what_has_changed_and_the_whole_can_be_read_back(tmp_path: Path) -> None:
    dice, told = random.Random(3), []
    recorder = Recorder.create(tmp_path / "run", HEADER)
    for step in range(300):
        kept = told[-1] if told and dice.random() < 0.3 else kept_at(dice, step)
        told.append(kept)
        cost = {"kv_bytes": 1, "entries_per_frame": {str(n): float(n == step) for n in range(step + 1)}}
        recorder.write(StepRecord(step, cost=cost, kept=kept), None)
    lines = (tmp_path / "run" / "steps.jsonl").read_bytes().splitlines()
    assert max(map(len, lines[200:])) < 2 * max(map(len, lines[:20])), "a line does not grow with the episode"
    same = [step for step in range(1, 300) if told[step] == told[step - 1]]
    assert same
    assert all(json.loads(lines[step])["kept_patches"] == {} for step in same)
    run = load_run(tmp_path / "run")
    for step, kept in zip(run.steps, told, strict=True):
        assert step["kept_patches"] == {str(frame): one.to_dict() for frame, one in kept.items()}


def test_a_step_that_failed_before_the_model_says_nothing_of_the_cache(tmp_path: Path) -> None:
    recorder = Recorder.create(tmp_path / "run", HEADER)
    kept = {0: Kept(1, 2, "90")}
    recorder.write(StepRecord(1, cost={"kv_bytes": 1}, kept=kept), None)
    recorder.write(StepRecord(2), None)
    recorder.write(StepRecord(3, cost={"kv_bytes": 1}, kept=kept), None)
    assert [step["kept_patches"] for step in load_run(tmp_path / "run").steps] == [{"0": kept[0].to_dict()}] * 3


def test_a_record_of_the_first_format_still_opens(tmp_path: Path) -> None:
    whole = [{"0": {"rows": 1, "cols": 2, "kept": "99"}}, {"1": {"rows": 1, "cols": 2, "kept": "90"}}]
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, "task": "x", "status": "limit"}))
    lines = [json.dumps({"step": number, "kept_patches": kept}) for number, kept in enumerate(whole)]
    (tmp_path / "steps.jsonl").write_text("\n".join([*lines, ""]))
    assert [step["kept_patches"] for step in load_run(tmp_path).steps] == whole


@pytest.mark.parametrize("runs", [[9, 3], [9, 5], [10, 4], [9, -4], [9], "9x", [9, 4, 0], None])
def test_runs_that_do_not_fit_are_refused(runs: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        read_patches({}, {"0": {"rows": 2, "cols": 2, "runs": runs}})
    with pytest.raises(ValueError, match="do not make"):
        read_patches({}, {"0": {"rows": 10**6, "cols": 10**6, "runs": [9, 10**12]}})


def test_old_pictures_are_released_in_an_episode() -> None:
    episode = play([click(n, n) for n in range(30)], max_steps=30, pictures=4)
    for conversation in episode.brain.conversations:
        frames = [part for message in conversation for part in message.parts if isinstance(part, Frame)]
        assert [frame.number for frame in frames] == list(range(len(frames)))
        held = [frame.number for frame in frames if frame.picture is not None]
        assert held == [frame.number for frame in frames][-5:], "four of the history, and the newest"
    assert len({frame.digest for frame in frames}) == 30
