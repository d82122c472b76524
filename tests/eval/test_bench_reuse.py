"""What `guikv bench reuse` counts, on small pictures and few steps."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from agent.dialects import DIALECTS
from envs.geometry import Size
from eval.bench.reuse import ReuseError, chosen, run_bench
from eval.bench.reuse_world import SCREEN, TASK, small_model, texts
from eval.commands.bench import reuse_table

STEPS = 4


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    told: list[tuple[str, int]] = []
    out = run_bench(
        tuple(DIALECTS),
        STEPS,
        history=2,
        windows=("shrink", "recompute"),
        size=Size(168, 112),
        adapter=small_model(),
        report=lambda name, step: told.append((name, step)),
    )
    assert len(told) == STEPS * len(out["runs"])
    return out


def shares(result: dict[str, Any], dialect: str, layout: str, window: str) -> list[float]:
    (found,) = (r for r in result["runs"] if (r["dialect"], r["layout"], r["window"]) == (dialect, layout, window))
    assert len(found["ledger_reused"]) == STEPS - 1
    assert all(reused <= held and reused < prompt for held, prompt, reused in found["tokens"][1:])
    return list(found["ledger_reused"])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_appended_everything_is_reused(result: dict[str, Any], dialect: str) -> None:
    assert shares(result, dialect, "append", "shrink") == [1.0] * (STEPS - 1)


@pytest.mark.parametrize("dialect", ["qwen25", "opencua"])
def test_text_that_changes_ends_the_reuse(result: dict[str, Any], dialect: str) -> None:
    assert max(shares(result, dialect, "owners", "shrink")) < 1
    assert min(shares(result, dialect, "owners", "shrink")) > 0


@pytest.mark.parametrize("dialect", DIALECTS)
def test_recomputing_reuses_less(result: dict[str, Any], dialect: str) -> None:
    assert shares(result, dialect, "append", "recompute")[-1] < 1


def test_table(result: dict[str, Any]) -> None:
    table = reuse_table(result)
    assert table.row_count == len(result["runs"])
    page = StringIO()
    Console(file=page, width=79).print(table)
    assert "…" not in page.getvalue()


def test_texts_have_about_as_many_tokens_as_in_reality() -> None:
    tokenizer = small_model().tokenizer
    whole = "".join(texts())
    assert 2.5 < len(whole) / len(tokenizer.encode(whole)) < 5
    assert tokenizer.decode(tokenizer.encode(TASK)) == TASK
    assert SCREEN.width % 28 == SCREEN.height % 28 == 0


def test_unknown_dialects_are_errors() -> None:
    assert chosen("") == tuple(DIALECTS)
    assert chosen("qwen3, ui_tars") == ("qwen3", "ui_tars")
    with pytest.raises(ReuseError, match="there are ui_tars"):
        chosen("klingon")
