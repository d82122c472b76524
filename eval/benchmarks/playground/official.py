"""The playground's own rule: a step is right when the answer is exactly one action and that one."""

from __future__ import annotations

from collections.abc import Sequence

from envs.actions import Action, Click, Scroll, Type
from eval.benchmarks.playground.gold import PlaygroundGold


def official(gold: PlaygroundGold, answer: Sequence[Action]) -> dict[str, float]:
    """`official`, 1 or 0."""
    return {"official": float(len(answer) == 1 and matches(answer[0], gold))}


def matches(action: Action, gold: PlaygroundGold) -> bool:
    """A single left click into the box, the very text without Enter, or scrolling down."""
    match action:
        case Click(x=x, y=y, button="left", count=1) if gold.box is not None:
            x0, y0, x1, y1 = gold.box
            return x0 <= x < x1 and y0 <= y < y1
        case Type(text=text, submit=False):
            return gold.type == "type" and text == gold.text
        case Scroll(direction="down"):
            return gold.type == "scroll"
        case _:
            return False
