"""What is drawn, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eval.figures import BLACK, GREY, styles_of
from eval.report import plots
from eval.report.cells import read_sweep
from eval.report.numbers import Numbers, evaluate_sweep, measures_of
from eval.report.series import Series, group_cells
from guikv.policies import POLICIES
from tests.eval.report import made


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Figures instead of their files."""
    drawn: list[Any] = []

    def keep(figure: Any) -> bytes:
        drawn.append(figure)
        return b""

    monkeypatch.setattr(plots, "png", keep)
    return drawn


def numbers_of(folder: Path) -> Numbers:
    return evaluate_sweep(group_cells(read_sweep(folder)), measures_of("playground"))


def curve(panel: Any, label: str) -> list[tuple[float, float]]:
    """The points of a series."""
    found = next(one for one in panel.containers if one.get_label() == label)
    return [(float(x), float(y)) for x, y in found.lines[0].get_xydata()]


def test_scores_against_bytes(tmp_path: Path, figures: list[Any]) -> None:
    drawn = plots.draw_all(numbers_of(made.sweep(tmp_path)), "20%")
    assert [plot.name for plot in drawn] == ["score_bytes", "score_share", "score_budget", "cost_steps"]
    official, release = figures[0].axes
    mib = 2**20
    assert curve(official, "gui_kv") == [pytest.approx((50 / mib, 37.5)), pytest.approx((200 / mib, 75.0))]
    assert curve(release, "gui_kv") == [pytest.approx((50 / mib, 18.75)), pytest.approx((200 / mib, 37.5))]
    assert curve(official, "random") == [pytest.approx((210 / mib, 50.0))]
    full = next(line for line in official.lines if line.get_label().startswith("full"))
    assert list(full.get_ydata()) == [100.0, 100.0]
    assert list(full.get_xdata()) == [0, 1]
    shares = figures[1].axes[0]
    assert curve(shares, "gui_kv") == [pytest.approx((0.05, 37.5)), pytest.approx((0.2, 75.0))]
    budgets = figures[2].axes[0]
    assert [label.get_text() for label in budgets.get_xticklabels()] == ["5 %", "20 %"]
    assert [x for x, _ in curve(budgets, "gui_kv")] == pytest.approx([0.05, 0.2], rel=0.03)


def test_costs_by_step(tmp_path: Path, figures: list[Any]) -> None:
    plot = plots.draw_all(numbers_of(made.sweep(tmp_path)), "5%")[-1]
    tokens, memory, flops, seconds = figures[-1].axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in memory.lines}
    mib = 2**20
    # Random choice was not played at 5 %.
    assert set(lines) == {"full", "gui_kv", "stateless"}
    assert lines["gui_kv"] == [pytest.approx([1, 50 / mib]), pytest.approx([2, 50 / mib])]
    assert lines["stateless"][0] == pytest.approx([1, 1000 / mib])
    assert {line.get_label() for line in flops.lines} == {"full", "gui_kv", "stateless"}
    assert [line.get_ydata().tolist() for line in tokens.lines] == [[10, 10], [10, 10]]
    assert [line.get_ydata().tolist() for line in seconds.lines] == [[0.75, 0.75], [0.75, 0.75]]
    assert "at 5%" in plot.caption
    assert "(1 have step 2)" in plot.caption


def test_settings_are_no_formulas(tmp_path: Path) -> None:
    for dialect in ("$\\frac{$", "plain"):
        made.cell(tmp_path, dialect[-1:], made.settings(dialect=dialect), made.rows(made.LOW))
    drawn = plots.draw_all(numbers_of(tmp_path), "20%")
    assert all(plot.png.startswith(b"\x89PNG") for plot in drawn)
    assert [plot.name for plot in drawn] == ["score_bytes", "score_share", "score_budget", "cost_steps"]


def test_budgets_of_different_units_have_no_axis(tmp_path: Path, figures: list[Any]) -> None:
    for budget in ("20%", "2048 tokens"):
        made.cell(tmp_path, budget, made.settings(budget=budget), made.rows(made.LOW))
    drawn = plots.draw_all(numbers_of(tmp_path), "20%")
    assert [plot.name for plot in drawn] == ["score_bytes", "score_share", "cost_steps"]
    assert len(figures) == 3


def test_policies_can_be_told_apart() -> None:
    styles = styles_of([Series(policy) for policy in POLICIES])
    looks = {(style["color"], style["linestyle"], style["marker"]) for style in styles.values()}
    assert len(looks) == len(POLICIES)
    assert styles[Series("full")]["color"] == BLACK
    assert len({style["color"] for policy, style in styles.items() if style["color"] != GREY}) == 6


def test_the_same_numbers_make_the_same_files(tmp_path: Path) -> None:
    numbers = numbers_of(made.sweep(tmp_path))
    first, second = (plots.draw_all(numbers, "20%")[0].png for _ in range(2))
    assert first == second
