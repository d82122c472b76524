"""Both benchmarks as `Benchmark`s: they differ in their files and in what is averaged.

Averages are as the authors and the leaderboards have them, and as the release does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from envs.actions import Action
from envs.geometry import Size
from eval.benchmarks.base import Device, Gold, Kind, OneView, Source, Step, Trajectory
from eval.benchmarks.screenspot.data import GROUPS, PLATFORMS, pro_trajectories, v2_trajectories
from eval.benchmarks.screenspot.gold import Target, oracle
from eval.benchmarks.screenspot.official import official, read_answer
from eval.benchmarks.screenspot.release import release
from eval.metrics.measures import Measure, Parts, Scored, by_cell, micro
from eval.metrics.prediction import Prediction

KINDS = ("text", "icon")
SYSTEMS = ("windows", "macos", "linux")
APPLICATIONS = (
    *("android_studio", "autocad", "blender", "davinci", "eviews", "excel", "fruitloops", "illustrator", "inventor"),
    *("linux_common", "macos_common", "matlab", "origin", "photoshop", "powerpoint", "premiere", "pycharm", "quartus"),
    *("solidworks", "stata", "unreal_engine", "vivado", "vmware", "vscode", "windows_common", "word"),
)


def _cell(row: Scored) -> str:
    return f"{row.facts['platform']} {row.facts['type']}"


def _where(facts: Mapping[str, str]) -> Callable[[Scored], bool]:
    return lambda row: all(row.facts.get(name) == value for name, value in facts.items())


def _part(help: str, **facts: str) -> Measure:
    return micro(f"official {' '.join(facts.values())}", "official", help, _where(facts))


def _none(rows: Sequence[Scored]) -> Parts:
    return {"all": (0.0, float(sum("release" in row.scores for row in rows)))}


V2_MEASURES: tuple[Measure, ...] = (
    micro("official", "official", "hits, over all samples: the average of the leaderboards (OS-Atlas, UI-TARS)"),
    by_cell("official macro", "official", _cell, "mean of the 6 platform and type cells: as in SeeClick's paper"),
    *(_part("hits in this cell", platform=platform, type=kind) for platform in PLATFORMS for kind in KINDS),
    micro("wrong format", "wrong_format", "answers without a place on the picture; 0 in all other numbers"),
    by_cell("release", "release", _cell, "the release's overall_accuracy: the same mean of cells, with its readers"),
    micro("release total_samples", "release_counted", "share of samples in its total_samples and detailed results"),
)
PRO_MEASURES: tuple[Measure, ...] = (
    micro("official", "official", "hits, over all samples (the authors' action_acc)"),
    *(_part("hits among these (text_acc, icon_acc)", type=kind) for kind in KINDS),
    micro("wrong format", "wrong_format", "answers without a place on the picture (wrong_format_num); 0 elsewhere"),
    micro("release", "release", "the authors' action_acc with the release's readers"),
    *(micro(f"release {kind}", "release", "the same among these", _where({"type": kind})) for kind in KINDS),
    Measure("release wrong format", _none, "always 0: the release files every exception under wrong"),
    *(_part("by group (leaderboard_simple_style)", group=group) for group in GROUPS),
    *(_part("by group and type", group=group, type=kind) for group in GROUPS for kind in KINDS),
    *(_part("by system (seeclick_style)", platform=system) for system in SYSTEMS),
    *(_part("by system and type", platform=system, type=kind) for system in SYSTEMS for kind in KINDS),
    *(_part("by application (leaderboard_detailed_style)", application=name) for name in APPLICATIONS),
)


@dataclass(frozen=True)
class ScreenSpot(OneView):
    """load: the trajectories of a source; see data.py."""

    name: str
    load: Callable[[Source], Iterator[Trajectory]]
    measures: tuple[Measure, ...]
    environment_variables: tuple[str, str]
    device: Device = "computer"
    kind: Kind = "grounding"
    gold_type: type[Gold] = Target
    capabilities: frozenset[str] = frozenset({"click"})

    def trajectories(self, source: Source) -> Iterator[Trajectory]:
        return self.load(source)

    def oracle(self, step: Step, size: Size) -> tuple[Action, ...]:
        return oracle(step, size)

    def score(self, gold: Any, kind: str, prediction: Prediction) -> dict[str, float]:
        """All of `official` and `release`."""
        answer = read_answer(gold, prediction)
        return {**official(gold, answer, prediction.size), **release(gold, prediction)}


SCREENSPOT_V2 = ScreenSpot("screenspot_v2", v2_trajectories, V2_MEASURES, ("SCREENSPOT_TEST", "SCREENSPOT_IMGS"))
SCREENSPOT_PRO = ScreenSpot(
    "screenspot_pro", pro_trajectories, PRO_MEASURES, ("SCREENSPOTPRO_TEST", "SCREENSPOTPRO_IMGS")
)
