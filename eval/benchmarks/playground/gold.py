"""What is right at a step of the playground."""

from __future__ import annotations

from typing import Literal

from envs.actions import Action, Click, Scroll, Type
from envs.geometry import Size
from eval.benchmarks.base import Gold, Step


class PlaygroundGold(Gold):
    """type: of the action; box: x0, y0, x1, y1 in pixels, right and bottom edge outside; text: to type."""

    type: Literal["click", "type", "scroll"]
    box: tuple[float, float, float, float] | None = None
    text: str = ""


def oracle(step: Step, size: Size) -> tuple[Action, ...]:
    """A click into the middle of the box, the text, or scrolling down. size: of the picture"""
    gold: PlaygroundGold = step.gold
    if gold.box is not None:
        x0, y0, x1, y1 = gold.box
        # Some controls reach below the screen.
        return (Click(x=(x0 + x1) / 2, y=(y0 + min(y1, size.height)) / 2),)
    if gold.type == "type":
        return (Type(text=gold.text),)
    return (Scroll(direction="down", x=size.width / 2, y=size.height / 2),)
