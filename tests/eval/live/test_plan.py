"""What the command line of `guikv nano` understands, and what comes out of outcomes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from agent.cli import app
from agent.commands import demo
from agent.demo import COLUMNS, MEMORY
from agent.errors import ConfigError
from agent.sources import read_options
from envs.playground import TASKS
from eval.cli import nano
from eval.live.altered_screens import PlaygroundSite
from eval.live.episodes import EpisodeRow
from eval.live.plan import Plan, make_config, read_seeds, read_tasks
from eval.live.summary import result_table, summarise
from eval.metrics.measures import interval as wilson
from eval.nano.card import card_text, facts
from guikv.errors import GuikvError, ModelError, PolicyError
from guikv.nano import WEIGHTS
from tests.patience import PATIENCE


def plan(tasks: str = "click", seeds: str = "0:2", **options: object) -> Plan:
    config = make_config("nano", "gui_kv", (), "20%", "next_observation", "shrink", 5)
    return Plan(config, PlaygroundSite(), read_tasks(tasks), read_seeds(seeds), **options)  # type: ignore[arg-type]


def test_seeds_and_tasks() -> None:
    assert read_seeds("3:5") == range(3, 5)
    for text in ("", "5", "5:5", "7:3", "a:b", "-1:4", "0:9999999", "0-9", "1:" + "9" * 40):
        with pytest.raises(ConfigError):
            read_seeds(text)
    assert read_tasks("") == tuple(TASKS)
    assert read_tasks(" form,click,form ") == ("form", "click")
    with pytest.raises(ConfigError, match="no task 'juggle'"):
        read_tasks("click,juggle")


def test_methods_and_their_options() -> None:
    assert read_options(["alpha=2", "basis=leading"]) == {"alpha": 2, "basis": "leading"}
    with pytest.raises(ConfigError, match="key=value"):
        read_options(["alpha"])
    with pytest.raises(PolicyError, match="did you mean 'alpha'"):
        make_config("nano", "gui_kv", ["alpa=2"], "20%", "prefill", "shrink", 5)
    for wrong in ({"budget": "0"}, {"moment": "later"}, {"window": "ajar"}, {"policy": "gui_vk"}):
        given = {"policy": "gui_kv", "budget": "20%", "moment": "prefill", "window": "shrink"} | wrong
        with pytest.raises((ConfigError, GuikvError)):
            make_config("nano", given["policy"], (), given["budget"], given["moment"], given["window"], 5)
    assert plan().config.cache.model_dump()["policy"] == "gui_kv"


def test_what_an_episode_depends_on_names_the_precision() -> None:
    """Records of one precision are not gone on with in another."""
    half = make_config("nano", "gui_kv", (), "20%", "next_observation", "shrink", 5, dtype="bfloat16")
    one, other = plan().identity(), replace(plan(), config=half).identity()
    assert (one["dtype"], other.pop("dtype")) == ("auto", "bfloat16")
    assert one.items() >= other.items()


def outcome(
    task: str, seed: int, status: str, steps: int, chance: float, seconds: float, kv: int, full: int
) -> EpisodeRow:
    cost = {"seconds": seconds, "kv_bytes": kv, "full_kv_bytes": full}
    return EpisodeRow(task=task, seed=seed, status=status, steps=steps, chance=chance, **cost)


def test_the_result_of_outcomes() -> None:
    chosen = plan("click,form")
    outcomes = [
        outcome("click", 0, "success", 2, 0.25, 1.0, 100, 400),
        outcome("click", 1, "failure", 1, 0.75, 0.5, 50, 100),
        outcome("form", 0, "success", 3, 0.1, 0.3, 60, 100),
        outcome("form", 1, "success", 3, 0.1, 0.6, 90, 300),
    ]
    result = json.loads(json.dumps(summarise(chosen, outcomes, 4.0, {"workers": 1})))
    click = {"success": 0.5, "n": 2, "interval": 0.4055, "chance": 0.5, "steps": 1.5}
    assert result["tasks"]["click"] == {**click, "ended": {"failure": 1, "success": 1}}
    assert result["tasks"]["form"]["success"] == 1.0
    assert (result["kv_bytes_mean"], result["kv_bytes_full_mean"]) == (33.3, 100.0)
    assert (result["seconds_per_step"], result["episodes_per_minute"]) == (0.2667, 4.0)
    assert result["settings"]["seeds"] == "0:2"
    assert result["settings"]["held_out"]
    screen = Console(record=True, width=100)
    screen.print(result_table(result))
    assert "50.0 % ± 40.6" in screen.export_text()


def test_the_interval_is_wilsons() -> None:
    assert wilson(0, 100) == wilson(100, 100) == pytest.approx(0.0185, abs=1e-4)
    assert wilson(50, 100) == pytest.approx(0.0961, abs=1e-4)


def test_the_card() -> None:
    found = CliRunner().invoke(nano, ["card", "--json"])
    assert found.exit_code == 0
    shown = json.loads(found.output)
    assert shown == facts(WEIGHTS)
    assert shown["weights_bytes"] == (WEIGHTS / "model.safetensors").stat().st_size <= 25e6
    assert shown["kv_heads"] < shown["query_heads"]
    assert shown["head_dim"] >= 64
    assert 1e6 < shown["parameters"] < 12.5e6
    written = CliRunner().invoke(nano, ["card"])
    assert "measured from the files" in written.output
    assert "nano" in written.output


def test_a_folder_that_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no complete checkpoint"):
        facts(tmp_path)
    assert "has no README.md" in card_text(tmp_path)


def test_the_trainer_explains_itself() -> None:
    shown = CliRunner().invoke(nano, ["train", "--help"])
    assert shown.exit_code == 0
    assert "--out" in shown.output
    assert CliRunner().invoke(nano, ["train", "--no-such-option"]).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["5"], "expected FIRST:END"),
        (["0:2", "--forget", "--window", "recompute"], "use shrink or drop"),
        (["0:2", "--shift", "lok"], "there is no look 'lok'"),
        (["0:2", "--tasks", "juggle"], "no task 'juggle'"),
    ],
)
def test_errors_are_typed(arguments: list[str], message: str) -> None:
    failed = CliRunner().invoke(nano, ["eval", "--seeds", *arguments])
    assert isinstance(failed.exception, ConfigError)
    assert message in str(failed.exception)


def test_an_error_is_one_line() -> None:
    program = [sys.executable, "-c", "from eval.cli import main; main()", "nano", "eval", "--seeds", "5"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_demo_shows_what_memory_is_for() -> None:
    names = demo.TASKS.split(",")
    assert set(names) <= set(TASKS)
    assert set(names) & set(MEMORY)
    assert set(MEMORY) <= set(TASKS)
    assert "from memory" in COLUMNS
    assert demo.TASKS in " ".join(CliRunner().invoke(app, ["demo", "--help"], env={"COLUMNS": "200"}).output.split())
