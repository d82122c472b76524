"""Answers to ScreenSpot with the scores that the rules give them, worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from envs.geometry import Size
from eval.benchmarks.screenspot.benchmark import SCREENSPOT_PRO, SCREENSPOT_V2, ScreenSpot
from eval.replay.offline_dialect import speaker

FOLDER = Path(__file__).parents[2] / "data" / "scoring"
BENCHMARKS = (SCREENSPOT_V2, SCREENSPOT_PRO)
CASES = [
    pytest.param(benchmark, case, id=f"{benchmark.name} {case['name']}")
    for benchmark in BENCHMARKS
    for case in yaml.safe_load((FOLDER / f"{benchmark.name}.yaml").read_text("utf-8"))
]


def scores(benchmark: ScreenSpot, case: dict[str, Any]) -> dict[str, float]:
    said = speaker(case["dialect"], "grounding", benchmark.capabilities)
    prediction = said.predict(tuple(case["texts"]), Size(*case["size"]), can=benchmark.capabilities)
    return benchmark.score(benchmark.gold_type.model_validate(case["gold"]), case["kind"], prediction)


@pytest.mark.parametrize(("benchmark", "case"), CASES)
def test_case(benchmark: ScreenSpot, case: dict[str, Any]) -> None:
    expected = {"official": case["official"], "release": case["release"], "wrong_format": case.get("wrong_format", 0)}
    if benchmark is SCREENSPOT_V2:
        expected["release_counted"] = case.get("release_counted", 1)
    found = scores(benchmark, case)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda benchmark: benchmark.name)
def test_there_are_enough_cases_and_all_defects_of_scoring_are_among_them(benchmark: ScreenSpot) -> None:
    cases = [case.values[1] for case in CASES if case.values[0] is benchmark]
    assert len(cases) >= 40
    assert len({case["name"] for case in cases}) == len(cases)
    wanted = {"S1", "S4", "S5", "S6"} if benchmark is SCREENSPOT_V2 else {"S4", "S5", "S6"}
    assert {case.get("defect") for case in cases} >= wanted
