"""AITZ as a `Benchmark`. The GUI-KV release has no such evaluation, so there is no `release` score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from envs.actions import Action
from envs.geometry import Size
from eval.benchmarks.aitz import data
from eval.benchmarks.aitz.gold import AitzGold, oracle
from eval.benchmarks.aitz.official import official, read_answer
from eval.benchmarks.base import Device, Gold, Kind, OneView, Source, Step, Trajectory
from eval.metrics.measures import Measure, Parts, Scored, by_cell, micro, of_kind, whole
from eval.metrics.prediction import Prediction

KINDS = ("click", "scroll", "type", "press", "stop")


def _progress(rows: Sequence[Scored]) -> Parts:
    right = [row.scores["exact_match"] == 1.0 for row in rows if "exact_match" in row.scores]
    done = right.index(False) if False in right else len(right)
    return {"all": (done / len(right), 1.0)} if right else {}


@dataclass(frozen=True)
class Aitz(OneView):
    name: str = "aitz"
    device: Device = "mobile"
    kind: Kind = "mobile"
    gold_type: type[Gold] = AitzGold
    capabilities: frozenset[str] = frozenset({"click", "swipe", "type", "system_button", "finish"})
    environment_variables: tuple[str, str] = ("", "")
    measures: tuple[Measure, ...] = (
        micro("official", "official", "action matching of Android in the Wild, over all steps"),
        by_cell("official by subset", "official", lambda row: row.split, "mean of the subsets' means: as SeeClick's"),
        *(micro(f"official {kind}", "official", "steps of this type", of_kind(kind)) for kind in KINDS),
        micro("type_id", "type_id", "action_type equal, tap and swipe being one (SeeClick)"),
        micro("type_match", "type_match", "click, scroll, type, press or stop equal (AITZ)"),
        micro("exact_match", "exact_match", "also button, direction and text, a tap as in official (AITZ)"),
        *(micro(f"exact_match {kind}", "exact_match", "steps of this type", of_kind(kind)) for kind in KINDS),
        whole("success_rate", "exact_match", "episodes with every step an exact_match (AITZ)"),
        Measure("goal_progress", _progress, "mean share of an episode before the first miss (AITZ)"),
    )

    def trajectories(self, source: Source) -> Iterator[Trajectory]:
        return data.trajectories(source)

    def oracle(self, step: Step, size: Size) -> tuple[Action, ...]:
        return oracle(step, size)

    def score(self, gold: Any, kind: str, prediction: Prediction) -> dict[str, float]:
        """All of `official`."""
        return official(gold, read_answer(gold, prediction), prediction.size)


AITZ = Aitz()
