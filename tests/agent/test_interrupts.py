"""Ctrl-C once and twice, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.interrupts import Interrupts, Stopped
from agent.runs import load_run
from tests.agent.scripted import click, play
from tests.patience import PATIENCE

ENDLESS = """
import sys, time
from pathlib import Path
from agent.recorder import Recorder
from tests.agent.scripted import click, play

def slow(number):
    print("step", number, flush=True)
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        time.sleep(0.01)

answers = [click(n % 280, n % 200) for n in range(500)]
recorder = Recorder.create(Path(sys.argv[1]), {"task": "for ever"})
result = play(answers, recorder=recorder, before=slow, max_steps=500).result
print("ended", result.status, result.reason, flush=True)
"""


def start(folder: Path, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(folder), str(seconds)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()}, start_new_session=True,
    )  # fmt: skip


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return
    raise AssertionError(f"never said {word}")


def test_once_stops_after_the_stage_when_nobody_is_there(tmp_path: Path) -> None:
    process = start(tmp_path / "run", 0.05)
    wait_for(process, "step 2")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)
    assert "ended stopped Ctrl-C" in out
    assert process.returncode == 0
    run = load_run(tmp_path / "run")
    assert (run.header["status"], run.warnings) == ("stopped", ())
    assert len(run.steps) >= 3
    assert not group_alive(process.pid)


def test_twice_stops_at_once(tmp_path: Path) -> None:
    process = start(tmp_path / "run", 10 * PATIENCE)
    wait_for(process, "step 0")
    process.send_signal(signal.SIGINT)
    wait_for(process, "pausing after this stage")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)
    assert "ended stopped Ctrl-C" in out
    run = load_run(tmp_path / "run")
    assert (run.header["status"], run.warnings, len(run.steps)) == ("stopped", (), 1)
    assert run.steps[0]["error"]["type"] == "Stopped"
    assert not group_alive(process.pid)


def group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def press(_: int) -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(("answer", "status"), [("", "limit"), ("s", "stopped")])
def test_a_pause_at_the_terminal(answer: str, status: str) -> None:
    asked: list[str] = []

    def read(prompt: str) -> str:
        asked.append(prompt)
        return answer

    interrupts = Interrupts(read, lambda text: None, interactive=True)
    before = signal.getsignal(signal.SIGINT)
    episode = play([click(1, 1)], before=press, interrupts=interrupts, max_steps=2)
    assert episode.result.status == status
    assert len(asked) == (2 if status == "limit" else 1)
    assert signal.getsignal(signal.SIGINT) is before


def test_pressing_again_in_the_pause_stops() -> None:
    def read(prompt: str) -> str:
        press(0)
        return ""

    interrupts = Interrupts(read, lambda text: None, interactive=True)
    assert play([click(1, 1)], before=press, interrupts=interrupts).result.status == "stopped"


def test_end_of_input_in_the_pause_stops() -> None:
    def read(prompt: str) -> str:
        raise EOFError

    interrupts = Interrupts(read, lambda text: None, interactive=True)
    assert play([click(1, 1)], before=press, interrupts=interrupts).result.status == "stopped"


def test_without_a_press_nothing_happens() -> None:
    Interrupts().check()
    with pytest.raises(Stopped):
        raise Stopped("x")
