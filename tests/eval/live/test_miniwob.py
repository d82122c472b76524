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
from envs.miniwob import MiniWob, task_names
from eval.commands.bench_miniwob import CSV, bench_miniwob
from eval.live.episodes import ROWS, TRIES, EpisodeRow, run_episodes
from eval.live.miniwob import EXCLUDED, MiniWobSite, choose_tasks, settings_text
from eval.live.plan import Plan, make_config
from eval.live.summary import TaskRow, miniwob_summary, task_row
from eval.rows import RowsError, read_rows

ROW = TaskRow("click-test", 4, 0.75, 0.5, 1.5, 0.3, 1000.0, 5000.0, "failure=1 success=3", "full steps=4", "abc")


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


def plan(*tasks: str, seeds: int = 2, steps: int = 4) -> Plan:
    config = make_config("nano", "gui_kv", ("alpha=2",), "20%", "prefill", "shrink", 5, steps)
    return Plan(config, MiniWobSite(), tasks, range(seeds), threads=1)


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
    assert settings_text(plan()) == "gui_kv alpha=2 20% prefill shrink history=5 steps=4 zoom=0"
    assert plan(steps=7).config.limits.steps == 7


def test_zeros_count() -> None:
    none = replace(ROW, task="never", success=0.0, reward=-1.0, ended="failure=4")
    result = miniwob_summary([none, ROW], "nano", "s", EXCLUDED)
    assert list(result["tasks"]) == ["click-test", "never"]
    assert (result["success_mean"], result["tasks_n"], result["tasks_solved"]) == (0.375, 2, 1)
    assert result["tasks"]["click-test"]["ended"] == {"failure": 1, "success": 3}
    assert sum(map(len, result["excluded"].values())) + len(choose_tasks()) == len(task_names())


def test_a_task_is_the_sum_of_its_episodes() -> None:
    good = EpisodeRow(
        task="t", seed=0, status="success", reward=1.0, steps=1, wall_seconds=0.5, kv_bytes=10, full_kv_bytes=50
    )
    bad = EpisodeRow(task="t", seed=1, status="limit", steps=4, wall_seconds=1.0, kv_bytes=40, full_kv_bytes=200)
    spoiled = EpisodeRow(task="t", seed=2, status="error", reason="gone")
    row = task_row("t", [good, bad], "s", "w")
    assert (row.n, row.success, row.reward, row.steps, row.seconds) == (2, 0.5, 0.5, 2.5, 0.75)
    assert (row.kv_bytes, row.kv_bytes_full, row.ended) == (10.0, 50.0, "limit=1 success=1")
    row = task_row("t", [spoiled], "s", "w")
    assert (row.success, row.ended) == (0.0, "error=1")


class Pages(MiniWobSite):
    """Pages that cannot be shown, for one of the tasks or all."""

    def launch(self, task: str, seed: int) -> MiniWob:
        launched.append((task, seed))
        raise failure[0]


launched: list[tuple[str, int]] = []
failure: list[EnvError] = []


def test_a_page_that_cannot_be_shown_is_tried_again(tmp_path: Path) -> None:
    failure[:], launched[:] = [EnvironmentDied("gone")], []
    chosen = replace(plan("click-test", seeds=2), site=Pages())
    rows = run_episodes(chosen, tmp_path / ROWS)
    assert [(row.status, row.reason) for row in rows.values()] == [("error", "gone")] * 2
    assert launched == [("click-test", seed) for seed in (0, 1) for _ in range(TRIES)]
    assert not list(read_rows(tmp_path / ROWS, EpisodeRow)), "they are tried again next time"
    run_episodes(chosen, tmp_path / ROWS)
    assert len(launched) == 4 * TRIES
    failure[:] = [SetupError("no browser")]
    with pytest.raises(SetupError, match="no browser"):
        run_episodes(chosen, tmp_path / ROWS)


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
    (before,) = read_rows(tmp_path / ROWS, EpisodeRow)
    again = CliRunner().invoke(app, arguments[:-1])
    assert again.exit_code == 0, again.output
    assert "drag-box" in again.stdout
    assert len((tmp_path / CSV).read_text().splitlines()) == 2
    assert list(read_rows(tmp_path / ROWS, EpisodeRow)) == [before], "it was not run again"
    other = CliRunner().invoke(app, [*arguments, "--policy", "full"])
    assert isinstance(other.exception, RowsError)
    assert "policy is" in str(other.exception)
