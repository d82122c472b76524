"""WebVoyager's trajectories as a `Benchmark`: real frames of browsing, for what a step costs.

Nothing is scored but the type of the action. WebVoyager judges whole live episodes, so there is no `official` score
for a recorded step; what GPT-4V did is only one way to go on, and its numbers of elements have no place on the
picture. The GUI-KV release has no such evaluation, so there is no `release` score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from envs.actions import Action, Answer, Back, Click, Finish, Navigate, Scroll, SystemButton, Type, Wait
from envs.geometry import Size
from eval.benchmarks.base import Device, Gold, Kind, OneView, Source, Step, Trajectory
from eval.benchmarks.webvoyager import data
from eval.benchmarks.webvoyager.gold import Verb, WebGold, oracle
from eval.metrics.measures import Measure, macro, micro, of_kind
from eval.metrics.prediction import Prediction


@dataclass(frozen=True)
class WebVoyager(OneView):
    name: str = "webvoyager"
    device: Device = "browser"
    kind: Kind = "browser"
    gold_type: type[Gold] = WebGold
    capabilities: frozenset[str] = frozenset({"click", "type", "keys", "scroll", "wait", "back", "navigate", "finish"})
    environment_variables: tuple[str, str] = ("", "")
    measures: tuple[Measure, ...] = (
        micro("type_match", "type_match", "steps with an action of the recorded type; no rule of the authors"),
        macro("type_match by task", "type_match", "the same, mean over tasks of their share"),
        *(micro(f"type_match {verb}", "type_match", "steps of this type", of_kind(verb)) for verb in get_args(Verb)),
    )

    def trajectories(self, source: Source) -> Iterator[Trajectory]:
        return data.trajectories(source)

    def oracle(self, step: Step, size: Size) -> tuple[Action, ...]:
        return oracle(step, size)

    def score(self, gold: Any, kind: str, prediction: Prediction) -> dict[str, float]:
        """`type_match` only."""
        return {"type_match": float(read_answer(gold, prediction) == gold.action)}


def read_answer(gold: WebGold, prediction: Prediction) -> Verb | None:
    """WebVoyager's word for the first action; its Type clicks into the element first, so a click before a text is one
    with it."""
    match prediction.actions:
        case (Click(), Type(), *_) | (Type(), *_):
            return "type"
        case (Click(), *_):
            return "click"
        case (Scroll(), *_):
            return "scroll"
        case (Wait(), *_):
            return "wait"
        case (Back() | SystemButton(button="back"), *_):
            return "goback"
        case (Navigate(url=url), *_) if url.removeprefix("https://").removeprefix("www.").startswith("google."):
            return "google"
        case (Finish() | Answer(), *_):
            return "answer"
        case _:
            return None


WEBVOYAGER = WebVoyager()
