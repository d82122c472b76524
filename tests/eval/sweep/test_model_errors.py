"""A model, a budget or a picture that fails in `guikv replay`: a typed end, and never a walk round a ring of causes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import eval.sweep.cell_player
from agent.errors import LONGEST_CHAIN, error_chain
from eval.benchmarks.errors import DataError
from eval.commands.replay import replay
from guikv.errors import BudgetError, ContextError, DeviceMemoryError, GuikvError, SessionError
from guikv.models import Adapter
from tests.eval.sweep.tools import EPISODES, few

APP = typer.Typer()
APP.command()(replay)
PNG = (EPISODES / "dialog-95000-1.png").read_bytes()


def replayed(folder: Path, *options: str, images: Path = EPISODES) -> Result:
    path = few(folder, "dialog-95000")
    arguments = ["playground", "--path", str(path), "--images", str(images), "--out", str(folder / "out")]
    return CliRunner().invoke(APP, [*arguments, *options])


@pytest.mark.parametrize("budgets", ["5 tokens", "1 tokens,2 tokens", "1KiB"])
def test_a_budget_that_is_too_small(tmp_path: Path, budgets: str) -> None:
    result = replayed(tmp_path, "--budgets", budgets, "--json")
    assert result.exit_code == 1, result.output
    failed = json.loads(result.stdout)["failed"]
    assert len(failed) == len(budgets.split(","))
    assert all("budget" in why for why in failed.values())


@pytest.mark.parametrize(
    "picture",
    [b"", PNG[: len(PNG) // 2], PNG[:8], b"<!doctype html><html><body>404</body></html>", b"\x00" * 500, b"GIF89a"],
    ids=["empty", "cut", "signature", "html", "zeros", "gif"],
)
def test_pictures_that_are_none(tmp_path: Path, picture: bytes) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for file in EPISODES.glob("dialog-95000-*.png"):
        shutil.copy(file, images)
    (images / "dialog-95000-1.png").write_bytes(picture)
    result = replayed(tmp_path, images=images)
    assert isinstance(result.exception, DataError)
    assert "dialog-95000-1.png" in str(result.exception)
    assert "the same command goes on" in result.stderr, "the step before has its row"


@pytest.mark.parametrize("kind", [DeviceMemoryError, ContextError, SessionError, BudgetError])
def test_a_model_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[GuikvError]) -> None:
    load = eval.sweep.cell_player.load_adapter

    def failing(*settings: object) -> Adapter:
        adapter: Adapter = load(*settings)  # type: ignore[arg-type]
        encode = adapter.encode

        def fail(*arguments: object) -> object:
            calls.append(len(calls))
            if len(calls) == 2:
                raise kind("there is no room")
            return encode(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(adapter, "encode", fail)
        return adapter

    calls: list[int] = []
    monkeypatch.setattr(eval.sweep.cell_player, "load_adapter", failing)
    result = replayed(tmp_path, "--policies", "gui_kv,full", "--json")
    assert result.exit_code == 1, result.output
    told = json.loads(result.stdout)
    assert list(told["failed"].values()) == ["there is no room"]
    assert [cell["steps"] for cell in told["cells"]] == [1, 2], "the next cell is played"


def ring(length: int, link: Callable[[BaseException, BaseException], None]) -> list[BaseException]:
    errors: list[BaseException] = [ValueError(str(number)) for number in range(length)]
    for one, other in zip(errors, [*errors[1:], errors[0]], strict=True):
        link(one, other)
    return errors


def cause(one: BaseException, other: BaseException) -> None:
    one.__cause__ = other


def both(one: BaseException, other: BaseException) -> None:
    one.__cause__ = one.__context__ = other


@pytest.mark.parametrize("link", [cause, both])
def test_a_ring_of_causes_is_walked_once(link: Callable[[BaseException, BaseException], None]) -> None:
    for length in (1, 2, 3, 50, LONGEST_CHAIN, 10 * LONGEST_CHAIN):
        errors = ring(length, link)
        walked = list(error_chain(errors[0]))
        assert walked == errors[:LONGEST_CHAIN]


def test_a_cause_and_what_was_handled_both_count() -> None:
    error, raised_from, handled = ValueError("a"), ValueError("b"), ValueError("c")
    error.__cause__, error.__context__ = raised_from, handled
    assert list(error_chain(error)) == [error, raised_from, handled]
