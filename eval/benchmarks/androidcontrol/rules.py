"""Other rules by which the field scores AndroidControl. None of them is a standard, so all are reported."""

from __future__ import annotations

from envs.geometry import Point, Size
from eval.benchmarks.androidcontrol.gold import PLACED, AndroidGold
from eval.benchmarks.androidcontrol.official import PredictedAction, equivalent
from eval.metrics.shapes import Box, distance, relative
from eval.metrics.words import token_f1

_GRID = 1000
_TAP_DISTANCE = 0.14 * _GRID
_LEAST_F1 = 0.5
_LARGER = 1.2
_NEAR = 0.04


def other_rules(gold: AndroidGold, answer: PredictedAction) -> dict[str, float]:
    """node_box, distance_14, box_or_near, type_match; `grounding …` only where the answer counts for it."""
    by_node, by_distance = float(node_box(gold, answer)), float(distance_14(gold, answer))
    scores = {
        "node_box": by_node,
        "distance_14": by_distance,
        "box_or_near": float(box_or_near(gold, answer)),
        "type_match": float(answer.action == gold.action),
    }
    if _grounded(gold, answer):
        scores["grounding node_box"] = by_node
    if gold.action == answer.action == "click":
        scores["grounding distance_14"] = by_distance
    return scores


def node_box(gold: AndroidGold, answer: PredictedAction) -> bool:
    """UGround's rule (OSU-NLP-Group/UGround, offline_evaluation/AndroidControl/eval.py).

    A place must be in the smallest labelled node that contains the gold point, of a type_text too; text and name of
    the app must be the very same. An answer that types without a place is wrong where the record has one (there it
    comes from a grounding model). Back and open_app have the equivalents of `equivalent`.
    """
    if answer.action != gold.action:
        return equivalent(gold, answer)
    if gold.point is not None:
        target = gold.labelled_target
        inside = target is not None and answer.point is not None and target.shape.contains(answer.point)
        return inside and answer.text == gold.text
    return (answer.text, answer.app, answer.direction, answer.status) == (
        gold.text,
        gold.app,
        gold.direction,
        gold.status,
    )


def distance_14(gold: AndroidGold, answer: PredictedAction) -> bool:
    """OS-Atlas' rule (OS-Copilot/OS-Atlas, eval_scripts/android_control/evaluation_unify.py).

    Places are whole numbers from 0 to 1000 and may lie 140 apart. Texts and apps must be equal, or so must be the
    first word in the brackets, bracket included: of `TYPE [red shoes]` that is `[red`. All else is compared as text.
    """
    if answer.action != gold.action:
        return False
    if gold.action in ("click", "long_press"):
        if answer.point is None or gold.point is None:
            return False
        return distance(_grid(answer.point, answer.screen), _grid(gold.point, answer.screen)) <= _TAP_DISTANCE
    written, right = _words(answer), _words(gold)
    if written == right:
        return True
    if gold.action not in ("type_text", "open_app"):
        return False
    return token_f1({written.split()[1].lower()}, {right.split()[1].lower()}) > _LEAST_F1


def box_or_near(gold: AndroidGold, answer: PredictedAction) -> bool:
    """The rule of Qwen2.5-VL's evaluation, as OpenBMB/AgentCPM-GUI (utils/evaluator.py) and UI-S1 have it.

    A place may be in any of the boxes around the gold point, enlarged by 1.2, or 0.04 of the screen away on axes of
    0 to 1. Texts and apps may be part of each other, without regard to case. The end of the task is judged on its type
    only. A tap on the icon counts as opening the app where the record names the icon's boxes (UI-S1).
    """
    if (gold.action, answer.action) == ("open_app", "click") and gold.candidates:
        icons = gold.candidate_boxes
        return _near(answer.point, icons, icons[0].centre, answer.screen)
    if answer.action != gold.action:
        return False
    match gold.action:
        case "click" | "long_press":
            return _near(answer.point, gold.boxes, gold.point, answer.screen)
        case "type_text":
            return _either_way(answer.text, gold.text)
        case "open_app":
            return _either_way(answer.app, gold.app)
        case "scroll":
            return answer.direction == gold.direction
        case _:
            return True


def _grounded(gold: AndroidGold, answer: PredictedAction) -> bool:
    """Whether UGround's grounding accuracy counts the answer: equal types with a place, and taps for or as back, or
    instead of opening an app."""
    if answer.action == gold.action:
        return gold.action in PLACED and gold.point is not None
    return (gold.action, answer.action) in {
        ("open_app", "click"),
        ("navigate_back", "click"),
        ("click", "navigate_back"),
    }


def _grid(point: Point, size: Size) -> Point:
    x, y = relative(point, size)
    return round(x * _GRID), round(y * _GRID)


def _words(action: AndroidGold | PredictedAction) -> str:
    """The action as OS-Atlas' files write it."""
    match action.action:
        case "type_text":
            return f"TYPE [{action.text}]"
        case "open_app":
            return f"OPEN_APP [{action.app}]"
        case "scroll":
            return f"SCROLL [{str(action.direction).upper()}]"
        case "status":
            return "COMPLETE" if action.status == "successful" else "IMPOSSIBLE"
        case _:
            return action.action


def _near(point: Point | None, around: list[Box], middle: Point | None, size: Size) -> bool:
    if point is None:
        return False
    if any(box.scaled(_LARGER).contains(point) for box in around):
        return True
    return middle is not None and distance(relative(point, size), relative(middle, size)) <= _NEAR


def _either_way(text: str, right: str) -> bool:
    one, other = text.strip().lower(), right.strip().lower()
    return one in other or other in one
