"""Averages: the authors', and the release's with its defects."""

from __future__ import annotations

import pytest

from eval.benchmarks.agentnetbench.benchmark import AGENTNETBENCH, GROUPS
from eval.benchmarks.agentnetbench.gold import NAMES
from eval.metrics.measures import Scored, evaluate


def _row(
    trajectory: str,
    kind: str,
    official: float,
    release: float,
    read: bool = True,
    other: bool = False,
    milestone: bool = False,
    first: str = "",
) -> Scored:
    scores = {"official": official, "official_strict": official, "release": release}
    scores |= {"release_read": float(read), "alternative": float(other)}
    if read:
        scores[f"official:{kind.lower()}"] = official
    return Scored(trajectory, "", kind, scores, {"milestone": milestone, "first": first or kind.lower()})


MISSING = Scored("a", "", "click", {}, {"milestone": True, "first": "click"})
ROWS = [
    _row("a", "click", 1.0, 1.0, milestone=True),
    _row("a", "click", 0.0, 0.0, milestone=True, read=False),
    _row("a", "scroll", 1.0, 1.0, first="moveto"),
    MISSING,
    _row("b", "write", 0.5, 0.5, other=True),
    _row("b", "terminate", 1.0, 0.0),
]


def _values(rows: list[Scored]) -> dict[str, float]:
    return {value.name: value.value for value in evaluate(AGENTNETBENCH.measures, rows, resamples=10)}


def test_official_averages() -> None:
    values = _values(ROWS)
    assert values["official"] == pytest.approx(3.5 / 5)
    assert values["official by trajectory"] == pytest.approx((2 / 3 + 1.5 / 2) / 2)
    assert values["official milestones"] == pytest.approx(0.5)
    assert values["official coordinate actions"] == pytest.approx(2 / 3)
    assert values["official content actions"] == pytest.approx(0.5)
    assert values["official function actions"] == 1.0


def test_types_of_the_authors_leave_out_answers_without_an_action() -> None:
    values = _values(ROWS)
    assert values["official click"] == 1.0
    assert "official rightClick" not in values


def test_a_missing_image_leaves_the_mean_but_counts_in_its_trajectory() -> None:
    """A8."""
    values = _values(ROWS)
    assert values["release"] == pytest.approx(2.5 / 5)
    assert values["release average_trajectory_score"] == pytest.approx((2 / 4 + 0.5 / 2) / 2)
    without = [row for row in ROWS if row is not MISSING]
    assert _values(without)["release average_trajectory_score"] == pytest.approx((2 / 3 + 0.5 / 2) / 2)


def test_means_of_types_and_milestones_pass_over_what_cannot_be_read() -> None:
    """A7."""
    values = _values(ROWS)
    assert values["release milestones"] == 1.0
    assert values["release click"] == 1.0
    assert values["release terminate"] == 0.0


def test_scrolls_are_filed_under_their_moves() -> None:
    """A6."""
    values = _values(ROWS)
    assert values["release moveTo"] == 1.0
    assert "release scroll" not in values


def test_alternatives_are_shares_of_the_steps() -> None:
    rows = [_row("a", "click", 1.0, 1.0, other=True), _row("a", "click", 1.0, 1.0)]
    assert _values(rows)["official alternatives"] == 0.5


def test_every_type_has_its_group_and_every_measure_its_help() -> None:
    assert sorted(name for kinds in GROUPS.values() for name in kinds) == sorted(NAMES.values())
    assert all(measure.help for measure in AGENTNETBENCH.measures)
    names = [measure.name for measure in AGENTNETBENCH.measures]
    assert len(set(names)) == len(names)
