"""The numbers of a report against ones worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from eval.benchmarks import BENCHMARKS, rules_of
from eval.metrics.measures import Measure, Parts, Scored, by_cell, evaluate, macro, micro
from eval.report.cells import read_sweep
from eval.report.estimates import Bootstrap, difference
from eval.report.numbers import SECONDS, SHARE, WORK, Entry, Numbers, evaluate_sweep, measures_of
from eval.report.series import group_cells
from eval.report.tables import Figure, cost_table, group_table, outcome_table, score_table
from eval.report.worst import worst_steps
from tests.eval.report import made


@pytest.fixture
def numbers(tmp_path: Path) -> Numbers:
    sweep = group_cells(read_sweep(made.sweep(tmp_path)))
    return evaluate_sweep(sweep, measures_of("playground"))


def entry(numbers: Numbers, policy: str, budget: str = "") -> Entry:
    return next(one for one in numbers.entries if (one.point.series.policy, one.point.budget) == (policy, budget))


def test_means_and_differences(numbers: Numbers) -> None:
    low = entry(numbers, "gui_kv", "5%")
    # 0, 1, 0 and 0.5 of four steps; the episodes' means are 0.5, 0 and 0.5; none is right throughout.
    assert low.measures["official"].value == pytest.approx(1.5 / 4)
    assert low.measures["official by episode"].value == pytest.approx(1.0 / 3)
    assert low.measures["episodes"].value == 0.0
    assert low.measures["release"].value == pytest.approx(0.75 / 4)
    assert low.measures["official"].count == 4
    assert low.to_full["official"].value == pytest.approx(1.5 / 4 - 1)
    assert low.to_full["release"].value == pytest.approx(0.75 / 4 - 0.5)
    assert entry(numbers, "gui_kv", "20%").measures["official"].value == pytest.approx(3 / 4)
    assert entry(numbers, "full").to_full == {}
    assert numbers.headline == ("official", "release")
    assert numbers.trajectories == 3


def test_costs(numbers: Numbers) -> None:
    costs = entry(numbers, "gui_kv", "5%").costs
    assert costs["kv_bytes"].value == 50
    assert costs[SHARE].value == pytest.approx(0.05)
    assert costs[WORK].value == pytest.approx(50 / 200)
    assert costs[SECONDS].value == pytest.approx(0.75)
    assert costs["tokens_new"].value == 10
    assert entry(numbers, "random", "20%").costs["kv_bytes"].value == pytest.approx(210)
    assert entry(numbers, "random", "20%").by_step[1]["kv_bytes"] == pytest.approx(210)
    assert entry(numbers, "random", "20%").by_step[1]["trajectories"] == 3
    assert entry(numbers, "gui_kv", "5%").by_step[2]["trajectories"] == 1


def test_seeds_are_joined(numbers: Numbers) -> None:
    point = entry(numbers, "random", "20%")
    assert point.point.seeds == (0, 1)
    assert point.steps == 8
    estimate = point.measures["official"]
    assert estimate.value == pytest.approx(0.5)
    # Each seed has one score throughout, so only the draws of seeds can make a difference.
    assert (estimate.low, estimate.high) == (0.0, 1.0)
    assert set(np.unique(estimate.resamples)) == {0.0, 0.5, 1.0}


def test_one_seed_gives_what_the_measures_give() -> None:
    rng = np.random.default_rng(3)
    groups = [
        [Scored(str(t), str(t % 2), "click", {"official": float(rng.random())}) for _ in range(1 + t % 4)]
        for t in range(17)
    ]
    flat = [row for rows in groups for row in rows]
    for measure in (
        micro("a", "official"),
        macro("b", "official", split=True),
        by_cell("c", "official", lambda row: row.split),
    ):
        wanted = evaluate([measure], flat)[0]
        found = Bootstrap(len(groups)).measure(measure, [groups])
        assert found is not None
        assert (found.value, found.low, found.high, found.count) == pytest.approx(
            (wanted.value, wanted.low, wanted.high, wanted.count)
        )


def test_the_mean_over_seeds_is_of_their_values() -> None:
    """With other denominators in each seed a pooled ratio would be another number."""

    def parts(rows: Sequence[Scored]) -> Parts:
        return {"all": (sum(row.scores["official"] for row in rows), sum(row.scores["weight"] for row in rows))}

    first = [[Scored("t", "", "", {"official": 1.0, "weight": 1.0})]]
    second = [[Scored("t", "", "", {"official": 1.0, "weight": 4.0})]]
    found = Bootstrap(1).measure(Measure("m", parts), [first, second])
    assert found is not None
    assert found.value == pytest.approx((1 + 0.25) / 2)
    assert Bootstrap(1).measure(micro("none", "nothing"), [first]) is None


def test_differences_are_paired() -> None:
    one = [[Scored(str(t), "", "", {"official": 0.1 * t})] for t in range(10)]
    other = [[Scored(str(t), "", "", {"official": 0.1 * t - 0.05})] for t in range(10)]
    bootstrap, measure = Bootstrap(10), micro("m", "official")
    first, second = bootstrap.measure(measure, [one]), bootstrap.measure(measure, [other])
    assert first is not None
    assert second is not None
    between = difference(second, first)
    assert first.high - first.low > 0.2
    assert (between.low, between.value, between.high) == pytest.approx((-0.05, -0.05, -0.05))


def test_the_score_table(numbers: Numbers) -> None:
    table = score_table(numbers, "official", "Score", "note")
    assert table.columns == ("5%", "20%")
    cells = dict(table.rows)
    assert cells["full"] == (Figure("100.0", "100.0–100.0", span=2),)
    low, high = cells["gui_kv"]
    assert (low.value, low.change, low.tone) == ("37.5", "−62.5", "less")
    assert (high.value, high.change, high.tone, high.best) == ("75.0", "−25.0", "", True)
    assert low.best is False
    assert cells["random"][0] == Figure()
    assert cells["random"][1].value == "50.0"


def test_tables_by_group(tmp_path: Path) -> None:
    kinds = {"a": ("click", "type"), "b": ("click",)}
    for name, policy, scores in (
        ("full", "full", {"a": (1.0, 1.0), "b": (1.0,)}),
        ("gui", "gui_kv", {"a": (1.0, 0.0), "b": (0.0,)}),
    ):
        its = [
            one.model_copy(update={"kind": kinds[one.trajectory][one.step], "split": one.trajectory})
            for one in made.rows(scores)
        ]
        made.cell(tmp_path, name, made.settings(policy), its)
    numbers = evaluate_sweep(group_cells(read_sweep(tmp_path)), measures_of("playground"))
    table = group_table(numbers, lambda one: one.kinds["official"], "20%", "t")
    assert table.columns == ("click (n=2)", "type (n=1)")
    assert [(figure.value, figure.change) for figure in dict(table.rows)["gui_kv"]] == [
        ("50.0", "−50.0"),
        ("0.0", "−100.0"),
    ]
    splits = group_table(numbers, lambda one: one.splits["release"], "20%", "t")
    assert splits.columns == ("a (n=2)", "b (n=1)")
    assert [figure.value for figure in dict(splits.rows)["gui_kv"]] == ["25.0", "0.0"]


def test_the_cost_table(numbers: Numbers) -> None:
    table = cost_table(numbers)
    assert table is not None
    cells = {label: dict(zip(table.columns, figures, strict=True)) for label, figures in table.rows}
    assert list(cells) == ["full", "gui_kv 5%", "gui_kv 20%", "random 20%"]
    assert cells["gui_kv 5%"]["of full"].value == "5.0 %"
    assert cells["gui_kv 5%"]["of stateless"].value == "25.0 %"
    assert cells["full"]["of full"].value == "110.0 %"
    assert cells["gui_kv 5%"]["official"].value == "37.5"


def test_a_trajectory_without_any_image_costs_nothing(tmp_path: Path) -> None:
    """One that was left out as a whole still has a place among the trajectories that are drawn."""
    gone = {"skipped": "the image x.png is missing", "scores": {}, "cost": {}, "texts": (), "views": ()}
    for name, policy, kv in (("full", "full", 1000.0), ("gui", "gui_kv", 200.0)):
        first, *rest = made.rows({"a": (1.0,), "b": (1.0,), "c": (0.0,)}, kv)
        made.cell(tmp_path, name, made.settings(policy), [first.model_copy(update=gone), *rest])
    numbers = evaluate_sweep(group_cells(read_sweep(tmp_path)), measures_of("playground"))
    found = entry(numbers, "gui_kv", "20%")
    assert (found.costs["kv_bytes"].value, found.costs["kv_bytes"].count) == (200.0, 2)
    assert found.costs[SHARE].value == pytest.approx(0.2)
    assert found.by_step[1]["trajectories"] == 2
    assert found.measures["official"].value == pytest.approx(0.5)


def test_an_oracle_costs_nothing(tmp_path: Path) -> None:
    made.cell(tmp_path, "o", made.settings(model="oracle"), made.rows(made.FULL, None))
    numbers = evaluate_sweep(group_cells(read_sweep(tmp_path)), measures_of("playground"))
    assert cost_table(numbers) is None
    assert score_table(numbers, "official", "", "").rows == (("oracle", (Figure("100.0", "100.0–100.0"),)),)


@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_every_benchmark_has_what_is_shown_first(name: str) -> None:
    names = [measure.name for measure in measures_of(name)]
    assert rules_of(name) == (("type_match",) if name == "webvoyager" else ("official", "release"))
    assert [names.count(rule) for rule in rules_of(name)] == [1] * len(rules_of(name))


def test_an_unknown_benchmark_gets_plain_means() -> None:
    assert [measure.name for measure in measures_of("somebody's own")] == ["official", "release"]


def test_the_worst_steps(tmp_path: Path) -> None:
    sweep = group_cells(read_sweep(made.sweep(tmp_path)))
    selection = worst_steps(sweep, 12)
    assert selection.against_full
    found = selection.steps
    # Losses of gui_kv 5 %, gui_kv 20 % and random (half) against 1: b loses 1, 1 and 0.5.
    assert [(one.step[1:], round(one.loss, 4)) for one in found] == [
        (("b", "0"), round(2.5 / 3, 4)),
        (("a", "0"), round(1.5 / 3, 4)),
        (("c", "0"), round(1.0 / 3, 4)),
        (("a", "1"), round(0.5 / 3, 4)),
    ]
    assert found[0].shown.label == "gui_kv 20%"
    assert found[0].full is not None
    # The random seed that did worst is looked at.
    assert (found[3].shown.label, found[3].cell.settings.seed) == ("random 20%", 0)
    # Two are of different trajectories, though both steps of one lost as much.
    assert [one.step[1] for one in worst_steps(sweep, 3).steps] == ["b", "a", "c"]
    assert worst_steps(sweep, 0).steps == ()
    outcomes = outcome_table(sweep, found[0].scores)
    assert [figure.value for figure in dict(outcomes.rows)["gui_kv"]] == ["0.00", "0.00"]
    assert dict(outcomes.rows)["full"] == (Figure("1.00", span=2),)


def test_without_a_full_cache_the_lowest_scores_are_shown(tmp_path: Path) -> None:
    made.cell(tmp_path, "g", made.settings(), made.rows(made.LOW))
    selection = worst_steps(group_cells(read_sweep(tmp_path)), 12)
    assert not selection.against_full
    found = selection.steps
    assert [(one.step[1], one.loss) for one in found] == [("a", 1.0), ("b", 1.0), ("c", 0.5)]
    assert all(one.full is None for one in found)


def test_where_nothing_is_lost_the_lowest_scores_are_shown(tmp_path: Path) -> None:
    nothing = {"a": (0.0, 0.5), "b": (0.0,)}
    made.cell(tmp_path, "full", made.settings("full"), made.rows(nothing))
    made.cell(tmp_path, "gui", made.settings(), made.rows(nothing))
    selection = worst_steps(group_cells(read_sweep(tmp_path)), 2)
    assert not selection.against_full
    assert [one.step[1] for one in selection.steps] == ["a", "b"]
    assert all(one.full is not None for one in selection.steps)


def test_differences_too_small_to_see_are_not_marked(tmp_path: Path) -> None:
    made.cell(tmp_path, "full", made.settings("full"), made.rows({"a": (0.0,), "b": (0.0,)}))
    made.cell(tmp_path, "gui", made.settings(), made.rows({"a": (1e-20,), "b": (1e-20,)}))
    numbers = evaluate_sweep(group_cells(read_sweep(tmp_path)), measures_of("playground"))
    figure = dict(score_table(numbers, "official", "", "").rows)["gui_kv"][0]
    assert (figure.change, figure.tone) == ("0.0", "")
