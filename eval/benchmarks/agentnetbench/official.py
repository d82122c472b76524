"""The benchmark's score: the authors' rule on typed actions, and the same as strictly as their own readers take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from agent.dialects.coordinates import Coordinates
from agent.dialects.opencua.serialize import write_code
from agent.errors import DialectError
from envs.actions import Action, Answer, Click, Drag, Finish, KeyDown, Keys, KeyUp, Move, Scroll, Type, Wait
from envs.geometry import Point, Resize, Size
from eval.benchmarks.agentnetbench.evaluator import AUTHORS, CORRECTED, PredictedAction, Result, Rule, evaluate
from eval.benchmarks.agentnetbench.gold import CLICKS, NetGold, Target, key_name, outcome
from eval.metrics.prediction import Prediction
from eval.metrics.release import read_opencua_official
from eval.metrics.shapes import relative

CENTRE: Point = (0.5, 0.5)
"""Where a scroll without a place happens (the authors' evaluation of Qwen puts a moveTo there)."""
OTHER = "other"
"""What the benchmark has no word for; never right."""
_CLICK_NAMES = {value: name.lower() for name, value in CLICKS.items()}


def official(gold: NetGold, answer: Sequence[Sequence[PredictedAction]]) -> dict[str, float]:
    """`official` and `alternative`, by the authors' rule on what our parser made of the answer; and `official:<type>`.

    answer: all that it can mean (`read_answer`); the meaning that scores best counts

    It differs from theirs in that keys go by one name each, that a chord of one key is a press, and that triple clicks,
    middle clicks, sideways scrolls and waits can be right: theirs calls a predicted triple click `triple_click` and a
    right one `tripleclick`, and has no rule for the others.
    """
    options = [tuple(map(_common, option)) for option in (gold.actions, *gold.alternatives)]
    result, other = _best_option(options, answer, CORRECTED)
    by_types = {by_type(kind): score for kind, score in result.by_type.items()}
    return {"official": result.total, "alternative": float(other), **by_types}


def by_type(kind: str) -> str:
    """Name of the score of one right type, in lower case, within a step."""
    return f"official:{kind}"


def official_strict(gold: NetGold, prediction: Prediction) -> dict[str, float]:
    """`official_strict`: the authors' rule on what the authors' reader for OpenCUA makes of the text.

    An answer in another dialect is written in OpenCUA's first.
    """
    calls = read_opencua_official(_in_opencua(prediction)).calls
    answer = [
        PredictedAction(call.name.lower(), call.point, call.text or "", call.keys, call.status or "") for call in calls
    ]
    result, _ = _best_option([gold.actions, *gold.alternatives], [answer], AUTHORS)
    return {"official_strict": result.total}


def _best_option(
    options: Sequence[Sequence[Target]], answer: Sequence[Sequence[PredictedAction]], rule: Rule
) -> tuple[Result, bool]:
    """The result that counts, and whether it is an alternative's.

    Alternatives are looked at where the annotated actions score less than 1, and count where they score more.
    """
    best, other = _best(options[0], answer, rule), False
    for option in options[1:]:
        if best.total >= 1.0:
            break
        result = _best(option, answer, rule)
        if result.total > best.total:
            best, other = result, True
    return best, other


def _best(option: Sequence[Target], answer: Sequence[Sequence[PredictedAction]], rule: Rule) -> Result:
    return max((evaluate(option, one, rule) for one in answer), key=lambda result: result.total)


def _common(target: Target) -> Target:
    """With the project's names of keys and ends."""
    if target.type in ("press", "hotkey"):
        keys = tuple(map(key_name, target.keys))
        return target.model_copy(update={"keys": keys, "type": "press" if len(keys) == 1 else target.type})
    if target.type == "terminate":
        return target.model_copy(update={"status": outcome(target.status)})
    return target


def _in_opencua(prediction: Prediction) -> Prediction:
    if prediction.dialect == "opencua":
        return prediction
    resize = Resize(prediction.size, prediction.size)
    try:
        text = write_code(prediction.actions, Coordinates(resize))
    except DialectError:
        text = ""
    return replace(prediction, texts=(text,), resize=resize, dialect="opencua")


def read_answer(gold: NetGold, prediction: Prediction) -> list[tuple[PredictedAction, ...]]:
    """All that an answer can mean, since typed actions leave some things open; the one that scores best counts.

    - whether the moveTo of a scroll or drag was said apart from it;
    - whether keys pressed one after the other are one press of several keys or several presses;
    - whether the meta key is a Mac's command: the annotations have ctrl there, and the authors' readers make it ctrl.

    Waits count only where one is right: the authors' readers pass over them, as over answers to the user.
    """
    waits = any(target.kind == "wait" for option in (gold.actions, *gold.alternatives) for target in option)
    readings: dict[tuple[PredictedAction, ...], None] = {}
    for moves, together, command in product((True, False), (False, True), (False, True)):
        read = [one for action in prediction.actions for one in _read(action, prediction.size, moves, command)]
        read = [one for one in read if waits or one.type != "wait"]
        readings[tuple(_together(read) if together else read)] = None
    return list(readings)


def _read(action: Action, size: Size, moves: bool, command: bool) -> list[PredictedAction]:
    match action:
        case Click():
            name = _CLICK_NAMES.get((action.button, action.count), OTHER)
            return [PredictedAction(name, relative((action.x, action.y), size))]
        case Move():
            return [PredictedAction("moveto", relative((action.x, action.y), size))]
        case Drag():
            start = [PredictedAction("moveto", relative(action.path[0], size))] if moves else []
            return [*start, PredictedAction("dragto", relative(action.path[-1], size))]
        case Scroll():
            placed = action.x is not None and action.y is not None
            place = relative((action.x or 0.0, action.y or 0.0), size) if placed else CENTRE
            start = [PredictedAction("moveto", place)] if moves else []
            return [*start, PredictedAction("scroll" if action.direction in ("up", "down") else "hscroll")]
        case Type():
            return [PredictedAction("write", text=action.text + ("\n" if action.submit else ""))]
        case Keys():
            return [_chord(action.keys, command)]
        case KeyDown():
            return [_chord((action.key,), command)]
        case Finish():
            return [PredictedAction("terminate", status=action.status)]
        case Wait():
            return [PredictedAction("wait")]
        case Answer() | KeyUp():
            return []
        case _:
            return [PredictedAction(OTHER)]


def _chord(keys: tuple[str, ...], command: bool) -> PredictedAction:
    names = tuple(map(key_name, keys))
    if command:
        names = tuple("ctrl" if name == "meta" else name for name in names)
    return PredictedAction("press" if len(names) == 1 else "hotkey", keys=names)


def _together(read: list[PredictedAction]) -> list[PredictedAction]:
    """Presses that follow each other as one."""
    out: list[PredictedAction] = []
    for one in read:
        if one.type == "press" and out and out[-1].type == "press":
            out[-1] = PredictedAction("press", keys=out[-1].keys + one.keys)
        else:
            out.append(one)
    return out
