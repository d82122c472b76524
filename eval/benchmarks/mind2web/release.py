"""A step as the GUI-KV release scores it (reference: its eval script for this benchmark, by its behaviour).

The first call of the answer counts. Its point must lie in one of the places of the *whole page*, both as fractions of
the first block; F1 is UGround's; a step needs both.

Defects that follow, and nothing else makes them:
- M1: places of the page are compared with points of a block. Targets below the first block cannot be hit, and after a
  scroll a right click is compared with the wrong place.
- M2: the picture's size is not read again after a scroll: points of a shorter block are off.
- M3: typing has no point, so no TYPE step is right, whatever was clicked before.
- M4: OpenCUA cannot choose; a click and a write are a click.
- M7: when the last answer is a scroll, its point still counts for the element.
- M10: steps without a place are wrong.
What concerns prompts (M5, stale history) is an option of data.py; what concerns averages (M6, M9) the measures. M8,
an answer of the step before where generating failed, cannot happen: such a failure ends a replay.
Calls that the release's readers know but this benchmark does not use keep their names; OpenCUA's clicks of all kinds
and movements are `click`, as in its script for AndroidControl.
"""

from __future__ import annotations

from envs.geometry import Point, Size
from eval.benchmarks.mind2web.gold import Mind2WebGold
from eval.benchmarks.mind2web.official import both, loose_words
from eval.metrics.prediction import Prediction
from eval.metrics.release import Call, read
from eval.metrics.release.translate import ui_tars_image
from eval.metrics.shapes import Box
from eval.metrics.words import token_f1

_CLICKS = frozenset({"click", "doubleClick", "rightClick", "triple_click", "moveTo", "dragTo"})
_TYPING = frozenset({"type", "write"})


def release(gold: Mind2WebGold, prediction: Prediction) -> dict[str, float]:
    """`release` for the step, and its two parts."""
    reading = read(prediction)
    call = reading.calls[0] if reading.calls else None
    if call is None:
        return {"release": 0.0, "release_element": 0.0, "release_op_f1": 0.0}
    told = _opencua(call) if reading.family == "opencua" else _ui_tars(call)
    f1 = token_f1(loose_words(told), loose_words(f"{gold.operation} {gold.value}"))
    point = None if call.name in _TYPING else call.point
    hit = float(point is not None and _hit(gold, prediction, point))
    return {"release": both(hit, f1), "release_element": hit, "release_op_f1": f1}


def _ui_tars(call: Call) -> str:
    return " ".join((call.name, call.text or call.direction or ""))


def _opencua(call: Call) -> str:
    if call.name in _CLICKS:
        return "click"
    if call.name == "write":
        return f"type {call.text or ''}"
    if call.name == "scroll":
        return f"scroll {'up' if (call.amount or 0) > 0 else 'down'}"
    return call.name


def _hit(gold: Mind2WebGold, prediction: Prediction, point: Point) -> bool:
    first = prediction.size if prediction.views[-1:] == (0,) else Size(*gold.sizes[0])
    seen, assumed = ui_tars_image(prediction.size), ui_tars_image(first)
    if seen is None or assumed is None:
        return False
    # M2: the model's pixels, as fractions of what it would have seen of the first block.
    x = point[0] * seen.width / assumed.width * first.width
    y = point[1] * seen.height / assumed.height * first.height
    return any(Box.of_xywh(*place).contains((x, y)) for place in gold.page)
