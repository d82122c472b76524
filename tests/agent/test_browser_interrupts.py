"""Ctrl-C reaches every process of a terminal's group; afterwards none may be left, and the record must be whole."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.runs import load_run
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.skipif(not (shutil.which("chromium") or shutil.which("google-chrome")), reason="no Chromium")

SCRIPT = """
import sys, time
from pathlib import Path
from agent.approval import Allow
from agent.console import Terminal
from agent.dialects import UiTars
from agent.recorded_episode import Closing
from agent.loop import run_episode
from agent.recorder import Recorder
from agent.config import LoopSettings
from envs.playground import Playground
from tests.agent.scripted import ScriptedBrain

def slow(number):
    print("step", number, flush=True)
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        time.sleep(0.01)

with Closing(Playground.launch("click", 0)) as screen:
    brain = ScriptedBrain([f"Action: hover(start_box='({n},{n})')" for n in range(200)], slow)
    recorder = Recorder.create(Path(sys.argv[1]), {"task": "for ever"})
    result = run_episode(brain, screen, "x", UiTars("{instruction}"), LoopSettings(max_steps=200), Allow(), recorder,
                         Terminal())
print("ended", result.status, flush=True)
"""


@pytest.mark.parametrize(("presses", "seconds"), [(1, 0.2), (2, 3000.0)])
def test_no_process_is_left(presses: int, seconds: float, tmp_path: Path) -> None:
    mark = f"guikv-test-{os.getpid()}-{presses}"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "run"), str(seconds)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.getcwd(), "GUIKV_TEST_MARK": mark},
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 0" if presses == 2 else "step 1"):
            break
    assert process.stderr is not None
    os.killpg(process.pid, signal.SIGINT)
    if presses == 2:
        assert any("pausing after this stage" in line for line in process.stderr)
        os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=PATIENCE)
    assert "ended stopped" in out, errors
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert until(lambda: marked(mark) == [])
    run = load_run(tmp_path / "run")
    assert (run.header["status"], run.warnings) == ("stopped", ())


def marked(mark: str) -> list[int]:
    """Processes that were started, however far down, by the one with this mark in its environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
