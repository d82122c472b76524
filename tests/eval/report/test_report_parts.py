"""Boxes on the picture, and the command that is told."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import typer

from envs.geometry import Size
from eval.benchmarks.agentnetbench.gold import NetGold
from eval.benchmarks.agentnetbench.gold import Target as NetTarget
from eval.benchmarks.aitz.gold import AitzGold
from eval.benchmarks.aitz.gold import Kind as AitzKind
from eval.benchmarks.androidcontrol.gold import AndroidGold, Element
from eval.benchmarks.base import Gold
from eval.benchmarks.mind2web.gold import Mind2WebGold
from eval.benchmarks.screenspot.gold import Target
from eval.commands.replay import replay
from eval.metrics.shapes import Box
from eval.report.cells import read_sweep
from eval.report.data import box_svg, boxes_of, gold_boxes
from eval.report.reproduce import command_of
from eval.report.series import group_cells
from tests.eval.report import made

SIZE = Size(200, 100)


def test_boxes_are_in_pixels_of_the_picture() -> None:
    net = NetGold(actions=(NetTarget(type="click", x=0.3, y=0.3, boxes=((0.25, 0.2, 0.5, 0.1),)),))
    assert [box.centre for box in boxes_of(net, SIZE, 0)] == [pytest.approx((100, 25))]
    assert boxes_of(Target(box=(10, 20, 30, 40), size=(100, 50)), SIZE, 0) == (Box(20, 40, 60, 80),)
    nodes = (Element(box=(0, 0, 200, 100)), Element(box=(40, 40, 80, 60)), Element(box=(90, 40, 99, 60)))
    android = AndroidGold(action="click", point=(50, 50), nodes=nodes, screen=(400, 200))
    assert boxes_of(android, SIZE, 0) == (Box(20, 20, 40, 30),)
    blocks = {0: ((1.0, 2.0, 3.0, 4.0),), 2: ((5.0, 6.0, 10.0, 20.0),)}
    page = Mind2WebGold(operation="CLICK", target_blocks=blocks, sizes=((200, 100),) * 3)
    assert boxes_of(page, SIZE, 2) == (Box(5, 6, 15, 26),)
    assert boxes_of(page, SIZE, 1) == ()
    assert boxes_of(AitzGold(action=AitzKind.DUAL_POINT, boxes=((1, 2, 3, 4),)), SIZE, 0) == (Box(1, 2, 4, 6),)
    assert boxes_of(Gold(), SIZE, 0) == ()


def test_gold_that_is_none_has_no_boxes() -> None:
    assert gold_boxes("playground", {"type": "click", "box": made.BOX, "text": ""}, SIZE, 0) == (Box(*made.BOX),)
    assert gold_boxes("playground", {"type": "type", "box": None, "text": ""}, SIZE, 0) == ()
    assert gold_boxes("playground", {"type": 7}, SIZE, 0) == ()
    assert gold_boxes("unknown", {}, SIZE, 0) == ()


def test_boxes_as_svg() -> None:
    assert not box_svg((), SIZE)
    assert '<rect class="goal" x="1.0" y="2.0" width="3.0" height="1.0"/>' in box_svg((Box(1, 2, 4, 2),), SIZE).text


def test_the_command_names_what_is_not_usual(tmp_path: Path) -> None:
    data = tmp_path / "two words"
    others = {"path": data, "moment": "prefill", "history": 3, "splits": ("0",), "protect": False}
    for policy, budget, seed in (("full", "100%", 0), ("gui_kv", "5%", 0), ("random", "5%", 0), ("random", "5%", 1)):
        made.cell(tmp_path, f"{policy}{seed}", made.settings(policy, budget, seed, **others), made.rows(made.FULL))
    command = command_of(group_cells(read_sweep(tmp_path)), "out")
    assert command == (
        f"guikv replay playground --path '{data}' --split 0 --model nano --dialect ui_tars "
        "--policies full,gui_kv,random --budgets 5% --seeds 0,1 --moment prefill --screenshots 3 "
        "--set cache.protect=false --out out"
    )
    app = typer.Typer()
    app.command()(replay)
    known = {option for parameter in typer.main.get_command(app).params for option in parameter.opts}
    assert {word for word in shlex.split(command) if word.startswith("--")} <= known


def test_the_command_says_whose_options_are_set(tmp_path: Path) -> None:
    made.cell(tmp_path, "gui", made.settings(), made.rows(made.FULL))
    made.cell(tmp_path, "snap", made.settings("snap_kv", options={"kernel": 5}), made.rows(made.FULL))
    command = command_of(group_cells(read_sweep(tmp_path)), "out")
    assert "--policies gui_kv,snap_kv" in command
    assert "--set cache.policy=snap_kv --set cache.options.kernel=5" in command


def test_the_command_of_an_oracle(tmp_path: Path) -> None:
    for dialect in ("ui_tars", "opencua"):
        of = made.settings(model="oracle", dialect=dialect).model_copy(update={"options": {"level": "low"}})
        made.cell(tmp_path, dialect, of, made.rows(made.FULL, None))
    assert command_of(group_cells(read_sweep(tmp_path)), "out") == (
        "guikv replay playground --path /nowhere --option level=low --model oracle --dialect opencua,ui_tars --out out"
    )
