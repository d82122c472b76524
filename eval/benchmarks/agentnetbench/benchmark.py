"""AgentNetBench: 100 recorded desktop tasks with right actions, boxes and alternatives.

Paper: OpenCUA (arXiv 2508.09123). Data and rule: xlang-ai/OpenCUA, evaluation/agentnetbench (MIT). Reported are the
authors' averages, the groups of their table, and the release's averages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from envs.actions import Action
from envs.geometry import Size
from eval.benchmarks.agentnetbench import data
from eval.benchmarks.agentnetbench.gold import NAMES, NetGold, oracle
from eval.benchmarks.agentnetbench.official import by_type, official, official_strict, read_answer
from eval.benchmarks.agentnetbench.release import release
from eval.benchmarks.base import Device, Gold, Kind, OneView, Source, Step, Trajectory
from eval.metrics.measures import Measure, Parts, Scored, macro, micro, of_kind
from eval.metrics.prediction import Prediction

GROUPS: dict[str, frozenset[str]] = {
    "coordinate": frozenset(
        {"click", "doubleClick", "tripleClick", "rightClick", "middleClick", "moveTo", "dragTo", "scroll", "hscroll"}
    ),
    "content": frozenset({"write", "press", "hotkey"}),
    "function": frozenset({"terminate", "wait"}),
}
"""The columns of the authors' table. Their code does not print them; this is a reading of their names."""


def _milestone(row: Scored) -> bool:
    return bool(row.facts.get("milestone"))


def _read(row: Scored) -> bool:
    return row.scores.get("release_read", 0.0) > 0


def _filed(first: str) -> Callable[[Scored], bool]:
    return lambda row: row.facts.get("first") == first and _read(row)


def _with_missing(rows: Sequence[Scored]) -> Parts:
    """A step whose image is missing has no score, but counts as one of the trajectory."""
    return {"all": (sum(row.scores.get("release", 0.0) for row in rows) / len(rows), 1.0)} if rows else {}


_OFFICIAL = (
    micro("official", "official", "mean over all steps: the authors' average_score and table's average"),
    macro("official by trajectory", "official", "mean over trajectories of their mean"),
    micro("official milestones", "official", "mean over the steps marked as milestones", _milestone),
    *(
        micro(
            f"official {name} actions",
            "official",
            f"steps of the authors' {name} column, as we read it",
            of_kind(*kinds),
        )
        for name, kinds in GROUPS.items()
    ),
    *(
        micro(f"official {name}", by_type(kind), "the authors' action_type_scores: without answers that say no action")
        for kind, name in NAMES.items()
    ),
    micro("official alternatives", "alternative", "steps where an alternative scored better: the authors' percentage"),
    micro("official strict", "official_strict", "the authors' average_score with their own reader of OpenCUA"),
    macro("official strict by trajectory", "official_strict", "mean over trajectories of their mean"),
)
_RELEASE = (
    micro("release", "release", "GUI-KV release: overall_score, the mean over steps without those of missing images"),
    Measure("release average_trajectory_score", _with_missing, "GUI-KV release: steps of missing images count as 0"),
    micro(
        "release milestones",
        "release",
        "GUI-KV release: without answers it cannot read",
        lambda row: _milestone(row) and _read(row),
    ),
    *(
        micro(
            f"release {name}",
            "release",
            "GUI-KV release: by first right action, without answers it cannot read",
            _filed(kind),
        )
        for kind, name in NAMES.items()
    ),
    micro("release alternatives", "release_alternative", "GUI-KV release: steps that it counts as matched by one"),
)
MEASURES: tuple[Measure, ...] = (*_OFFICIAL, *_RELEASE)


@dataclass(frozen=True)
class AgentNetBench(OneView):
    """Option `history`: what the recorded thought of a step is, see `data.HISTORIES`."""

    name: str = "agentnetbench"
    device: Device = "computer"
    kind: Kind = "computer"
    gold_type: type[Gold] = NetGold
    capabilities: frozenset[str] = frozenset({"click", "drag", "move", "scroll", "type", "keys", "wait"})
    environment_variables: tuple[str, str] = ("AGENTNETBENCH_DATA", "AGENTNETBENCH_IMGS")
    measures: tuple[Measure, ...] = MEASURES

    def trajectories(self, source: Source) -> Iterator[Trajectory]:
        return data.trajectories(source)

    def oracle(self, step: Step, size: Size) -> tuple[Action, ...]:
        return oracle(step, size)

    def score(self, gold: Any, kind: str, prediction: Prediction) -> dict[str, float]:
        """All of `official`, `official_strict` and `release`."""
        return {
            **official(gold, read_answer(gold, prediction)),
            **official_strict(gold, prediction),
            **release(gold, prediction),
        }


AGENTNETBENCH = AgentNetBench()
