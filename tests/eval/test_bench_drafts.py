"""What drafts save, counted; times are reported, never judged here."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from eval.bench.drafts import drafts_table, passes, recorded, speeds
from eval.benchmarks import BENCHMARKS
from eval.benchmarks.base import Source
from guikv.engine.drafts import Lookup
from guikv.models import load_model

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("before", "reply", "expected"),
    [
        ([], [1, 2, 3, 4], 4),
        ([1, 2, 3, 4], [1, 2, 3, 4], 2),
        ([1, 2, 3, 4, 9], [1, 2, 3, 5, 6], 4),
        ([], [7] * 20, 3 + 9),
    ],
    ids=["nothing known", "known", "known up to a place", "repeats itself"],
)
def test_passes_of_a_reply(before: list[int], reply: list[int], expected: int) -> None:
    assert passes(Lookup(before), reply) == expected


def test_recorded_replies_in_both_wordings() -> None:
    benchmark = BENCHMARKS["agentnetbench"]
    trajectories = list(benchmark.trajectories(Source(DATA / "agentnetbench")))
    steps = sum(len(t.steps) for t in trajectories)
    for dialect in ("ui_tars", "opencua"):
        row = recorded(trajectories, benchmark, dialect)
        assert row["replies"] == steps
        assert 0 < row["forwards"] < row["tokens"], "replies repeat each other"
        assert row["tokens_per_forward"] == pytest.approx(row["tokens"] / row["forwards"], abs=1e-3)
        letters = recorded(trajectories, benchmark, dialect, lambda text: list(text.encode()))
        assert letters["tokens"] > row["tokens"]


def test_nano_with_and_without() -> None:
    pages = BENCHMARKS["playground"]
    stored = list(islice(pages.trajectories(Source(DATA / "nano_episodes")), 2))
    own = speeds(stored, pages, load_model("nano", "cpu", "float32"), rounds=1)
    assert own["tokens"] > 0
    assert own["tokens_per_second"].keys() == {"drafts", "plain"}
    result = {"benchmark": "agentnetbench", "trajectories": 0, "recorded": [], "own": own}
    assert [table.row_count for table in drafts_table(result)] == [0, 2]
