"""What is right at a step of AITZ, in the terms of Android in the Wild and as typed actions.

Android in the Wild has a number for the type, and for gestures where the finger goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from envs.actions import Action, Click, Finish, Swipe, SystemButton, Type
from envs.geometry import Point, Size
from eval.benchmarks.base import Gold, Step
from eval.metrics.shapes import Box, distance

SWIPE_DISTANCE = 0.04
"""Share of the screen; a finger that moves farther swipes."""
_NOWHERE = (-1.0, -1.0)


class Kind(IntEnum):
    """`action_type` of google-research `android_in_the_wild`; a touch and its lift are DUAL_POINT."""

    TYPE = 3
    DUAL_POINT = 4
    PRESS_BACK = 5
    PRESS_HOME = 6
    PRESS_ENTER = 7
    STATUS_TASK_COMPLETE = 10
    STATUS_TASK_IMPOSSIBLE = 11


GROUPS = {
    Kind.TYPE: "type",
    Kind.PRESS_BACK: "press",
    Kind.PRESS_HOME: "press",
    Kind.PRESS_ENTER: "press",
    Kind.STATUS_TASK_COMPLETE: "stop",
    Kind.STATUS_TASK_IMPOSSIBLE: "stop",
}
"""The five types that the authors of AITZ count by; gestures are click or scroll."""


@dataclass(frozen=True)
class Gesture:
    """touch, lift: fractions of the screen, x to the right; (-1, -1) for what is no gesture."""

    kind: Kind
    touch: Point = _NOWHERE
    lift: Point = _NOWHERE
    text: str = ""

    @property
    def tap(self) -> bool:
        """Does the finger stay where it is?"""
        return distance(self.touch, self.lift) <= SWIPE_DISTANCE

    @property
    def group(self) -> str:
        """click, scroll, type, press or stop."""
        return GROUPS.get(self.kind) or ("click" if self.tap else "scroll")


class AitzGold(Gold):
    """touch, lift: x, y in fractions of the screen; boxes: x, y, width, height in pixels of the screenshot."""

    action: Kind
    touch: tuple[float, float] = (-1.0, -1.0)
    lift: tuple[float, float] = (-1.0, -1.0)
    text: str = ""
    boxes: tuple[tuple[float, float, float, float], ...] = ()

    @property
    def gesture(self) -> Gesture:
        return Gesture(self.action, self.touch, self.lift, self.text)

    def shares(self, size: Size) -> list[Box]:
        """The boxes as fractions of a screenshot of that size."""
        return [
            Box.of_xywh(x / size.width, y / size.height, width / size.width, height / size.height)
            for x, y, width, height in self.boxes
        ]


def oracle(step: Step, size: Size) -> tuple[Action, ...]:
    """The recorded action. Enter is an empty text that is submitted: every family of models can write that.

    A swipe is given as it was recorded; of one that is hardly longer than a tap, or as long across as down, whole
    model pixels may make another action.
    """
    gold: AitzGold = step.gold
    x, y = _pixel(gold.touch, size)
    match gold.action:
        case Kind.DUAL_POINT if gold.gesture.tap:
            return (Click(x=x, y=y),)
        case Kind.DUAL_POINT:
            x2, y2 = _pixel(gold.lift, size)
            return (Swipe(x=x, y=y, x2=x2, y2=y2),)
        case Kind.TYPE:
            return (Type(text=gold.text),)
        case Kind.PRESS_BACK:
            return (SystemButton(button="back"),)
        case Kind.PRESS_HOME:
            return (SystemButton(button="home"),)
        case Kind.PRESS_ENTER:
            return (Type(text="", submit=True),)
        case Kind.STATUS_TASK_COMPLETE:
            return (Finish(),)
        case _:
            return (Finish(status="failure"),)


def _pixel(point: Point, size: Size) -> Point:
    """The nearest pixel of the picture."""
    x, y = point[0] * size.width, point[1] * size.height
    return min(max(x, 0.0), size.width - 1.0), min(max(y, 0.0), size.height - 1.0)
