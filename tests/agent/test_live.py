"""Whole episodes: real Chromium, a real session, the record and its report."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from agent.approval import Allow
from agent.cli import app
from agent.config import Config, LoopSettings
from agent.console import Silent
from agent.demo import COLUMNS, Outcome, run_demo, write_index
from agent.dialects import UiTars
from agent.dialects.coordinates import Coordinates
from agent.dialects.ui_tars.serialize import write_answer
from agent.loop import run_episode
from agent.model import SessionBrain
from agent.recorded_episode import run_recorded
from agent.recorder import Recorder
from agent.report import build_report
from agent.runs import load_run
from envs.geometry import Resize, Size
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model
from guikv.session import Session
from guikv.settings import Settings
from tests.agent.scripted import FakeScreen, ScriptedBrain
from tests.agent.told import ToldBrain
from tests.patience import PATIENCE

pytestmark = pytest.mark.skipif(not (shutil.which("chromium") or shutil.which("google-chrome")), reason="no Chromium")


@pytest.fixture(scope="module")
def adapter() -> Iterator[Adapter]:
    # More threads than free cores make the many small products of a tiny model slow.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    made = random_model()
    made.name = "random"
    yield made
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def playground() -> Iterator[Any]:
    from envs.playground import Playground

    with Playground.launch("click", 0) as opened:
        yield opened


def test_random_weights_do_no_harm(adapter: Adapter, tmp_path: Path) -> None:
    config = Config.model_validate(
        {
            "model": {"max_new_tokens": 8},
            "limits": {"steps": 3},
            "approval": {"mode": "never"},
            "prompt": {"coordinates": "relative"},
        }
    )
    result = run_recorded(config, adapter, FakeScreen(), "Press", tmp_path / "run", Silent())
    assert result.status in ("limit", "failure")
    run = load_run(tmp_path / "run")
    assert run.header["config"]["cache"]["budget"] == "20%"
    assert run.header["dialect"] == "ui_tars"
    assert run.steps[1]["cost"]["tokens_reused"] > 0
    assert run.steps[0]["error"]["stage"] == "parse"


@pytest.mark.parametrize("task", ["click", "form_many", "scroll", "remember_3", "order", "dialog"])
def test_the_oracle_through_the_whole_chain(task: str, adapter: Adapter, playground: Any, tmp_path: Path) -> None:
    from tests.envs.playground_oracle import Oracle

    playground.load(task, 1)
    oracle = Oracle(playground)
    resize = Resize(Size(280, 280), Size(*adapter.image_size((280, 280))))

    def words() -> str:
        return write_answer("", [oracle.next()], Coordinates(resize))

    brain = ToldBrain(Session(adapter, Settings(history=2)), adapter, words=words)
    recorder = Recorder.create(tmp_path / "run", {"task": playground.goal})
    result = run_episode(
        brain,
        playground,
        playground.goal,
        UiTars("Task: {instruction}"),
        LoopSettings(max_steps=12),
        Allow(),
        recorder,
        Silent(),
    )
    assert result.status == "success", result.reason
    run = load_run(tmp_path / "run")
    assert all(step["error"] is None for step in run.steps)
    assert all("settle" in step["seconds"] for step in run.steps)
    if len(run.steps) > 2:
        late = run.steps[-1]["cost"]
        assert late["tokens_reused"] > late["tokens_new"]
        assert late["tokens_recomputed"] == 0
        assert late["kv_bytes"] < late["full_kv_bytes"]
        assert "0" in run.steps[-1]["kept_patches"]["0"]["kept"]
    assert build_report(run).stat().st_size > 5_000


def test_the_demo_runs_all_episodes_and_lists_them(adapter: Adapter, tmp_path: Path) -> None:
    config = Config.model_validate(
        {"model": {"max_new_tokens": 4}, "limits": {"steps": 1}, "approval": {"mode": "never"}}
    )
    outcomes = run_demo(config, adapter, [("click", 0), ("click", 1), ("order", 1)], tmp_path)
    assert [outcome.result.status for outcome in outcomes] == ["limit"] * 3
    index = write_index(tmp_path, config, outcomes).read_text()
    assert 'href="browser-click-1/report.html"' in index
    assert "0 of 3" in index
    assert "list, 1+ back" in index
    assert "0 of 1 tasks that no screen alone" in index
    assert len(outcomes[0].row) == len(COLUMNS)
    assert isinstance(outcomes[0], Outcome)
    assert (tmp_path / "browser-click-1" / "report.html").is_file()


@pytest.mark.parametrize("size", [(1, 1), (20_000, 10)])
def test_impossible_screenshots_are_errors(size: tuple[int, int], adapter: Adapter, tmp_path: Path) -> None:
    config = Config.model_validate({"limits": {"steps": 1}, "model": {"max_new_tokens": 2}})
    result = run_recorded(config, adapter, FakeScreen(size=size), "x", tmp_path / "run", Silent())
    assert (result.status, result.error and result.error.type) == ("error", "ImageError")
    assert load_run(tmp_path / "run").header["status"] == "error"


def test_a_killed_browser_ends_the_episode(tmp_path: Path) -> None:
    from envs.playground import Playground
    from envs.processes import tree

    before = tree([os.getpid()])

    def kill(said: int) -> None:
        if said == 1:
            for pid in tree([os.getpid()]) - before:
                if b"chrom" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)

    with Playground.launch("click", 0) as screen:
        brain = ScriptedBrain([f"Action: hover(start_box='({n},{n})')" for n in range(9)], kill)
        recorder = Recorder.create(tmp_path / "run", {"task": "x"})
        dialect = UiTars("{instruction}")
        result = run_episode(brain, screen, "x", dialect, LoopSettings(), Allow(), recorder, Silent())
    assert (result.status, result.error and result.error.type) == ("error", "EnvironmentDied")
    run = load_run(tmp_path / "run")
    assert (len(run.steps), run.warnings) == (2, ())


def test_the_command_line_with_a_checkpoint_folder(adapter: Adapter, tmp_path: Path) -> None:
    model = tmp_path / "model"
    adapter.model.save_pretrained(model)
    adapter.tokenizer.save_pretrained(model)
    adapter.processor.save_pretrained(model)
    (model / "prompt.txt").write_text("Task: {instruction}")
    page = tmp_path / "page.html"
    page.write_text("<title>Shop</title><h1>Hello</h1><button>Save</button>")
    common = ["--task", "Press Save", "--model", str(model), "--max-steps", "1", "--set", "model.max_new_tokens=4"]

    def guikv(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from agent.cli import main; main()", "run", "browser", *common, *arguments],
            capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=tmp_path, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )  # fmt: skip

    done = guikv("--url", page.as_uri(), "--out", "out", "--set", "browser.viewport=[320, 240]")
    assert done.returncode == 1, done.stderr
    assert "step 1  nothing  new " in done.stdout
    assert "limit: 1 steps are used up" in done.stdout
    assert "report: out/report.html" in done.stdout
    header = load_run(tmp_path / "out").header
    assert (header["model"]["name"], header["environment"]) == (str(model), "browser")
    assert load_run(tmp_path / "out").steps[0]["context"]["title"] == "Shop"
    again = guikv("--url", page.as_uri(), "--out", "out")
    assert again.returncode == 1
    assert "holds a run already" in again.stderr
    wrong = guikv("--url", "http://no-such-host.invalid/", "--out", "other")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("error: first page: http://no-such-host.invalid/ could not be opened")
    assert len(wrong.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "other").exists()


def test_the_demo_command(adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.assemble.load_adapter", lambda config: adapter)
    arguments = ["demo", "--tasks", "click", "--seeds", "0", "--max-steps", "1", "--out", str(tmp_path / "demo")]
    arguments += ["--set", "model.max_new_tokens=2"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1, result.output
    assert "0 of 1 tasks done" in result.output
    assert f"report: {tmp_path / 'demo' / 'index.html'}" in result.output.replace("\n", "")
    assert json.loads((tmp_path / "demo" / "demo.json").read_text())["episodes"][0]["status"] == "limit"
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 2


def test_a_closed_session_is_closed(adapter: Adapter) -> None:
    brain = SessionBrain(Session(adapter), adapter)
    brain.close()
    assert brain.session.tokens == 0
