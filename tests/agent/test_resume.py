"""Continuing an episode that was killed, stopped or that ran into its limit."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agent.errors import RecordError
from agent.kept_session import kept_sessions
from agent.recorder import Recorder
from agent.records import Result
from agent.resume import open_run
from agent.runs import load_run
from tests.agent.standing import TASK, Job, dumped
from tests.patience import PATIENCE

TRIALS, STEPS = 20, 8


def play(tmp_path: Path, *jobs: Job, model: str = "nano") -> tuple[list[int], str]:
    """Play the jobs in processes of their own: exit codes (-9 for killed), and what was complained of."""
    path = tmp_path / "jobs.json"
    path.write_text(dumped(list(jobs)))
    for job in jobs:
        Path(job.folder).mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.agent.standing", str(path), model],
        capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    return [int(code) for code in done.stdout.split()], done.stderr


def answers(folder: Path) -> list[dict[str, Any]]:
    """What must be equal of the run's steps: what was seen, said and remembered."""
    told = ("step", "frame", "frame_file", "notes", "raw", "reply_ids", "finished", "kept_patches", "resize", "context")
    return [{name: step[name] for name in told} for step in load_run(folder / "run").steps]


def actions(folder: Path) -> list[Any]:
    return json.loads((folder / "state.json").read_text()) if (folder / "state.json").exists() else []


def ended(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "ended.json").read_text()))


