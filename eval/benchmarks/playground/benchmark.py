"""The playground as a benchmark: what the small model that ships can do.

The GUI-KV release knows no such pages, so there is no `release` score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from envs.actions import Action
from envs.geometry import Size
from eval.benchmarks.base import Device, Gold, Kind, OneView, Source, Step, Trajectory
from eval.benchmarks.playground import data
from eval.benchmarks.playground.gold import PlaygroundGold, oracle
from eval.benchmarks.playground.official import official
from eval.metrics.measures import Measure, macro, micro, whole
from eval.metrics.prediction import Prediction


@dataclass(frozen=True)
class Playground(OneView):
    name: str = "playground"
    device: Device = "browser"
    kind: Kind = "browser"
    gold_type: type[Gold] = PlaygroundGold
    capabilities: frozenset[str] = frozenset({"click", "type", "scroll", "wait", "finish"})
    environment_variables: tuple[str, str] = ("", "")
    measures: tuple[Measure, ...] = (
        micro("official", "official", "right steps, over all steps"),
        macro("official by episode", "official", "right steps, mean over episodes of their share"),
        whole("episodes", "official", "episodes with every step right"),
    )

    def trajectories(self, source: Source) -> Iterator[Trajectory]:
        return data.trajectories(source)

    def oracle(self, step: Step, size: Size) -> tuple[Action, ...]:
        return oracle(step, size)

    def score(self, gold: Any, kind: str, prediction: Prediction) -> dict[str, float]:
        return official(gold, prediction.actions)


PLAYGROUND = Playground()
