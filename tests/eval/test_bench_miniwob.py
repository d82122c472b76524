"""`guikv bench miniwob`: what is run, what is kept of it, and one live task with the shipped weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from agent.errors import ConfigError
from envs.base import EnvError, EnvironmentDied, SetupError
from envs.miniwob import task_names
from eval.bench.rows import RowsError, append_row
from eval.commands.bench_miniwob import bench_miniwob
from eval.live import miniwob
from eval.live.miniwob import EXCLUDED, Outcome, Plan, bench_config, choose_tasks, run_bench
from eval.live.miniwob_rows import CSV, Row, read_rows, summarise
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model

ROW = Row("click-test", 4, 0.75, 0.5, 1.5, 0.3, 1000.0, 5000.0, "failure=1 success=3", "full steps=4", "abc")
GOOD, BAD = Outcome("success", 1.0, 1, 0.5, 10, 50), Outcome("limit", 0.0, 4, 1.0, 40, 200)


def has_pages() -> bool:
    try:
        return bool(task_names())
    except SetupError:
        return False


pytestmark = pytest.mark.skipif(not has_pages(), reason="the package miniwob is not installed")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    return random_model()


def plan(*tasks: str, seeds: int = 2, steps: int = 4) -> Plan:
    config = bench_config("nano", "gui_kv", ("alpha=2",), "20%", "prefill", "shrink", 5, steps)
    return Plan(config, tasks, seeds)


def test_every_task_is_run_or_left_out_for_a_reason() -> None:
    left_out = [task for tasks in EXCLUDED.values() for task in tasks]
    assert len(left_out) == len(set(left_out))
    assert set(left_out) <= set(task_names())
    assert sorted([*choose_tasks(), *left_out]) == list(task_names())
    assert choose_tasks("click-link, click-button,click-link") == ("click-link", "click-button")


@pytest.mark.parametrize(("text", "said"), [("nothing", "no task 'nothing'"), ("drag-box", "drag: something")])
def test_tasks_that_cannot_be_run(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        choose_tasks(text)


def test_settings() -> None:
    assert plan().settings == "gui_kv alpha=2 20% prefill shrink history=5 steps=4 zoom=0"
    assert plan(steps=7).config.limits.steps == 7


def test_rows_are_found_again(tmp_path: Path) -> None:
    path = tmp_path / CSV
    assert read_rows(path, ROW.settings, ROW.weights, ROW.n) == {}
    append_row(path, ROW)
    append_row(path, replace(ROW, task="other", weights="def"))
    path.write_bytes(path.read_bytes() + b"click-link,4,0.")
    append_row(path, replace(ROW, task="third"))
    assert read_rows(path, ROW.settings, ROW.weights, ROW.n) == {
        "click-test": ROW,
        "third": replace(ROW, task="third"),
    }
    assert read_rows(path, "other settings", ROW.weights, ROW.n) == {}
    assert read_rows(path, ROW.settings, ROW.weights, 5) == {}


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / CSV
    path.write_text("a,b\n1,2\n")
    with pytest.raises(RowsError, match="other columns"):
        read_rows(path, "", "", 1)
    path.unlink()
    append_row(path, ROW)
    path.write_text(path.read_text().replace("0.75", "many"))
    with pytest.raises(RowsError, match="broken row"):
        read_rows(path, ROW.settings, ROW.weights, ROW.n)


def test_zeros_count() -> None:
    none = replace(ROW, task="never", success=0.0, reward=-1.0, ended="failure=4")
    result = summarise([none, ROW], "nano", "s", EXCLUDED)
    assert list(result["tasks"]) == ["click-test", "never"]
    assert (result["success_mean"], result["tasks_n"], result["tasks_solved"]) == (0.375, 2, 1)
    assert result["tasks"]["click-test"]["ended"] == {"failure": 1, "success": 3}
    assert sum(map(len, result["excluded"].values())) + len(choose_tasks()) == len(task_names())


def test_finished_tasks_are_not_run_again(tmp_path: Path, adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, int]] = []

    def run_one(*args: object) -> Outcome:
        task, seed = str(args[-2]), int(str(args[-1]))
        ran.append((task, seed))
        if task == "spoiled":
            return Outcome("error", 0.0, 0, 0.0, 0, 0)
        return GOOD if seed == 0 else BAD

    monkeypatch.setattr(miniwob, "_run_one", run_one)
    told: list[tuple[str, Outcome | None]] = []
    run_bench(plan("one", "spoiled"), adapter, tmp_path)
    rows = run_bench(
        plan("one", "spoiled", "two"), adapter, tmp_path, lambda task, outcome: told.append((task, outcome))
    )
    assert ran == [(task, seed) for task in ("one", "spoiled", "spoiled", "two") for seed in (0, 1)]
    assert told[0] == ("one", None)
    assert (rows["one"].success, rows["one"].reward, rows["one"].steps, rows["one"].kv_bytes) == (0.5, 0.5, 2.5, 10.0)
    assert rows["one"].ended == "limit=1 success=1"
    assert (rows["spoiled"].success, rows["spoiled"].ended) == (0.0, "error=2")


def test_a_page_that_cannot_be_shown_is_tried_again(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(miniwob.Screen):
        closed = 0

        def show(self, task: str, seed: int) -> miniwob.MiniWob:
            raise failure

        def close(self) -> None:
            self.closed += 1

    screen = Broken(0)
    failure: EnvError = EnvironmentDied("gone")
    chosen = plan("click-test")
    dialect = miniwob.make_dialect(chosen.config, adapter)
    assert miniwob._run_one(chosen, adapter, dialect, screen, "click-test", 0).status == "error"
    assert screen.closed == miniwob.TRIES > 1
    failure = SetupError("no browser")
    with pytest.raises(SetupError, match="no browser"):
        miniwob._run_one(chosen, adapter, dialect, screen, "click-test", 0)


def test_live(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(bench_miniwob)
    arguments = ["--tasks", "click-test", "--seeds", "1", "--max-steps", "2", "--out", str(tmp_path), "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    task = result["tasks"]["click-test"]
    assert task["n"] == 1
    assert 1 <= task["steps"] <= 2
    assert sum(task["ended"].values()) == 1
    assert "error" not in task["ended"]
    assert 0 < result["kv_bytes_mean"] <= result["kv_bytes_full_mean"]
    assert len((tmp_path / CSV).read_text().splitlines()) == 2
    again = CliRunner().invoke(app, arguments[:-1])
    assert again.exit_code == 0, again.output
    assert "drag-box" in again.stdout
    assert len((tmp_path / CSV).read_text().splitlines()) == 2
