"""What was done at a step, which stands for what is right."""

from __future__ import annotations

from typing import Literal

from envs.actions import Action, Back, Click, Finish, Navigate, Scroll, Type, Wait
from envs.geometry import Size
from eval.benchmarks.base import Gold, Step

GOOGLE = "https://www.google.com/"
PAUSE = 5.0
"""Seconds that WebVoyager waits."""
Verb = Literal["click", "type", "scroll", "wait", "goback", "google", "answer"]


class WebGold(Gold):
    """What was done. label: number of the element, None for the window; where it lies is not recorded.

    direction: of a scroll, the side of which more is shown; text: typed or answered
    """

    action: Verb
    label: int | None = None
    direction: Literal["up", "down"] | None = None
    text: str = ""


def oracle(step: Step, size: Size) -> tuple[Action, ...]:
    """The recorded action; where only a label says the place, the middle of the picture."""
    gold: WebGold = step.gold
    x, y = size.width / 2, size.height / 2
    match gold.action:
        case "click":
            return (Click(x=x, y=y),)
        case "type":
            return (Type(text=gold.text, submit=True),)
        case "scroll":
            return (Scroll(direction=gold.direction or "down", x=x, y=y),)
        case "wait":
            return (Wait(seconds=PAUSE),)
        case "goback":
            return (Back(),)
        case "google":
            return (Navigate(url=GOOGLE),)
        case _:
            return (Finish(message=gold.text),)
