"""Hand-made answers against the values worked out by hand: the authors' rules, others', and the release's."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from envs.actions import load_action
from envs.geometry import Size
from eval.benchmarks.mind2web.benchmark import MIND2WEB
from eval.metrics.prediction import Prediction
from eval.replay.offline_dialect import speaker

FILE = Path(__file__).parents[2] / "data" / "scoring" / "mind2web.yaml"
CASES: list[dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8"))
NO_SCORES = {"name", "defect", "gold", "kind", "size", "dialect", "texts", "actions", "views", "why", "absent"}


def predict(case: dict[str, Any]) -> Prediction:
    """The case's answer as its dialect's parser reads it."""
    voice = speaker(case["dialect"], MIND2WEB.kind, MIND2WEB.capabilities)
    size = Size(*case["size"])
    if "actions" in case:
        actions = [load_action(action) for action in case["actions"]]
        texts: tuple[str, ...] = (voice.dialect.write("", actions, voice.resize(size)),)
    else:
        texts = tuple(case["texts"])
    return voice.predict(texts, size, tuple(case.get("views", [0])), MIND2WEB.capabilities)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    prediction = predict(case)
    gold = MIND2WEB.gold_type.model_validate(case["gold"])
    scores = MIND2WEB.score(gold, case["kind"], prediction)
    expected = {name: value for name, value in case.items() if name not in NO_SCORES}
    assert {name: scores[name] for name in expected} == pytest.approx(expected)
    assert not set(case.get("absent", ())) & set(scores)
    assert len(prediction.texts) == len(prediction.views)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_row_scores_the_same_again(case: dict[str, Any]) -> None:
    """Gold goes through JSON into a row and back."""
    gold = MIND2WEB.gold_type.model_validate(case["gold"])
    again = MIND2WEB.gold_type.model_validate(gold.model_dump(mode="json"))
    prediction = predict(case)
    assert again == gold
    assert MIND2WEB.score(again, case["kind"], prediction) == MIND2WEB.score(gold, case["kind"], prediction)


def test_there_are_enough_cases_and_every_defect_of_scoring() -> None:
    assert len(CASES) >= 40
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert {case.get("defect") for case in CASES} - {None} == {"M1", "M2", "M3", "M4", "M7", "M10"}
    assert all({"official", "release"} <= set(case) for case in CASES)
