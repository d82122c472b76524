"""The right next step on a playground page, from its goal, what is on it, and a little memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from envs.playground.page import SIDE
from envs.playground.tasks.dialog import CONFIRMING, DISMISSING

Element = dict[str, Any]
"""Of a page's harness: word, kind, box, text_box and, for a field, value."""


@dataclass(frozen=True)
class Memory:
    """What a later step needs: codes that were shown and are to be chosen, and the field that was clicked last."""

    codes: tuple[str, ...] = ()
    field: str = ""


@dataclass(frozen=True)
class Step:
    """A click on `element`, `text` typed into the field `element`, or a scroll down."""

    type: Literal["click", "type", "scroll"]
    element: Element | None = None
    text: str = ""


def solve(
    task: str, goal: str, elements: Sequence[Element], memory: Memory, height: float = SIDE
) -> tuple[Step, Memory]:
    """The step and what to remember. `height` of the screen is in CSS pixels.

    Raises LookupError where the page has not what the goal asks for.
    """
    if task.startswith("form"):
        return _form(goal, elements, memory)
    if task == "order" or task.startswith("remember"):
        return _recall(elements, memory)
    if task == "dialog":
        answers = CONFIRMING if goal.startswith("Confirm") else DISMISSING
        for element in elements:
            if element["word"] in answers:
                return Step("click", element), memory
    return _named(goal, elements, height), memory


def _named(goal: str, elements: Sequence[Element], height: float) -> Step:
    named = re.search(r'"([^"]+)" (\w+)\.$', goal)
    if named is None:
        raise LookupError(f"no control is named in {goal!r}")
    target = _find(elements, named[1], named[2])
    return Step("scroll") if target["box"][3] > height else Step("click", target)


def _form(goal: str, elements: Sequence[Element], memory: Memory) -> tuple[Step, Memory]:
    for word, value in re.findall(r"(\w+) with (\w+)", goal):
        field = _find(elements, word, "field")
        if field["value"] == value:
            continue
        if memory.field == word:
            return Step("type", field, value), memory
        return Step("click", field), Memory(field=word)
    return Step("click", _find(elements, goal.rpartition(" ")[2].rstrip("."), "button")), memory


def _recall(elements: Sequence[Element], memory: Memory) -> tuple[Step, Memory]:
    codes = memory.codes or tuple(element["word"] for element in elements if element["kind"] == "text")
    for element in elements:
        if element["word"] == codes[0] and element["kind"] != "text":
            return Step("click", element), Memory(codes[1:])
    return Step("click", _find(elements, "Next", "button")), Memory(codes)


def _find(elements: Sequence[Element], word: str, kind: str) -> Element:
    for element in elements:
        if (element["word"], element["kind"]) == (word, kind):
            return element
    raise LookupError(f"the page has no {kind} {word!r}")
