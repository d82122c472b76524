"""The right answers, written in every dialect, parsed and scored."""

from __future__ import annotations

from pathlib import Path

import pytest

from envs.actions import Click, Drag, Finish, Keys, Move, Scroll, Type, Wait
from envs.geometry import Size
from eval.benchmarks.agentnetbench.benchmark import AGENTNETBENCH
from eval.benchmarks.agentnetbench.gold import NAMES, NetGold, Target, kind_of, oracle
from eval.benchmarks.agentnetbench.release import release
from eval.benchmarks.base import Source, Step
from eval.benchmarks.pictures import Picture
from eval.replay.offline_dialect import speaker
from eval.replay.oracle import oracle_prediction

DATA = Path(__file__).parents[2] / "data" / "agentnetbench"
DIALECTS = ("ui_tars", "opencua", "qwen25", "qwen3")
SCREEN = Size(1400, 700)
LOST = {
    # Of 17 steps: two drags, a scroll, four chords with ctrl and a press; others are read in UI-TARS' words.
    "ui_tars": {"dragTo": 2, "scroll": 1, "hotkey": 4, "press": 1},
    "opencua": {},
}
CANNOT = {("qwen25", "tripleClick"), ("qwen25", "hscroll")}
"""The published function of Qwen2.5-VL has neither."""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_recorded_trajectories(dialect: str) -> None:
    voice = speaker(dialect, AGENTNETBENCH.kind, AGENTNETBENCH.capabilities)
    lost: dict[str, int] = {}
    count = 0
    for trajectory in AGENTNETBENCH.trajectories(Source(DATA)):
        for step in trajectory.steps:
            scores = AGENTNETBENCH.score(step.gold, step.kind, oracle_prediction(voice, AGENTNETBENCH, step))
            assert scores["official"] == 1.0, (trajectory.id, step.key)
            assert scores["release"] in (0.0, 1.0)
            count += 1
            if scores["release"] == 0.0:
                lost[step.kind] = lost.get(step.kind, 0) + 1
    assert count == 17
    assert lost == LOST.get(dialect, LOST["ui_tars"])


def _t(kind: str, x: float | None = None, y: float | None = None, **others: object) -> dict[str, object]:
    return {"type": kind, "x": x, "y": y, **others}


SEQUENCES: list[list[dict[str, object]]] = [
    *([_t(name, 0.3, 0.7)] for name in NAMES.values() if name.endswith("lick") or name == "moveTo"),
    [_t("moveTo", 0.2, 0.2), _t("dragTo", 0.6, 0.6)],
    [_t("click", 0.2, 0.2), _t("dragTo", 0.6, 0.6)],
    [_t("dragTo", 0.6, 0.6)],
    [_t("moveTo", 0.3, 0.7), _t("scroll", 0.3, 0.7, amount=-54)],
    [_t("moveTo", 0.3, 0.7), _t("scroll", amount=7)],
    [_t("scroll", 0.3, 0.7)],
    [_t("scroll")],
    [_t("moveTo", 0.3, 0.7), _t("hscroll", amount=-300)],
    [_t("hscroll", amount=2)],
    [_t("moveTo", 0.3, 0.7), _t("click", 0.3, 0.7)],
    [_t("write", text='it\'s a "test": a\\b, [ä]')],
    [_t("write", text="two\nlines\n")],
    [_t("write", text="x"), _t("press", keys=["enter"])],
    [_t("write", text="x"), _t("hotkey", keys=["Return"])],
    [_t("press", keys=["enter"])],
    [_t("press", keys=["backspace", "backspace", "a"])],
    [_t("press", keys=["tab"]), _t("press", keys=["enter"])],
    [_t("hotkey", keys=["ctrl", "shift", "T"])],
    [_t("hotkey", keys=["command", "v"])],
    [_t("hotkey", keys=["win"])],
    [_t("click", 0.3, 0.7), _t("hotkey", keys=["ctrl", "a"]), _t("write", text="x\n")],
    [_t("wait")],
    [_t("terminate", status="success")],
    [_t("terminate", status="failure")],
    [_t("terminate", status="infeasible")],
    [_t("click", -0.01, 1.0)],
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda one: "+".join(f"{act['type']}" for act in one))
def test_whatever_can_be_right(dialect: str, sequence: list[dict[str, object]]) -> None:
    gold = NetGold(actions=tuple(Target.model_validate(act) for act in sequence))
    picture = Picture("a.png", stated=SCREEN)
    step = Step("0", (picture,), gold, kind_of(gold.actions))
    voice = speaker(dialect, AGENTNETBENCH.kind, AGENTNETBENCH.capabilities)
    prediction = oracle_prediction(voice, AGENTNETBENCH, step, blank=True)
    official = AGENTNETBENCH.score(gold, step.kind, prediction)["official"]
    if any((dialect, target.type) in CANNOT for target in gold.actions):
        assert official == 0.0
        assert prediction.error
    else:
        assert official == 1.0, (prediction.texts, prediction.error)


def test_actions() -> None:
    sequence = [
        _t("moveTo", 0.5, 0.5), _t("dragTo", 1.0, 1.0), _t("moveTo", 0.1, 0.1), _t("click", 0.2, 0.2), _t("scroll"),
        _t("write", text="x"), _t("press", keys=["enter"]), _t("press", keys=["Esc"]), _t("wait"),
        _t("terminate", status="success"),
    ]  # fmt: skip
    gold = NetGold(actions=tuple(Target.model_validate(act) for act in sequence))
    assert oracle(Step("0", (), gold, "click"), SCREEN) == (
        Drag(path=((700, 350), (1400, 700))),
        Move(x=140, y=70),
        Click(x=280, y=140),
        Scroll(direction="down", amount=5),
        Type(text="x", submit=True),
        Keys(keys=("escape",)),
        Wait(),
        Finish(status="success", message="successful"),
    )


def test_own_names_of_a_failure_are_not_a_success_of_the_release() -> None:
    gold = NetGold(actions=(Target(type="terminate", status="failure"),))
    voice = speaker("ui_tars", AGENTNETBENCH.kind)
    step = Step("0", (Picture("a.png", stated=SCREEN),), gold, "terminate")
    assert release(gold, oracle_prediction(voice, AGENTNETBENCH, step, blank=True))["release"] == 1.0
