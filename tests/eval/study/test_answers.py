"""The study's curves, intervals, answers, tables and plots, on made-up rows."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from eval.study import answers
from eval.study.answers import ranking_table, task_table
from eval.study.curves import Curves, Point, at_bytes, curves_of, difference, estimate, wilson
from eval.study.plot import plot_part
from eval.study.presets import CORRECTED, FEW, RELEASED, Arm
from eval.study.run import StudyRow


def point(fraction: float, outcomes: str, budget: float = 0.0) -> Point:
    return Point(budget or 100 * fraction, fraction, math.nan, tuple(int(o) for o in outcomes), 0.25)


def test_equal_bytes_lie_on_a_line_in_log_bytes() -> None:
    curve = (point(0.1, "0000"), point(0.4, "1100"), point(0.8, "1110"))
    assert at_bytes(curve, 0.05) is None
    assert at_bytes(curve, 0.1) == (0, 0, 0, 0)
    assert at_bytes(curve, 0.2) == pytest.approx((0.5, 0.5, 0, 0))
    assert at_bytes(curve, 0.401) == (1, 1, 0, 0)
    assert at_bytes(curve, 1.5) == (1, 1, 1, 0)
    assert at_bytes((), 0.5) is None


def test_intervals() -> None:
    low, high = wilson(8, 10)
    assert (low, high) == pytest.approx((0.490, 0.943), abs=1e-3)
    assert wilson(0, 5)[0] == 0
    assert wilson(5, 5)[1] == 1
    one = estimate([[1, 1, 0, 0]])
    assert one.value == 0.5
    assert one.half == pytest.approx(1.96 * math.sqrt((1 / 3) / 4))
    two = estimate([[1, 1, 1, 1], [1, 1, 0, 0]])
    assert two.value == 0.75
    assert two.half == pytest.approx(one.half / 2)
    assert difference([[1, 0, 1]], [[1, 0, 1]]).half == 0, "the same episodes are compared"
    assert difference([[1, 1]], [[0, 0]]).value == 1


def row(arm: Arm, budget: float, task: str, group: int, share: float, outcomes: str) -> StudyRow:
    s = arm.series
    success = outcomes.count("1") / len(outcomes)
    where = (task, s.policy, s.options, budget, s.moment, s.window, group)
    values = (*where, len(outcomes), success, 1000 * share, 1000, 500 * share, 500, 2.0, 0.25, outcomes, "w")
    return StudyRow(**dict(zip(StudyRow.model_fields, values, strict=True)))  # type: ignore[arg-type]


def made_up() -> Curves:
    """gui_kv wins half, random a quarter, released as much as corrected but with twice the bytes."""
    rows = []
    for task in ("remember_1", "remember_2", "click"):
        for group in range(2):
            for budget in FEW:
                share = 0.4 + budget / 100
                rows.append(row(Arm("gui_kv"), budget, task, group, share, "1100"))
                rows.append(row(Arm("random"), budget, task, group, share, "1000"))
                rows.append(row(Arm("recent_frames"), budget, task, group, share, "0000"))
                rows.append(row(CORRECTED, budget, task, group, share, "1110"))
                rows.append(row(RELEASED, budget, task, group, 0.45 + budget / 50, "1010"))
    return curves_of(rows)


def test_the_best_at_equal_bytes_is_found() -> None:
    ranking = answers.rank(made_up())
    assert ranking is not None
    assert ranking.tasks == ("remember_1", "remember_2")
    assert ranking.budgets == FEW
    assert ranking.fractions == pytest.approx([0.45, 0.5, 0.6, 0.8])
    assert ranking.best.series == CORRECTED.series
    assert ranking.best.ahead.value == 0.25
    assert [s.series.policy for s in ranking.standings] == [*["gui_kv"] * 3, "random", "recent_frames"]
    assert ranking.standings[3].mean.value == 0.25
    (released,) = (s for s in ranking.standings if s.series == RELEASED.series)
    assert released.at[0] is None, "it needs more bytes than the reference has at its smallest budget"
    assert (released.mean.value, released.ahead.value) == (0.5, 0)


def test_what_the_release_loses_is_compared_where_both_have_bytes() -> None:
    first = answers.losses(made_up())[0]
    assert first.overall.value == pytest.approx(0.25)
    assert first.per_task.keys() == {"remember_1", "remember_2"}
    assert first.fractions == pytest.approx((0.55, 1.25))
    assert answers.losses({}) == []
    assert answers.rank({}) is None
    assert answers.sentences({}) == []


def test_points_without_all_groups_are_left_out() -> None:
    rows = [row(Arm("gui_kv"), 5.0, "click", g, 0.5, "11") for g in (1, 0)] + [
        row(Arm("gui_kv"), 10.0, "click", 0, 0.6, "11")
    ]
    (curve,) = (tasks["click"] for tasks in curves_of(rows).values())
    assert [p.budget for p in curve] == [5.0]
    assert curve[0].fraction == 0.5
    assert len(curve[0].outcomes) == 4


def test_tables_sentences_and_plots(tmp_path: Path) -> None:
    curves = made_up()
    ranking = answers.rank(curves)
    assert ranking is not None
    assert ranking_table(ranking).row_count == 5
    assert task_table(curves, "options").row_count >= 5
    text = "\n".join(answers.sentences(curves))
    assert "loses 25.0" in text
    assert "random" in text
    assert json.loads(json.dumps(answers.as_json(curves)))["answers"] == answers.sentences(curves)
    for part in ("main", "options", "moments"):
        assert plot_part(curves, part, tmp_path / f"{part}.png")
        assert (tmp_path / f"{part}.png").stat().st_size > 10_000
    assert plot_part(curves, "main", tmp_path / "past.png", "past")
    assert not plot_part(curves, "windows", tmp_path / "windows.png")
