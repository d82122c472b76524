"""Multimodal-Mind2Web as a `Benchmark`.

A task is a trajectory; a step shows the blocks of a long page, the first one first, and scrolling up or down leads to
the block before or after. What was done before is the session's history, gold or own. With the option `history=text`
every step is a trajectory of its own, and is told the right steps before it (`HISTORIES` in data.py). With
`hint=typing` the goal says that a text and the click into its field belong into one answer, as they do here.

Sources: Mind2Web (Deng et al., arXiv 2306.06070), SeeAct's screenshots of it (arXiv 2401.01614), UGround's blocks
(arXiv 2410.05243). A right answer scores 1 by the authors' rule at all steps but those without a right element, those
whose element no block shows, and those where it is thinner than a pixel.

A row's fact `share` is how much of its task its trajectory is: 1 where the task is played in one session, 1/n where
each of its n steps stands alone. So means over tasks are the same in both; what needs a whole task is left out in the
second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from envs.actions import Action
from envs.geometry import Size
from eval.benchmarks.base import Device, Gold, Kind, Source, Step, Trajectory
from eval.benchmarks.mind2web import data
from eval.benchmarks.mind2web.data import SPLITS
from eval.benchmarks.mind2web.gold import Mind2WebGold, oracle, oracle_view
from eval.benchmarks.mind2web.official import SCROLLED, official, operation_of, other_rules, read_answer
from eval.benchmarks.mind2web.release import release
from eval.metrics.measures import Measure, Parts, Scored, by_cell, micro
from eval.metrics.prediction import Prediction

ERRORS = ("0", "1", "2", "3", ">3")
"""Classes of tasks by wrong steps."""


def over_tasks(name: str, score: str, help: str, split: str = "", by_split: bool = False) -> Measure:
    """The mean over tasks of their mean over the steps that were played; of one split, or the splits' mean."""

    def parts(rows: Sequence[Scored]) -> Parts:
        values = _values(rows, score)
        if not values or (split and rows[0].split != split):
            return {}
        share = _share(rows)
        return {rows[0].split if by_split else "all": (share * sum(values) / len(values), share)}

    return Measure(name, parts, help)


def padded(
    name: str, score: str, help: str, groups: Callable[[str], Sequence[str]] = lambda split: ("all",)
) -> Measure:
    """The mean over tasks, steps that were not played counted as wrong. groups: split → means that it is part of."""

    def parts(rows: Sequence[Scored]) -> Parts:
        values = _values(rows, score)
        if not values:
            return {}
        part = sum(values) / max(_total(rows), len(values)), _share(rows)
        return dict.fromkeys(groups(rows[0].split), part)

    return Measure(name, parts, help)


def padded_micro(name: str, score: str, help: str) -> Measure:
    """The mean over steps, those that were not played counted as wrong."""

    def parts(rows: Sequence[Scored]) -> Parts:
        values = _values(rows, score)
        return {"all": (sum(values), max(_total(rows) * _share(rows), len(values)))} if values else {}

    return Measure(name, parts, help)


def errors(name: str, score: str, wrong: str, help: str) -> Measure:
    """The share of tasks with that many wrong steps, steps that were not played among them."""

    def parts(rows: Sequence[Scored]) -> Parts:
        values = _values(rows, score)
        if not values or _share(rows) < 1:
            return {}
        count = max(_total(rows), len(values)) - sum(value == 1.0 for value in values)
        return {"all": (float(ERRORS[min(int(count), 4)] == wrong), 1.0)}

    return Measure(name, parts, help)


def whole_tasks(name: str, score: str, help: str) -> Measure:
    """The share of tasks with every scored step right; a task without one counts as right, as SeeClick's does."""

    def parts(rows: Sequence[Scored]) -> Parts:
        if not any(row.scores for row in rows) or _share(rows) < 1:
            return {}
        return {"all": (float(all(value == 1.0 for value in _values(rows, score))), 1.0)}

    return Measure(name, parts, help)


def cumulative(split: str) -> tuple[str, ...]:
    """M6: the release's means of a split hold all splits before it."""
    return SPLITS[SPLITS.index(split) :] if split in SPLITS else ()


def _only(group: str) -> Callable[[str], Sequence[str]]:
    return lambda split: (group,) if group in cumulative(split) else ()


def _values(rows: Sequence[Scored], score: str) -> list[float]:
    return [row.scores[score] for row in rows if score in row.scores]


