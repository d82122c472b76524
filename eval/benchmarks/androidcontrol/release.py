"""The GUI-KV release's scoring of AndroidControl, defects included, on what its readers find in an answer.

Written from a description of its behaviour. It judges the first call only. Defects of the scoring:

- C1 typing has no place, and a type_text needs one: never right
- C2 an OpenCUA scroll is a number of clicks, which is no direction; C3 its presses and all that phones add are unknown
- C4 opening an app instead of tapping is never right, and opening any app is right where one is to be opened
- C5 going back instead of tapping what says "back" is wrong
- C6 a tap is wrong wherever no labelled element lies under the gold point

The boxes of a record without a tree stand for its labelled nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from envs.actions import Action, Drag, Scroll, Swipe
from envs.geometry import Point
from eval.benchmarks.androidcontrol.gold import BACK, PLACED, AndroidGold
from eval.benchmarks.androidcontrol.official import swiped
from eval.metrics.prediction import Prediction
from eval.metrics.release import read

_UI_TARS = {
    "click": "click",
    "long_press": "long_press",
    "type": "type_text",
    "scroll": "scroll",
    "open_app": "open_app",
    "press_back": "navigate_back",
    "press_home": "navigate_home",
    "wait": "wait",
    "finished": "status",
}
_OPENCUA = {
    **dict.fromkeys(("click", "doubleClick", "rightClick", "triple_click", "moveTo", "dragTo"), "click"),
    "write": "type_text",
    "scroll": "scroll",
    "terminate": "status",
}
_FAILED = ("unsuccessful", "infeasible", "impossible", "cannot", "can't", "unable", "fail", "error")
_STATUSES = ("successful", "infeasible")
_KNOWN = ("ui_tars", "opencua")


@dataclass(frozen=True)
class _FirstCall:
    """kind: "" for one that the release does not know; point: pixels of the gold's screen; status: see `status_of`."""

    kind: str
    point: Point | None
    direction: str | None
    status: str


def release(gold: AndroidGold, prediction: Prediction) -> dict[str, float]:
    """`release`, 1 or 0."""
    call = _first_call(gold, prediction)
    return {"release": float(call is not None and _right(gold, call))}


def _right(gold: AndroidGold, call: _FirstCall) -> bool:
    if gold.action in PLACED and call.kind in PLACED:
        target = gold.labelled_target
        if gold.action != call.kind or call.kind == "type_text" or target is None or call.point is None:
            return False
        return target.shape.contains(call.point)
    if (gold.action, call.kind) == ("open_app", "click"):
        return _shows(gold, call.point, gold.app)
    if (gold.action, call.kind) == ("navigate_back", "click"):
        return _shows(gold, call.point, BACK)
    if gold.action != call.kind:
        return False
    if gold.action == "scroll":
        return call.direction == gold.direction
    return gold.action != "status" or call.status == gold.status


def status_of(text: str) -> str:
    """What the release makes of the last words of a task."""
    if text in _STATUSES:
        return text
    return "infeasible" if any(word in text.lower() for word in _FAILED) else "successful"


def _first_call(gold: AndroidGold, prediction: Prediction) -> _FirstCall | None:
    if prediction.dialect not in _KNOWN:
        # What such dialects swipe, UI-TARS' prompt for phones calls a scroll.
        actions = tuple(_as_scroll(action) for action in prediction.actions)
        prediction = replace(prediction, actions=actions)
    reading = read(prediction)
    if not reading.calls:
        return None
    call = reading.calls[0]
    kinds = _OPENCUA if reading.family == "opencua" else _UI_TARS
    size = gold.screen_size(prediction.size)
    point = None if call.point is None else (call.point[0] * size.width, call.point[1] * size.height)
    # OpenCUA's scroll has an amount and no direction.
    return _FirstCall(kinds.get(call.name, ""), point, call.direction, status_of(call.status or call.text or ""))


def _as_scroll(action: Action) -> Action:
    if not isinstance(action, Swipe | Drag):
        return action
    direction = swiped(action)
    return action if direction is None else Scroll(direction=direction)


def _shows(gold: AndroidGold, point: Point | None, word: str) -> bool:
    if point is None:
        return False
    if gold.candidates:
        return any(box.contains(point) for box in gold.candidate_boxes)
    element = gold.labelled_at(point)
    return element is not None and element.says(word)
