"""`guikv replay` and `guikv rescore` as a user meets them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from agent.config import Config, ModelConfig, PromptConfig
from agent.errors import ConfigError
from eval.benchmarks import BENCHMARKS
from eval.benchmarks.base import Source
from eval.benchmarks.errors import DataError, MissingImage
from eval.commands.replay import replay, rescore
from eval.data.check import check_data
from eval.report.cells import read_sweep, shortfall
from eval.report.reproduce import command_of
from eval.report.series import group_cells
from eval.sweep.folder import MixError
from eval.sweep.sweep import base_settings
from tests.eval.sweep.conftest import Whole
from tests.eval.sweep.tools import EPISODES, few

APP = typer.Typer()
APP.command()(replay)
APP.command()(rescore)


def call(*arguments: object, code: int = 0) -> str:
    """What is written to standard output. Raises what the command raises."""
    result = CliRunner().invoke(APP, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def test_an_oracle_is_right_in_all_dialects(tmp_path: Path) -> None:
    arguments = ("replay", "playground", "--path", EPISODES, "--model", "oracle", "--out", tmp_path, "--json")
    result = json.loads(call(*arguments))
    assert [cell["dialect"] for cell in result["cells"]] == ["ui_tars", "opencua", "qwen25", "qwen3"]
    for cell in result["cells"]:
        assert (cell["steps"], cell["skipped"], cell["unread"], cell["kv_bytes"]) == (35, 0, 0, None)
        assert cell["measures"]["official"]["value"] == 1.0
    assert result["failed"] == {}
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert plan == {"cells": sorted(cell["name"] for cell in result["cells"]), "steps": 35}
    assert "right steps" in result["measures"]["official"]
    assert json.loads(call(*arguments)) == result, "nothing is played again"
    again = json.loads(call("rescore", tmp_path, "--json"))
    assert [(cell["rows"], cell["changed"]) for cell in again["cells"]] == [(35, 0)] * 4


def test_a_table_of_policies_and_budgets(whole: Whole, tmp_path: Path) -> None:
    arguments: list[Any] = ["replay", "playground", "--path", whole.path, "--images", EPISODES, "--limit", 2]
    arguments += ["--policies", "gui_kv,full", "--budgets", "20,10%", "--moment", "prefill", "--history", "own"]
    arguments += ["--screenshots", 2, "--window", "drop", "--set", "model.max_new_tokens=40", "--out", tmp_path]
    table = call(*arguments)
    lines = [line.split() for line in table.splitlines()]
    assert [line[0] for line in lines if line and line[0] in ("gui_kv", "full")] == ["gui_kv", "gui_kv", "full"]
    assert "5 steps" in table
    told = json.loads((tmp_path / "cells" / "nano-gui_kv-10%-s0" / "settings.json").read_text())
    cache = told["config"]["cache"]
    assert (cache["moment"], cache["window"], cache["history"], told["history"]) == ("prefill", "drop", 2, "own")
    assert told["config"]["model"]["max_new_tokens"] == 40
    with pytest.raises(MixError, match=r"config\.cache\.moment"):
        call(*arguments, "--moment", "next_observation")


def test_who_plays_a_cell_may_stand_in_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    config = Config(model=ModelConfig(name="mine"), prompt=PromptConfig(file=Path("prompt.txt")))
    found = base_settings("playground", Source(Path("data"), Path("images")), "error", "gold", config)
    assert (found.path, found.images) == (tmp_path / "data", tmp_path / "images")
    assert found.model == found.config.model.name == str(tmp_path / "mine")
    assert found.config.prompt.file == tmp_path / "prompt.txt"
    assert len(found.version) == 8
    (tmp_path / "nano").mkdir()
    (tmp_path / "nano" / "config.json").write_text("{}")
    assert base_settings("playground", Source(Path("data")), "error", "gold", Config()).model == "nano"


def test_missing_images(tmp_path: Path) -> None:
    path = few(tmp_path, "dialog-95000")
    path.write_text(path.read_text().replace("dialog-95000-1.png", "gone.png"))
    arguments = ("replay", "playground", "--path", path, "--images", EPISODES, "--model", "oracle")
    with pytest.raises(MissingImage, match="--missing skip"):
        call(*arguments, "--out", tmp_path / "a")
    table = call(*arguments, "--missing", "skip", "--out", tmp_path / "b")
    assert "1 step was left out, since the image is missing" in table
    result = json.loads(call(*arguments, "--missing", "skip", "--out", tmp_path / "b", "--json"))
    assert {(cell["steps"], cell["skipped"]) for cell in result["cells"]} == {(1, 1)}


def test_nothing_is_left_to_play(tmp_path: Path) -> None:
    path = few(tmp_path, "dialog-95000")
    path.write_text(path.read_text().replace("dialog-95000-", "gone-"))
    arguments = ("replay", "playground", "--path", path, "--model", "oracle", "--missing", "skip")
    told = call(*arguments, "--out", tmp_path / "out", code=1)
    assert "2 steps were left out" in told
    assert "nothing was played: give the folder of the images with --images" in told
    assert "guikv report" not in told
    assert "dialect" not in told


def test_bad_data_leave_what_was_played(tmp_path: Path) -> None:
    path = few(tmp_path, "click-95000", "dialog-95000")
    path.write_text(path.read_text().replace("dialog-95000-1.png", "gone.png"))
    arguments = ("replay", "playground", "--path", path, "--images", tmp_path, "--model", "oracle")
    for picture in EPISODES.glob("*-95000-*.png"):
        shutil.copy(picture, tmp_path)
    (tmp_path / "gone.png").write_bytes(b"no image")
    result = CliRunner().invoke(APP, [str(a) for a in (*arguments, "--out", tmp_path / "out")])
    assert isinstance(result.exception, DataError)
    assert f"the rows so far are in {tmp_path / 'out'}; when this is mended, the same command goes on" in result.stderr
    shutil.copy(tmp_path / "dialog-95000-1.png", tmp_path / "gone.png")
    assert "3 steps" in call(*arguments, "--out", tmp_path / "out")


def test_splits_are_said_as_in_the_check(tmp_path: Path) -> None:
    for option in ("--splits", "--split"):
        with pytest.raises(DataError, match="of playground in the splits a, b"):
            call("replay", "playground", "--path", EPISODES, "--model", "oracle", option, "a,b", "--out", tmp_path)


def test_an_oracle_keeps_nothing(tmp_path: Path) -> None:
    arguments = ("replay", "playground", "--path", few(tmp_path, "dialog-95000"), "--images", EPISODES)
    given = (*arguments, "--model", "oracle", "--policies", "full", "--out", tmp_path / "out")
    result = CliRunner().invoke(APP, [str(a) for a in given])
    assert result.exit_code == 0
    note, *lines = result.stderr.splitlines()
    assert "--policies and --budgets change nothing" in note
    assert len(lines) == 4, "a line for each cell; no bar"
    assert "KV %" not in result.stdout


def test_a_failed_cell_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from eval.sweep import cell_player
    from guikv.errors import DeviceMemoryError

    def short(*_: Any) -> Any:
        raise DeviceMemoryError("the device is full")

    monkeypatch.setattr(cell_player, "play", short)
    path = few(tmp_path, "dialog-95000")
    arguments = ("replay", "playground", "--path", path, "--images", EPISODES, "--model", "oracle")
    told = call(*arguments, "--dialect", "qwen3", "--out", tmp_path / "out", code=1)
    assert "qwen3-oracle failed: the device is full" in told


def test_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from eval.sweep import cell_player

    def pressed(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(cell_player, "play", pressed)
    arguments = ("replay", "playground", "--path", str(EPISODES), "--model", "oracle", "--out", str(tmp_path))
    result = CliRunner().invoke(APP, arguments)
    assert result.exit_code == 130
    assert "stopped; the same command goes on from here" in result.stderr
    monkeypatch.undo()
    assert [cell["steps"] for cell in json.loads(call(*arguments, "--json"))["cells"]] == [35] * 4


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        (("playgrund",), ConfigError, "there is no benchmark 'playgrund'"),
        (("playground",), ConfigError, "--path"),
        (("playground", "--path", "nonesuch"), DataError, "nonesuch"),
        (("playground", "--path", str(EPISODES), "--workers", "two"), ConfigError, "--workers two"),
        (("playground", "--path", str(EPISODES), "--ray-address", "a:1"), ConfigError, "--ray-address"),
        (("playground", "--path", str(EPISODES), "--set", "cache.polcy=full"), ConfigError, "cache.policy"),
        (("playground", "--path", str(EPISODES), "--dialect", "ui_tars,qwen3"), ConfigError, "--dialect"),
    ],
)
def test_wrong_settings(arguments: tuple[str, ...], error: type[Exception], why: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=why):
        call("replay", *arguments, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bad_records_end_a_replay_or_are_left_out_and_counted(tmp_path: Path) -> None:
    path = few(tmp_path / "data", "click-95000", "form-95000", "click-95001")
    lines = path.read_text().splitlines()
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"no picture")
    broken = json.loads(lines[2])
    broken["steps"][0]["file"] = damaged.name
    path.write_text("\n".join([lines[0], '{"task": 7}', lines[1], "{", lines[0], json.dumps(broken)]) + "\n")
    for file in EPISODES.glob("*.png"):
        (tmp_path / file.name).symlink_to(file)
    arguments = ["replay", "playground", "--path", path, "--images", tmp_path, "--model", "oracle"]
    arguments += ["--dialect", "ui_tars", "--out", tmp_path / "out", "--json"]
    with pytest.raises(DataError, match="line 2: "):
        call(*arguments)
    result = CliRunner().invoke(APP, [str(a) for a in (*arguments, "--skip-bad-records")])
    assert result.exit_code == 0, result.output
    assert "3 records cannot be used and are left out; the first: few.jsonl line 2: " in result.stderr
    (cell,) = json.loads(result.stdout)["cells"]
    assert (cell["steps"], cell["skipped"]) == (4, 1), "the damaged picture's step is left out, too"
    assert json.loads((tmp_path / "out" / "plan.json").read_text())["bad_records"] == 3
    rows = [json.loads(line) for line in next((tmp_path / "out").glob("cells/*/rows.jsonl")).read_text().splitlines()]
    assert [row["skipped"] for row in rows if row["skipped"]] == [
        f"few.jsonl line 6: the image {damaged} is not an image (PNG, JPEG, WEBP, BMP, GIF, TIFF)"
    ]
    assert call(*arguments, "--skip-bad-records") == result.stdout, "nothing is played again"
    sweep = group_cells(read_sweep(tmp_path / "out"))
    assert "--skip-bad-records" in command_of(sweep, "out")
    assert shortfall(tmp_path / "out", sweep.cells) == ("Records of the data that cannot be used were left out: 3",)


def test_what_is_odd_about_the_data_is_told(tmp_path: Path) -> None:
    (file,) = (EPISODES.parent / "aitz").glob("*.json")
    steps = json.loads(file.read_text())
    (tmp_path / "one.json").write_text(json.dumps([steps[number] for number in (2, 0, 1)]))
    for image in file.parent.glob("*.png"):
        shutil.copy(image, tmp_path)
    arguments = ["replay", "aitz", "--path", tmp_path / "one.json", "--model", "oracle", "--dialect", "ui_tars"]
    result = CliRunner().invoke(APP, [str(a) for a in (*arguments, "--out", tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "2 notes on the data; the first: " in result.stderr
    assert "step_id: the steps are not in order: [2, 0, 1]" in result.stderr
    found = check_data(BENCHMARKS["aitz"], Source(tmp_path / "one.json"))
    assert (found["problems"], found["notes"][0]["count"]) == ([], 2)
