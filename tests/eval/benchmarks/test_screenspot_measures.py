"""What ScreenSpot reports: the averages of the leaderboards, of the paper, of the authors, and of the release."""

from __future__ import annotations

from typing import Any

import pytest

from eval.benchmarks.screenspot.benchmark import APPLICATIONS, SCREENSPOT_PRO, SCREENSPOT_V2, ScreenSpot
from eval.benchmarks.screenspot.data import GROUPS
from eval.metrics.measures import Scored, Value, evaluate


def rows(right: int, count: int, start: int = 0, **facts: Any) -> list[Scored]:
    """`right` hits among `count` samples of these facts."""
    name = " ".join(facts.values())
    return [
        Scored(
            f"{name}-{start + number}",
            facts["platform"],
            facts["type"],
            {"official": hit, "release": hit, "wrong_format": 0.0, "release_counted": 1.0},
            facts,
        )
        for number in range(count)
        for hit in [float(number < right)]
    ]


def table(benchmark: ScreenSpot, found: list[Scored]) -> dict[str, Value]:
    return {value.name: value for value in evaluate(benchmark.measures, found, resamples=20)}


def percent(value: Value) -> float:
    return round(100 * value.value, 1)


OS_ATLAS_7B = {
    ("mobile", "text"): (276, 290, 95.2),
    ("mobile", "icon"): (160, 211, 75.8),
    ("desktop", "text"): (176, 194, 90.7),
    ("desktop", "icon"): (89, 140, 63.6),
    ("web", "text"): (212, 234, 90.6),
    ("web", "icon"): (157, 203, 77.3),
}
"""Hits and samples that give the published cells."""


def test_published_cells_have_a_macro_mean_and_the_published_micro_mean() -> None:
    cells = OS_ATLAS_7B.items()
    found = [row for (p, kind), (right, count, _) in cells for row in rows(right, count, platform=p, type=kind)]
    assert len(found) == 1272
    values = table(SCREENSPOT_V2, found)
    for (platform, kind), (_, count, published) in cells:
        cell = values[f"official {platform} {kind}"]
        assert (percent(cell), cell.count) == (published, count)
    assert percent(values["official macro"]) == 82.2
    assert percent(values["release"]) == 82.2
    assert percent(values["official"]) == 84.1


def test_release_leaves_wrong_formats_out_of_its_total_but_not_out_of_its_mean() -> None:
    # S1: 3 hits, 1 miss, and 4 answers that could not be read.
    wrong = {"official": 0.0, "release": 0.0, "wrong_format": 1.0, "release_counted": 0.0}
    facts = {"platform": "web", "type": "text"}
    unread = [Scored(f"unread-{number}", "web", "text", wrong, facts) for number in range(4)]
    values = table(SCREENSPOT_V2, rows(3, 4, **facts) + unread)
    assert values["release"].value == 3 / 8
    assert values["wrong format"].value == 4 / 8
    assert values["release total_samples"].value == 4 / 8


def test_cells_without_samples_are_no_part_of_the_mean() -> None:
    # S7: the release divides by zero there.
    values = table(SCREENSPOT_V2, rows(1, 2, platform="web", type="text"))
    assert values["official macro"].value == 0.5
    assert "official mobile text" not in values


def test_report_of_pro() -> None:
    word = {"group": "Office", "application": "word", "platform": "macos"}
    cad = {"group": "CAD", "application": "vivado", "platform": "windows"}
    found = [
        *rows(3, 4, type="text", **word),
        *rows(0, 2, type="icon", **word),
        *rows(1, 10, type="icon", **cad),
    ]
    values = table(SCREENSPOT_PRO, found)
    expected = {
        "official": 4 / 16,
        "official text": 3 / 4,
        "official icon": 1 / 12,
        "official Office": 3 / 6,
        "official Office text": 3 / 4,
        "official Office icon": 0.0,
        "official CAD": 1 / 10,
        "official macos": 3 / 6,
        "official windows icon": 1 / 10,
        "official word": 3 / 6,
        "official vivado": 1 / 10,
        "release": 4 / 16,
        "release text": 3 / 4,
        "release icon": 1 / 12,
    }
    assert {name: values[name].value for name in expected} == pytest.approx(expected)
    assert "official Dev" not in values


def test_release_never_has_a_wrong_format_in_pro() -> None:
    facts = {"group": "OS", "application": "linux_common", "platform": "linux", "type": "icon"}
    scores = {"official": 0.0, "release": 0.0, "wrong_format": 1.0, "release_counted": 0.0}
    values = table(SCREENSPOT_PRO, [Scored(f"t{number}", "OS", "icon", scores, facts) for number in range(3)])
    assert values["wrong format"].value == 1.0
    assert values["release wrong format"].value == 0.0
    assert values["release wrong format"].count == 3


def test_every_measure_of_pro_has_its_own_name() -> None:
    names = [measure.name for measure in SCREENSPOT_PRO.measures]
    assert len(set(names)) == len(names)
    assert {f"official {name}" for name in (*GROUPS, *APPLICATIONS)} <= set(names)
    assert len(APPLICATIONS) == 26
