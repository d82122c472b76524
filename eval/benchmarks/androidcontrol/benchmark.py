"""AndroidControl: 1,543 test episodes on phones, of 15,283 (Li et al., arXiv 2406.03679; data CC BY 4.0)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from envs.actions import Action
from envs.geometry import Size
from eval.benchmarks.androidcontrol import data
from eval.benchmarks.androidcontrol.data import SUBSPLITS
from eval.benchmarks.androidcontrol.gold import PLACED, AndroidGold, oracle
from eval.benchmarks.androidcontrol.official import official, read_answer
from eval.benchmarks.androidcontrol.release import release
from eval.benchmarks.androidcontrol.rules import other_rules
from eval.benchmarks.base import Device, Gold, Kind, OneView, Source, Step, Trajectory
from eval.metrics.measures import Measure, Scored, micro, of_kind, whole
from eval.metrics.prediction import Prediction


def _of_episode(row: Scored) -> bool:
    """Single steps are no episodes."""
    return bool(row.facts.get("episode"))


def _of_split(name: str) -> Measure:
    return micro(
        f"official, {name}",
        "official",
        f"right steps of the test sub-split {name} (an episode may be in several)",
        only=lambda row: name in row.facts.get("splits", ()),
    )


MEASURES: tuple[Measure, ...] = (
    micro("official", "official", "step accuracy by the dataset paper's rule: target box, with equivalent actions"),
    whole("official episodes", "official", "episodes with every step right", only=_of_episode),
    micro("node_box", "node_box", "step accuracy by UGround's rule: smallest labelled node, a place for typing too"),
    micro("distance_14", "distance_14", "step accuracy by OS-Atlas' rule: 14 % of the screen"),
    micro("box_or_near", "box_or_near", "step accuracy as Qwen2.5-VL, AgentCPM-GUI, UI-S1: box × 1.2, or 4 % away"),
    micro("type_match", "type_match", "steps with the recorded type of action"),
    micro("grounding node_box", "grounding node_box", "UGround's: over the steps answered with a place of that type"),
    micro("grounding distance_14", "grounding distance_14", "OS-Atlas': of the taps answered by a tap"),
    *(_of_split(name) for name in SUBSPLITS),
    micro("release", "release", "the GUI-KV release's step_accuracy"),
    micro(
        "release grounding_accuracy",
        "release",
        "of all steps with a place, answered as such or not (the release's; where images lack, it counts other steps)",
        only=of_kind(*PLACED),
    ),
)


@dataclass(frozen=True)
class AndroidControl(OneView):
    """Options: `level`, `high` (the goal only) or `low` (the instruction of the step with each screenshot)."""

    name: str = "androidcontrol"
    device: Device = "mobile"
    kind: Kind = "mobile"
    gold_type: type[Gold] = AndroidGold
    capabilities: frozenset[str] = frozenset(
        {"click", "long_press", "type", "scroll", "swipe", "drag", "open_app", "system_button", "wait"}
    )
    environment_variables: tuple[str, str] = ("ANDROIDCONTROL_TEST", "ANDROIDCONTROL_IMGS")
    measures: tuple[Measure, ...] = MEASURES

    def trajectories(self, source: Source) -> Iterator[Trajectory]:
        return data.trajectories(source)

    def oracle(self, step: Step, size: Size) -> tuple[Action, ...]:
        return oracle(step, size)

    def score(self, gold: Any, kind: str, prediction: Prediction) -> dict[str, float]:
        """`official`, `release` and the scores of `other_rules`."""
        answer = read_answer(gold, prediction)
        return {**official(gold, answer), **release(gold, prediction), **other_rules(gold, answer)}


ANDROIDCONTROL = AndroidControl()
