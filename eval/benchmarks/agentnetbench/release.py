"""The score that the GUI-KV release gives, defects included, so that published tables can be compared.

Written from a description of its behaviour. Only the first predicted action and the first right one are compared.
"""

from __future__ import annotations

from eval.benchmarks.agentnetbench.evaluator import AUTHORS, PredictedAction, compare
from eval.benchmarks.agentnetbench.gold import NetGold, Target
from eval.metrics.prediction import Prediction
from eval.metrics.release import Call, Reading, read

_UI_TARS_CLICKS = {
    "click": "click",
    "long_press": "click",
    "left_double": "doubleclick",
    "right_single": "rightclick",
}
_DIRECTIONS = frozenset({"up", "down", "left", "right"})


def release(gold: NetGold, prediction: Prediction) -> dict[str, float]:
    """`release`; `release_alternative`: it counts the step as matched by one; `release_read`: it finds an action.

    An alternative of the predicted type takes the place of the annotated actions when their types differ, and that is
    not counted as an alternative. All alternatives are tried only where the score is exactly 0, which a place far off
    the right one never has. Its means by type and over milestones leave out the steps without an action.
    """
    answer = predicted(read(prediction))
    if not answer:
        return _scores(0.0, read=False)
    first = _first(gold.actions[0], answer[0])
    if first is None:
        same = (_first(option[0], answer[0]) for option in gold.alternatives)
        first = next((found for found in same if found is not None), 0.0)
    if first == 0.0:
        best = max((_first(option[0], answer[0]) or 0.0 for option in gold.alternatives), default=0.0)
        if best > 0.0:
            return _scores(best, alternative=True)
    return _scores(first)


def _scores(score: float, alternative: bool = False, read: bool = True) -> dict[str, float]:
    return {"release": score, "release_alternative": float(alternative), "release_read": float(read)}


def predicted(reading: Reading) -> list[PredictedAction]:
    """The calls as the release's converters take them; those that they do not know are left out."""
    convert = _opencua if reading.family == "opencua" else _ui_tars
    return [action for call in reading.calls for action in convert(call)]


def _first(target: Target, answer: PredictedAction) -> float | None:
    """None where the types differ."""
    if target.kind != answer.type:
        return None
    if target.kind == "terminate":
        return float(target.status == answer.status)
    return compare(target, answer, AUTHORS) or 0.0


def _ui_tars(call: Call) -> list[PredictedAction]:
    """A drag is only its end, a key never a press, ctrl is called control, and any `success` in the end is one."""
    match call.name:
        case "click" | "long_press" | "left_double" | "right_single" if call.point:
            return [PredictedAction(_UI_TARS_CLICKS[call.name], call.point)]
        case "drag" if call.end:
            return [PredictedAction("dragto", call.end)]
        case "hotkey" if call.keys:
            names = (key.lower() for key in call.keys)
            return [PredictedAction("hotkey", keys=tuple("control" if name == "ctrl" else name for name in names))]
        case "type":
            return [PredictedAction("write", text=call.text or "")]
        case "scroll" if call.point and call.direction in _DIRECTIONS:
            return [PredictedAction("scroll")]
        case "press_back":
            return [PredictedAction("press", keys=("escape",))]
        case "finished":
            done = "success" in (call.text or "").lower()
            return [PredictedAction("terminate", status="success" if done else "failure")]
        case _:
            return []


def _opencua(call: Call) -> list[PredictedAction]:
    name = "tripleclick" if call.name == "triple_click" else call.name.lower()
    return [PredictedAction(name, call.point, call.text or "", call.keys, call.status or "")]
