"""Hand-made answers against the values that the rules give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from envs.geometry import Size
from eval.benchmarks.agentnetbench.benchmark import AGENTNETBENCH
from eval.replay.offline_dialect import speaker

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "data" / "scoring" / "agentnetbench.yaml").read_text("utf-8")
)
_ABOUT = frozenset({"name", "defect", "why", "kind", "gold", "size", "dialect", "texts"})
SCORING_DEFECTS = frozenset({"A2", "A3", "A4", "A5", "A6", "A9", "A10"})
"""Those of single steps; A7 and A8 are of averages, A1 and A11 of prompts and files."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_scores(case: dict[str, Any]) -> None:
    gold = AGENTNETBENCH.gold_type.model_validate(case["gold"])
    voice = speaker(case["dialect"], AGENTNETBENCH.kind, AGENTNETBENCH.capabilities)
    prediction = voice.predict(tuple(case["texts"]), Size(*case["size"]), can=AGENTNETBENCH.capabilities)
    scores = AGENTNETBENCH.score(gold, case["kind"], prediction)
    expected = {name: float(value) for name, value in case.items() if name not in _ABOUT}
    assert {name: scores[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_scores_of_a_row_need_no_more_than_json() -> None:
    for case in CASES:
        gold = AGENTNETBENCH.gold_type.model_validate(case["gold"])
        assert AGENTNETBENCH.gold_type.model_validate_json(gold.model_dump_json()) == gold


def test_there_are_enough_cases_and_every_defect_is_among_them() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 40
    assert {case["defect"] for case in CASES if "defect" in case} == SCORING_DEFECTS
    assert all({"official", "release"} <= case.keys() for case in CASES)
