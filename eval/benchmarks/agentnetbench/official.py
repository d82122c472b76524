"""The benchmark's score: the authors' rule on typed actions, and the same as strictly as their own readers take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.dialects.coordinates import Coordinates
from agent.dialects.opencua.serialize import write_code
from agent.errors import DialectError
from envs.geometry import Resize
from eval.benchmarks.agentnetbench.evaluator import AUTHORS, CORRECTED, Result, Rule, evaluate
from eval.benchmarks.agentnetbench.gold import NetGold, Target
from eval.benchmarks.agentnetbench.oracle import key_name, outcome
from eval.benchmarks.agentnetbench.said import Said, readings
from eval.benchmarks.base import Prediction
from eval.metrics.release import Call, read_opencua_official


@dataclass(frozen=True)
class Judged:
    """other: an alternative scored better than the annotated actions."""

    result: Result
    other: bool = False


def official(gold: NetGold, prediction: Prediction) -> Judged:
    """The authors' rule on what our parser made of the answer.

    It differs from theirs in that keys go by one name each, that a chord of one key is a press, and that triple clicks,
    middle clicks, sideways scrolls and waits can be right: theirs calls a predicted triple click `triple_click` and a
    right one `tripleclick`, and has no rule for the others.
    """
    options = (gold.actions, *gold.alternatives)
    waits = any(target.kind == "wait" for option in options for target in option)
    said = readings(prediction.actions, prediction.size, waits)
    return _judged([tuple(map(_common, option)) for option in options], said, CORRECTED)


def official_strict(gold: NetGold, prediction: Prediction) -> Judged:
    """The authors' rule on what the authors' reader for OpenCUA makes of the text.

    An answer in another dialect is written in OpenCUA's first.
    """
    said = tuple(map(_as_said, read_opencua_official(_in_opencua(prediction)).calls))
    return _judged([gold.actions, *gold.alternatives], [said], AUTHORS)


def _judged(options: Sequence[Sequence[Target]], said: Sequence[Sequence[Said]], rule: Rule) -> Judged:
    """Alternatives are looked at where the annotated actions score less than 1, and count where they score more."""
    best = Judged(_best(options[0], said, rule))
    for option in options[1:]:
        if best.result.total >= 1.0:
            break
        result = _best(option, said, rule)
        if result.total > best.result.total:
            best = Judged(result, other=True)
    return best


def _best(option: Sequence[Target], said: Sequence[Sequence[Said]], rule: Rule) -> Result:
    return max((evaluate(option, one, rule) for one in said), key=lambda result: result.total)


def _common(target: Target) -> Target:
    """With the project's names of keys and ends."""
    if target.type in ("press", "hotkey"):
        keys = tuple(map(key_name, target.keys))
        return target.model_copy(update={"keys": keys, "type": "press" if len(keys) == 1 else target.type})
    if target.type == "terminate":
        return target.model_copy(update={"status": outcome(target.status)})
    return target


def _as_said(call: Call) -> Said:
    return Said(call.name.lower(), call.point, call.text or "", call.keys, call.status or "")


def _in_opencua(prediction: Prediction) -> Prediction:
    if prediction.dialect == "opencua":
        return prediction
    resize = Resize(prediction.size, prediction.size)
    try:
        text = write_code(prediction.actions, Coordinates(resize))
    except DialectError:
        text = ""
    return replace(prediction, texts=(text,), resize=resize, dialect="opencua")
