"""The authors' rule for one step (xlang-ai/OpenCUA, evaluation/agentnetbench/eval.py, class ActionEvaluator).

An Enter after a text joins it, on both sides. A right terminate is all or nothing. The first predicted type must be
among the right types; then the two sequences are compared place by place, further predictions do not count. Scores are
averaged over the right actions of a type, then over the types. (Version 1d70f20; a later one, 60da8b9, also compares a
scroll's direction and amount and the order of keys, and takes points off for further actions.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from envs.geometry import Point
from eval.benchmarks.agentnetbench.gold import ENTER, Target, is_enter
from eval.metrics.shapes import Box, distance
from eval.metrics.words import edit_similarity

THRESHOLD = 0.01 * math.sqrt(2)
"""Distance from the right point, in fractions of the picture, up to which a point is right."""
ALPHA = 120.0
"""How fast the score falls beyond it."""
ENOUGH = 0.8
"""Likeness of texts from which on they are the same."""


@dataclass(frozen=True)
class PredictedAction:
    """One action of an answer, as scorers compare it. type: in lower case; point: fractions of the picture."""

    type: str
    point: Point | None = None
    text: str = ""
    keys: tuple[str, ...] = ()
    status: str = ""


@dataclass(frozen=True)
class Rule:
    """Types that are compared by their place, and those of which no more than the type counts.

    A right type in neither has no score: where the answer has it too it does not count at all.
    """

    places: frozenset[str]
    types: frozenset[str]


AUTHORS = Rule(
    places=frozenset({"click", "doubleclick", "rightclick", "tripleclick", "moveto", "dragto"}),
    types=frozenset({"scroll"}),
)
CORRECTED = Rule(places=AUTHORS.places | {"middleclick"}, types=AUTHORS.types | {"hscroll", "wait"})
"""With what the authors' evaluator has no rule for, though AgentNet has such actions."""


@dataclass(frozen=True)
class Result:
    """total: of the step; by_type: mean score of each right type, in lower case."""

    total: float
    by_type: dict[str, float] = field(default_factory=dict)


def evaluate(gold: Sequence[Target], answer: Sequence[PredictedAction], rule: Rule) -> Result:
    """One sequence of right actions against one answer; an answer without actions has no scores by type."""
    if not gold or not answer:
        return Result(0.0)
    gold, answer = _enter_joined(gold), _enter_joined_answer(answer)
    if gold[0].kind == "terminate":
        right = answer[0].type == "terminate" and answer[0].status == gold[0].status
        return Result(float(right), {"terminate": float(right)})
    if answer[0].type not in {target.kind for target in gold}:
        return Result(0.0, {target.kind: 0.0 for target in gold})
    scores: dict[str, list[float]] = {}
    for index, target in enumerate(gold):
        score: float | None = 0.0
        if index < len(answer) and answer[index].type == target.kind:
            score = compare(target, answer[index], rule)
        if score is not None:
            scores.setdefault(target.kind, []).append(score)
    by_type = {kind: sum(values) / len(values) for kind, values in scores.items()}
    return Result(sum(by_type.values()) / len(by_type) if by_type else 0.0, by_type)


def compare(target: Target, answer: PredictedAction, rule: Rule) -> float | None:
    """Two actions of one type; None where there is no rule for it."""
    if target.kind in rule.places:
        return place_score(target, answer.point)
    if target.kind == "write":
        return text_score(target.text, answer.text)
    if target.kind in ("press", "hotkey"):
        return keys_score(target.keys, answer.keys)
    return 1.0 if target.kind in rule.types else None


def place_score(target: Target, point: Point | None) -> float:
    """1 in a box or near the right point, falling with the distance beyond that. The picture's shape does not count."""
    if point is None or target.point is None:
        return 0.0
    if any(Box.of_xywh(*box).contains(point) for box in target.boxes):
        return 1.0
    beyond = distance(point, target.point) - THRESHOLD
    return 1.0 if beyond <= 0 else math.exp(-ALPHA * beyond)


def text_score(gold: str, text: str) -> float:
    """Likeness of the texts without case and blanks at the ends, newlines among them: Enter does not count."""
    likeness = edit_similarity(text.lower().strip(), gold.lower().strip())
    return 1.0 if likeness >= ENOUGH else likeness / ENOUGH


def keys_score(gold: Sequence[str], keys: Sequence[str]) -> float:
    """1 for the same set of keys."""
    return float({key.lower() for key in gold} == {key.lower() for key in keys})


def _enter_joined(gold: Sequence[Target]) -> list[Target]:
    out: list[Target] = []
    open_text = False
    for target in gold:
        if open_text and is_enter(target):
            out[-1] = out[-1].model_copy(update={"text": out[-1].text + "\n"})
            open_text = False
        else:
            out.append(target)
            open_text = target.kind == "write"
    return out


def _enter_joined_answer(answer: Sequence[PredictedAction]) -> list[PredictedAction]:
    out: list[PredictedAction] = []
    open_text = False
    for one in answer:
        lone = one.type == "press" and len(one.keys) == 1 and one.keys[0].lower() in ENTER
        if open_text and lone:
            out[-1] = replace(out[-1], text=out[-1].text + "\n")
            open_text = False
        else:
            out.append(one)
            open_text = one.type == "write"
    return out
