"""Hand-made answers to AndroidControl's steps, with what every rule must make of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from envs.actions import Click, Finish, Keys, SystemButton, Type
from envs.geometry import Size
from eval.benchmarks.androidcontrol.benchmark import ANDROIDCONTROL
from eval.benchmarks.androidcontrol.gold import AndroidGold
from eval.metrics.prediction import Prediction
from eval.replay.offline_dialect import speaker

SIZE = Size(1092, 2408)
FILE = Path(__file__).parents[2] / "data" / "scoring" / "androidcontrol.yaml"
CASES: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["cases"]


def predict(case: dict[str, Any]) -> Prediction:
    voice = speaker(case.get("dialect", "ui_tars"), "mobile", ANDROIDCONTROL.capabilities)
    return voice.predict(tuple(case["texts"]), SIZE, can=ANDROIDCONTROL.capabilities)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_scores(case: dict[str, Any]) -> None:
    gold = AndroidGold.model_validate(case["gold"])
    scores = ANDROIDCONTROL.score(gold, gold.action, predict(case))
    expected = {"official": case["official"], "release": case["release"], **case["others"]}
    assert {name: scores.get(name) for name in expected} == expected


def test_there_are_enough_cases_and_every_defect_of_a_step_is_among_them() -> None:
    assert len(CASES) >= 40
    assert len({case["name"] for case in CASES}) == len(CASES)
    defects = Counter(case["defect"] for case in CASES if "defect" in case)
    assert set(defects) == {"C1", "C2", "C3", "C4", "C5", "C6"}


def test_every_rule_says_right_and_wrong() -> None:
    for name in ("node_box", "distance_14", "box_or_near", "type_match", "grounding node_box", "grounding distance_14"):
        assert {0, 1} <= {case["others"].get(name) for case in CASES}, name


def test_the_rows_gold_is_enough_to_score_again() -> None:
    """The release saves aggregates only (C9)."""
    for case in CASES:
        gold = AndroidGold.model_validate(case["gold"])
        again = ANDROIDCONTROL.gold_type.model_validate(gold.model_dump(mode="json"))
        prediction = predict(case)
        assert ANDROIDCONTROL.score(again, gold.action, prediction) == ANDROIDCONTROL.score(
            gold, gold.action, prediction
        )


@pytest.mark.parametrize(
    ("actions", "official"),
    [
        ((SystemButton(button="home"),), 1.0),
        ((SystemButton(button="recents"),), 0.0),
        ((Keys(keys=("home",)),), 0.0),
        ((Finish(),), 0.0),
        ((), 0.0),
    ],
)
def test_the_home_screen(actions: tuple[Any, ...], official: float) -> None:
    prediction = Prediction(("",), actions, speaker("qwen25", "mobile").resize(SIZE), "qwen25")
    gold = AndroidGold(action="navigate_home")
    assert ANDROIDCONTROL.score(gold, gold.action, prediction)["official"] == official


def test_a_right_click_before_a_text_is_no_tap_into_the_field() -> None:
    actions = (Click(x=546, y=700, button="right"), Type(text="red"))
    prediction = Prediction(("",), actions, speaker("opencua", "mobile").resize(SIZE), "opencua")
    gold = AndroidGold(action="type_text", text="red")
    assert ANDROIDCONTROL.score(gold, gold.action, prediction)["official"] == 0.0
