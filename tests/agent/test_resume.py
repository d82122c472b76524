"""Continuing an episode that was killed, stopped or that ran into its limit."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.runs import load_run
from tests.agent.standing import Job, dumped
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