def _share(rows: Sequence[Scored]) -> float:
    return float(rows[0].facts.get("share", 1.0))


def _total(rows: Sequence[Scored]) -> float:
    return float(rows[0].facts.get("total_steps", len(rows)))


_PARTS = {"official": "official", "element": "element", "operation F1": "op_f1"}
_UGROUND = {"step": "uground", "element": "element", "operation F1": "uground_op_f1"}
_RELEASE = {
    "release": "release",
    "release element": "release_element",
    "release operation F1": "release_op_f1",
}

MEASURES: tuple[Measure, ...] = (
    *(over_tasks(name, score, "Mind2Web's: mean over tasks (the paper's)") for name, score in _PARTS.items()),
    *(
        over_tasks(f"{name}, mean of splits", score, "Mind2Web's, unweighted mean of the splits", by_split=True)
        for name, score in _PARTS.items()
    ),
    *(
        over_tasks(f"{name}, cross-{split}", score, f"Mind2Web's, of the split {split}", split)
        for split in SPLITS
        for name, score in _PARTS.items()
    ),
    *(micro(f"{name}, all steps", score, "Mind2Web's, mean over steps") for name, score in _PARTS.items()),
    micro("official, typing is no choice", "strict", "Mind2Web's, where SELECT must be said as such"),
    *(
        errors(f"{n} wrong", "official", n, f"share of tasks with {n} wrong steps, Mind2Web's error_ratio")
        for n in ERRORS
    ),
    *(
        padded(f"uground {name}", score, "UGround's: over tasks, missing steps wrong")
        for name, score in _UGROUND.items()
    ),
    *(
        padded_micro(f"uground {name}, all steps", score, "UGround's: over steps, missing ones wrong")
        for name, score in _UGROUND.items()
    ),
    micro("seeclick step", "seeclick", "SeeClick's: mean over steps with an element"),
    micro("seeclick element", "seeclick_element", "SeeClick's: mean over steps with an element"),
    over_tasks("seeclick step, tasks", "seeclick", "SeeClick's: mean over tasks"),
    by_cell(
        "seeclick operation F1", "seeclick_op_f1", lambda row: row.kind, "SeeClick's: mean of the operations' means"
    ),
    whole_tasks("seeclick episode", "seeclick", "SeeClick's: tasks with every step right"),
    *(
        padded(f"{name}, {split}", score, "the release's: splits before it are in it", _only(split))
        for split in SPLITS
        for name, score in _RELEASE.items()
    ),
    *(
        padded(name, score, "the release's: mean of its three cumulative numbers", cumulative)
        for name, score in _RELEASE.items()
    ),
    *(
        errors(f"release {n} wrong", "release", n, f"share of tasks with {n} wrong steps, the release's")
        for n in ERRORS
    ),
)


_WAYS = {"down": 1, "up": -1}


@dataclass(frozen=True)
class Mind2Web:
    """Options: `history` and `hint`, see above."""

    name: str = "mind2web"
    device: Device = "browser"
    kind: Kind = "browser"
    gold_type: type[Gold] = Mind2WebGold
    capabilities: frozenset[str] = frozenset({"click", "move", "type", "select", "scroll", "keys", "wait", "finish"})
    environment_variables: tuple[str, str] = ("MM_MIND2WEB_TEST", "MM_MIND2WEB_IMGS")
    measures: tuple[Measure, ...] = MEASURES

    def trajectories(self, source: Source) -> Iterator[Trajectory]:
        """Tasks, split by split; each when the last of its steps was read. Raises DataError."""
        return data.trajectories(source)

    def oracle(self, step: Step, size: Size) -> tuple[Action, ...]:
        return oracle(step, size)

    def oracle_view(self, step: Step) -> int:
        return oracle_view(step)

    def follow(self, step: Step, view: int, actions: Sequence[Action]) -> int | None:
        """The block after or before, where an answer scrolls and there is one."""
        answer = operation_of(actions)
        if answer.operation != SCROLLED or answer.direction not in _WAYS:
            return None
        other = view + _WAYS[answer.direction]
        return other if 0 <= other < len(step.views) else None

    def score(self, gold: Any, kind: str, prediction: Prediction) -> dict[str, float]:
        """All of `official`, `other_rules` and `release`."""
        answer = read_answer(gold, prediction)
        return {**official(gold, answer), **other_rules(gold, answer), **release(gold, prediction)}


MIND2WEB = Mind2Web()
