"""Whether two actions are the same: the rule of Android in the Wild, and the stricter one of AITZ, of the first action.

The GUI-KV release has no such evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rapidfuzz.distance import Indel

from envs.actions import Action, Back, Click, Drag, Finish, Keys, LongPress, Scroll, Swipe, SystemButton, Type
from envs.geometry import Point, Size
from eval.benchmarks.aitz.gold import AitzGold, Gesture, Kind
from eval.metrics.prediction import Prediction
from eval.metrics.shapes import Box, distance, relative

TAP_DISTANCE = 0.14
"""Share of the screen, by which two taps may differ."""
AUGMENT = 1.4
"""By how much of its size a box grows, half of it to each side: to 2.4 times."""
ALIKE = 0.8
_BUTTONS = {"back": Kind.PRESS_BACK, "home": Kind.PRESS_HOME, "enter": Kind.PRESS_ENTER}
_SWIPES: dict[str, tuple[Point, Point]] = {
    "down": ((0.5, 0.8), (0.5, 0.2)),
    "up": ((0.5, 0.2), (0.5, 0.8)),
    "right": ((0.8, 0.5), (0.2, 0.5)),
    "left": ((0.2, 0.5), (0.8, 0.5)),
}
"""What a scroll stands for, by the side of which more is shown (SeeClick `agent_tasks/action_matching.py`)."""


def read_answer(gold: AitzGold, prediction: Prediction) -> Gesture | None:
    """The first action, in the data's terms. None for what they do not know."""
    return gesture_of(prediction.actions, prediction.size)


def official(gold: AitzGold, answer: Gesture | None, size: Size) -> dict[str, float]:
    """`official`, `type_id`, `type_match` and `exact_match`. size: of the picture, which the gold's boxes are of."""
    if answer is None:
        return {"official": 0.0, "type_id": 0.0, "type_match": 0.0, "exact_match": 0.0}
    boxes = gold.shares(size)
    return {
        "official": float(same(gold.gesture, answer, boxes)),
        "type_id": float(gold.action == answer.kind),
        "type_match": float(gold.gesture.group == answer.group),
        "exact_match": float(exact(gold.gesture, answer, boxes)),
    }


def gesture_of(actions: Sequence[Action], size: Size) -> Gesture | None:
    """The first of the actions; points are pixels of a picture of `size`. None for what the data do not know.

    Enter is also an empty text that is submitted, since not every family of models has a call for it on phones.
    """
    match next(iter(actions), None):
        case Click(button="left", x=x, y=y) | LongPress(x=x, y=y):
            return _dual((x, y), (x, y), size)
        case Swipe(x=x, y=y, x2=x2, y2=y2):
            return _dual((x, y), (x2, y2), size)
        case Drag(path=path):
            return _dual(path[0], path[-1], size)
        case Scroll(direction=direction):
            return Gesture(Kind.DUAL_POINT, *_SWIPES[direction])
        case Type(text="", submit=True) | Keys(keys=("enter",)):
            return Gesture(Kind.PRESS_ENTER)
        case Type(text=text):
            return Gesture(Kind.TYPE, text=text)
        case SystemButton(button=button) if button in _BUTTONS:
            return Gesture(_BUTTONS[button])
        case Back():
            return Gesture(Kind.PRESS_BACK)
        case Finish(status=status):
            return Gesture(Kind.STATUS_TASK_COMPLETE if status == "success" else Kind.STATUS_TASK_IMPOSSIBLE)
        case _:
            return None


def same(one: Gesture, other: Gesture, boxes: Iterable[Box]) -> bool:
    """`check_actions_match` of google-research `android_in_the_wild`, as SeeClick uses it for AITW.

    boxes: of the elements on the screen, in fractions of it. Actions without a place are the same when their types
    are; what is typed does not count. Swipes are the same when they go along the same axis, either way.
    """
    if one.kind != Kind.DUAL_POINT or other.kind != Kind.DUAL_POINT:
        return one.kind == other.kind
    if one.tap != other.tap:
        return False
    return same_tap(one.touch, other.touch, boxes) if one.tap else _axis(one) == _axis(other)


def same_tap(one: Point, other: Point, boxes: Iterable[Box]) -> bool:
    """Near each other, or in one and the same enlarged box."""
    if distance(one, other) <= TAP_DISTANCE:
        return True
    return any(box.contains(one) and box.contains(other) for box in map(enlarged, boxes))


def enlarged(box: Box) -> Box:
    """Grown as the rule has it: a box that is stopped by the left or upper edge keeps its new size."""
    width, height = box.x1 - box.x0, box.y1 - box.y0
    left, top = max(0.0, box.x0 - width * AUGMENT / 2), max(0.0, box.y0 - height * AUGMENT / 2)
    return Box.of_xywh(left, top, min(1.0, width * (1 + AUGMENT)), min(1.0, height * (1 + AUGMENT)))


def exact(gold: Gesture, answer: Gesture, boxes: Iterable[Box]) -> bool:
    """`exact_match` of IMNearth/CoAT `coat/evaluate.py`: also direction of a swipe and text.

    Its answers point with boxes, and as published it compares those of clicks with the corner (0, 0) instead of the
    recorded place; a tap is judged here by `same_tap` instead. Both ways to stop are the same.
    """
    if gold.group != answer.group:
        return False
    match gold.group:
        case "click":
            return same_tap(gold.touch, answer.touch, boxes)
        case "scroll":
            return heading(gold.touch, gold.lift) == heading(answer.touch, answer.lift)
        case "type":
            contained = gold.text in answer.text or answer.text in gold.text
            return contained or Indel.normalized_similarity(gold.text, answer.text) > ALIKE
        case "press":
            return gold.kind == answer.kind
        case _:
            return True


def _axis(swipe: Gesture) -> str:
    across, down = abs(swipe.lift[0] - swipe.touch[0]), abs(swipe.lift[1] - swipe.touch[1])
    return "x" if across > down else "y"


def heading(touch: Point, lift: Point) -> str:
    """Where the finger goes: up, down, left or right; nearly diagonal ones count as up or down (AITZ)."""
    across, down = lift[0] - touch[0], lift[1] - touch[1]
    if abs(down) >= 0.9 * abs(across):
        return "up" if down < 0 else "down"
    return "left" if across < 0 else "right"


def _dual(touch: Point, lift: Point, size: Size) -> Gesture:
    return Gesture(Kind.DUAL_POINT, relative(touch, size), relative(lift, size))