def test_killed_at_random_and_continued(tmp_path: Path) -> None:
    whole = Job(str(tmp_path / "whole"), steps=STEPS)
    keeping = replace(whole, folder=str(tmp_path / "keeping"), keep=True)
    assert play(tmp_path, whole, keeping)[0] == [0, 0]
    expected = answers(tmp_path / "whole")
    events = [ended(tmp_path / name)["events"] for name in ("keeping", "whole")]
    assert answers(tmp_path / "keeping") == expected
    assert len({tuple(step["raw"]) for step in expected}) > STEPS // 2, "a model that says one thing shows nothing"

    draw = random.Random(5)
    jobs: list[Job] = []
    for trial in range(TRIALS):
        job = replace(whole, folder=str(tmp_path / f"trial{trial}"), keep=trial % 2 == 0)
        # Where a session is to be kept, a step comes before the kill.
        last = events[trial % 2] - 1
        jobs.append(replace(job, kill=draw.randint(2 * last // STEPS if job.keep else 1, last)))
        if trial % 5 == 0:  # again while it goes on
            jobs.append(replace(job, resume=True, kill=draw.randint(1, last // STEPS)))
        jobs.append(replace(job, resume=True))
    codes, complaints = play(tmp_path, *jobs)
    assert not complaints
    equal, kept = 0, 0
    for trial in range(TRIALS):
        folder = tmp_path / f"trial{trial}"
        mine = [code for code, job in zip(codes, jobs, strict=True) if job.folder == str(folder)]
        assert mine[0] == -9
        assert mine[-1] == 0
        header = load_run(folder / "run").header
        resumed = header["resumed"]
        equal += answers(folder) == expected and actions(folder) == actions(tmp_path / "whole")
        kept += resumed[0]["session"] == "kept"
        assert (header["status"], header["steps"], len(load_run(folder / "run").warnings)) == ("limit", STEPS, 0)
    assert equal == TRIALS
    assert kept == TRIALS // 2


def test_what_was_decided_is_asked_again_unless_the_screen_changed(tmp_path: Path) -> None:
    whole = Job(str(tmp_path / "whole"), steps=5)
    before = replace(whole, folder=str(tmp_path / "before"), kill=3, at="standing.execute")
    after = replace(whole, folder=str(tmp_path / "after"), kill=3, at="standing.executed")
    jobs = [whole, before, replace(before, resume=True, kill=0), after, replace(after, resume=True, kill=0)]
    assert play(tmp_path, *jobs) == ([0, -9, 0, -9, 0], "")
    for name in ("before", "after"):
        assert answers(tmp_path / name) == answers(tmp_path / "whole")
        assert actions(tmp_path / name) == actions(tmp_path / "whole")
        (entry,) = load_run(tmp_path / name / "run").header["resumed"]
        assert entry["after"] == 2
        assert entry["unfinished"]["step"] == 3
        assert entry["unfinished"]["adopted"] is (name == "after")
    steps = load_run(tmp_path / "after" / "run").steps
    assert steps[2]["actions"][0]["error"]["type"] == "Interrupted"
    assert "it is asked again from a fresh picture" in " ".join(ended(tmp_path / "before")["told"])
    assert "the screen has changed: it counts as done" in " ".join(ended(tmp_path / "after")["told"])


def test_unreadable_answers_and_being_stuck_are_continued(tmp_path: Path) -> None:
    whole = Job(str(tmp_path / "whole"), asleep=True)
    assert play(tmp_path, whole, model="random")[0] == [0]
    expected = answers(tmp_path / "whole")
    assert ended(tmp_path / "whole")["status"] == "failure"
    assert [len(step["raw"]) for step in expected] == [2] * 5
    events = ended(tmp_path / "whole")["events"]
    jobs = []
    for trial in range(4):
        job = replace(whole, folder=str(tmp_path / f"trial{trial}"), keep=trial % 2 == 0)
        jobs += [replace(job, kill=events * (2 * trial + 1) // 8), replace(job, resume=True)]
    codes, complaints = play(tmp_path, *jobs, model="random")
    assert (codes, complaints) == ([-9, 0] * 4, "")
    for trial in range(4):
        assert answers(tmp_path / f"trial{trial}") == expected
        assert ended(tmp_path / f"trial{trial}")["status"] == "failure"


def test_the_memory_is_the_same_under_all_settings(tmp_path: Path) -> None:
    kinds: tuple[dict[str, Any], ...] = (
        {"cache": {"window": "drop", "history": 2}},
        {"cache": {"window": "recompute", "history": 2}},
        {"cache": {"moment": "prefill", "history": 3, "budget": "10%"}},
        {"cache": {"policy": "snap_kv", "history": 2}},
        {"cache": {"policy": "full"}, "sampling": {"drafts": True}},
        {"sampling": {"temperature": 0.7, "seed": 3, "repetition_penalty": 1.1}},
    )
    jobs = []
    for number, settings in enumerate(kinds):
        whole = Job(str(tmp_path / f"whole{number}"), steps=6, settings=settings)
        part = replace(whole, folder=str(tmp_path / f"part{number}"), kill=5, at="standing.execute")
        jobs += [whole, part, replace(part, resume=True, kill=0)]
    assert play(tmp_path, *jobs) == ([0, -9, 0] * len(kinds), "")
    for number in range(len(kinds)):
        assert answers(tmp_path / f"part{number}") == answers(tmp_path / f"whole{number}"), kinds[number]
        assert load_run(tmp_path / f"part{number}" / "run").header["resumed"][0]["session"] == "computed again"


def test_a_limit_is_raised(tmp_path: Path) -> None:
    whole = Job(str(tmp_path / "whole"), steps=6)
    short = Job(str(tmp_path / "short"), steps=4)
    again, more = replace(short, resume=True), replace(short, resume=True, steps=6)
    assert play(tmp_path, whole, short, again, more) == ([0] * 4, "")
    assert answers(tmp_path / "short") == answers(tmp_path / "whole")
    resumed = load_run(tmp_path / "short" / "run").header["resumed"]
    assert [entry["before"]["status"] for entry in resumed] == ["limit"] * 2


Damage = Callable[[Path], object]


def edited(run: Path, **changes: Any) -> None:
    header = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**header, **changes}))


def on_lines(run: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    steps = run / "steps.jsonl"
    steps.write_bytes(b"".join(change(steps.read_bytes().splitlines(keepends=True))))


def old(run: Path) -> None:
    def without(line: bytes) -> bytes:
        step = json.loads(line)
        del step["reply_ids"]
        return json.dumps(step).encode() + b"\n"

    on_lines(run, lambda lines: [*lines[:-1], without(lines[-1])])


def first_frame(run: Path) -> Path:
    return run / load_run(run).steps[0]["frame_file"]


REFUSED: tuple[tuple[Damage, str], ...] = (
    (lambda run: first_frame(run).unlink(), "of step 1 cannot be read: No such file or directory (put it back"),
    (lambda run: Image.new("RGB", (280, 280)).save(first_frame(run)), "is not the picture that was seen"),
    (lambda run: first_frame(run).write_bytes(b"x"), "of step 1 is not an image"),
    (lambda run: on_lines(run, lambda lines: [lines[0], b"{\n", lines[2]]), "line 2 is damaged"),
    (lambda run: on_lines(run, lambda lines: [lines[0], lines[2]]), "step 3 of"),
    (lambda run: on_lines(run, lambda lines: [lines[0], b'{"step": 2}\n', lines[2]]), "is damaged: it has no"),
    (old, "it has no reply_ids, as records of an older version"),
    (lambda run: edited(run, model={"fingerprint": "0"}), "was made by another model"),
    (lambda run: edited(run, environment="browser"), "was made with the environment 'browser', not 'standing'"),
    (lambda run: edited(run, status="success"), "there is nothing to continue"),
    (lambda run: edited(run, config=None), "it has no settings"),
    (lambda run: (run / "run.json").write_text("{"), "run.json is damaged"),
)


def half_written(run: Path) -> None:
    """As a kill in the middle of the line leaves it."""
    steps = run / "steps.jsonl"
    (run / "decided.json").write_bytes(steps.read_bytes().splitlines()[-1])
    on_lines(run, lambda lines: [*lines[:-1], lines[-1][:200]])


GOES_ON: tuple[Damage, ...] = (
    half_written,
    lambda run: on_lines(run, lambda lines: [*lines[:-1], lines[-1][:-1]]),
    lambda run: (run / "decided.json").write_text("{"),
    lambda run: next((run / "session").glob("*/*.safetensors")).write_bytes(b"x"),
    lambda run: shutil.rmtree(run / "session"),
)


def test_what_is_damaged_is_refused_by_name_or_passed_over(tmp_path: Path) -> None:
    whole, short = Job(str(tmp_path / "whole"), steps=5), Job(str(tmp_path / "short"), steps=3, keep=True)
    assert play(tmp_path, whole, short)[0] == [0, 0]
    damages = [*(damage for damage, _ in REFUSED), *GOES_ON]
    jobs = [replace(whole, folder=str(tmp_path / f"copy{n}"), resume=True) for n in range(len(damages))]
    for job, damage in zip(jobs, damages, strict=True):
        shutil.copytree(tmp_path / "short", job.folder)
        # What reads pictures is only asked where no session was kept.
        if damage in GOES_ON[:3] or damage not in GOES_ON:
            shutil.rmtree(Path(job.folder) / "run" / "session")
        damage(Path(job.folder) / "run")
    before = [(Path(job.folder) / "run" / "steps.jsonl").read_bytes() for job in jobs]
    other = replace(jobs[-1], folder=str(tmp_path / "other"), settings={"cache": {"budget": "50%"}})
    shutil.copytree(tmp_path / "short", other.folder)
    codes, complaints = play(tmp_path, *jobs, other)
    said = complaints.splitlines()
    for (_, expected), line in zip(REFUSED, said, strict=False):
        assert expected in line
    assert "cache.budget is '50%', but the run in" in said[-1]
    assert codes == [1] * len(REFUSED) + [0] * len(GOES_ON) + [1]
    for job, old_bytes in zip(jobs, before, strict=True):
        now = (Path(job.folder) / "run" / "steps.jsonl").read_bytes()
        cut = Path(job.folder) / "run" / "steps.cut"
        kept = now + cut.read_bytes() if cut.exists() else now
        for line in old_bytes.splitlines():
            assert line in kept, "nothing of the old record is lost"
    for job in jobs[len(REFUSED) :]:
        assert answers(Path(job.folder)) == answers(tmp_path / "whole")


def test_a_run_that_is_going_is_left_alone(tmp_path: Path) -> None:
    recorder = Recorder.create(tmp_path / "run", {"task": "x", "environment": "e", "dialect": "d"})
    with pytest.raises(RecordError, match="is still going"):
        open_run(tmp_path / "run")
    recorder.finish(Result("stopped", "by hand", 0, 0.0))
    assert open_run(tmp_path / "run").steps == ()


def test_the_command(tmp_path: Path) -> None:
    info = tmp_path / "standing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: standing\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[guikv.environments]\nstanding = tests.agent.standing:open_screen\n")

    def guikv(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join((str(tmp_path), os.getcwd()))
        program = [sys.executable, "-c", "from agent.cli import main; main()", "run", "other", "standing"]
        return subprocess.run(
            [*program, *arguments], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, **environment},
        )  # fmt: skip

    state, run = f"file={tmp_path / 'state.json'}", tmp_path / "run"
    killed = guikv(
        "--option", state, "--task", TASK, "--out", str(run), "--max-steps", "4", "--approve", "never",
        STANDING_KILL_AT="3",
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr
    assert len(load_run(run).steps) == 2
    missing = guikv("--option", state)
    assert missing.returncode == 2
    assert "--task" in missing.stderr
    for options, expected in (
        (("--budget", "50%"), "cache.budget is '50%', but the run in"),
        (("--task", "another"), "has the task"),
        (("--out", str(tmp_path / "x")), "goes on in its own folder"),
    ):
        refused = guikv("--option", state, "--resume", str(run), *options)
        assert refused.returncode == 2, refused.stderr
        assert expected in " ".join(refused.stderr.replace("│", " ").split())
    resumed = guikv("--option", state, "--resume", str(run), "--keep-session")
    assert "step 3 was decided but not recorded as done: it is asked again" in resumed.stdout, resumed.stderr
    assert "4 steps are used up" in resumed.stdout
    loaded = load_run(run)
    assert [step["step"] for step in loaded.steps] == [1, 2, 3, 4]
    assert [step for step, _ in kept_sessions(run, 9)] == [4]
    assert (run / "report.html").stat().st_size > 5_000
    assert len(json.loads((tmp_path / "state.json").read_text())) == 4
