"""Averages over rows, each worked out by hand."""

import pytest

from eval.benchmarks.mind2web.benchmark import MIND2WEB, cumulative
from eval.metrics.measures import Scored, evaluate


def one(
    split: str,
    task: str,
    value: float,
    total: int,
    share: float = 1.0,
    kind: str = "click",
    step: int = 0,
    **scores: float,
) -> Scored:
    named = {"official": value, "release": value, "uground": value, "element": value, "op_f1": value, "strict": value}
    name = task if share == 1.0 else f"{task}/{step}"
    facts = {"task": task, "total_steps": total, "share": share}
    return Scored(name, split, kind, {**named, **scores}, facts)


def values(rows: list[Scored]) -> dict[str, float]:
    return {value.name: value.value for value in evaluate(MIND2WEB.measures, rows, 10)}


ROWS = [
    # domain: one task of 2 steps, half right; task: 1 of 1; website: two tasks, 0 of 1 and 3 of 3.
    one("domain", "a", 1, 2),
    one("domain", "a", 0, 2),
    one("task", "b", 1, 1),
    one("website", "c", 0, 1),
    *(one("website", "d", 1, 3) for _ in range(3)),
]


def test_means_over_tasks_steps_and_splits() -> None:
    found = values(ROWS)
    assert found["official"] == pytest.approx((0.5 + 1 + 0 + 1) / 4)
    assert found["official, all steps"] == pytest.approx(5 / 7)
    assert found["official, cross-domain"] == pytest.approx(0.5)
    assert found["official, cross-website"] == pytest.approx(0.5)
    assert found["official, mean of splits"] == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert found["element"] == found["operation F1"] == found["official"]


def test_the_release_never_resets_its_sums() -> None:
    """M6: each split's number holds the splits before it, and the overall one is the mean of these."""
    found = values(ROWS)
    domain, task, website = 0.5, (0.5 + 1) / 2, (0.5 + 1 + 0 + 1) / 4
    assert found["release, domain"] == pytest.approx(domain)
    assert found["release, task"] == pytest.approx(task)
    assert found["release, website"] == pytest.approx(website)
    assert found["release"] == pytest.approx((domain + task + website) / 3)
    assert cumulative("domain") == ("domain", "task", "website")
    assert cumulative("elsewhere") == ()


def test_steps_that_a_limit_cut_off_are_wrong_for_the_release_and_uground() -> None:
    """M9: one right step of a task of four."""
    found = values([one("domain", "a", 1, 4), one("domain", "b", 1, 1)])
    assert found["official"] == 1
    assert found["release, domain"] == found["uground step"] == pytest.approx((0.25 + 1) / 2)
    assert found["uground step, all steps"] == pytest.approx(2 / 5)
    assert (found["3 wrong"], found["0 wrong"]) == (0.5, 0.5)


def test_classes_of_errors() -> None:
    rows = [one("domain", f"t{wrong}", float(number >= wrong), 5) for wrong in range(6) for number in range(5)]
    found = values(rows)
    assert [found[f"{name} wrong"] for name in ("0", "1", "2", "3", ">3")] == pytest.approx([1 / 6] * 4 + [2 / 6])
    assert found["release >3 wrong"] == pytest.approx(2 / 6)


def test_steps_that_stand_alone_weigh_as_in_their_task() -> None:
    together = [one("domain", "a", 1, 2), one("domain", "a", 0, 2), one("domain", "b", 1, 3)]
    alone = [
        one("domain", "a", 1, 2, share=0.5, step=0),
        one("domain", "a", 0, 2, share=0.5, step=1),
        one("domain", "b", 1, 3),
    ]
    left, right = values(together), values(alone)
    assert left["official"] == right["official"] == pytest.approx(0.75)
    assert left["uground step"] == right["uground step"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert left["uground step, all steps"] == right["uground step, all steps"] == pytest.approx(2 / 5)
    assert left["1 wrong"] == 0.5
    # Of a task in parts nobody knows how many steps are wrong; b is whole.
    assert right["1 wrong"] == 0


def test_seeclick() -> None:
    """Steps that it leaves out count nowhere; its F1 is the mean of the operations' means."""
    rows = [
        one("domain", "a", 0, 3, seeclick=1, seeclick_element=1, seeclick_op_f1=1),
        one("domain", "a", 0, 3, kind="type", seeclick=0, seeclick_element=1, seeclick_op_f1=0.5),
        one("domain", "a", 0, 3),
        one("domain", "b", 0, 1, seeclick=1, seeclick_element=1, seeclick_op_f1=1),
        one("domain", "c", 0, 1),
    ]
    found = values(rows)
    assert found["seeclick step"] == pytest.approx(2 / 3)
    assert found["seeclick element"] == 1
    assert found["seeclick operation F1"] == pytest.approx((1 + 0.5) / 2)
    assert found["seeclick episode"] == pytest.approx(2 / 3)
    assert found["seeclick step, tasks"] == pytest.approx((0.5 + 1) / 2)


def test_skipped_rows_count_only_where_missing_steps_do() -> None:
    skipped = Scored("a", "domain", "click", {}, {"task": "a", "total_steps": 2, "share": 1.0})
    found = values([one("domain", "a", 1, 2), skipped])
    assert found["official"] == 1
    assert found["uground step"] == 0.5
    assert values([skipped]) == {}
