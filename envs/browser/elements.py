"""Looking at the element under a point or in focus: for approval rules and for choosing in lists."""

from __future__ import annotations

import math
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.async_api import ElementHandle, Error, Frame, Page

from envs.base import ActionFailed
from envs.geometry import Point

_DEEPEST = 8
"""Frames within frames that are followed."""
_MOST_ELEMENTS = 5000
"""Elements of a frame that are looked at to find one of them."""

LONGEST = 200
"""Characters of page text that are passed on: it is written by strangers."""


@cache
def _script() -> str:
    text = (files("envs.browser") / "element.js").read_text(encoding="utf-8")
    return text.partition("\n")[2].strip()


def call(name: str) -> str:
    """JavaScript expression: the function `name` of element.js."""
    return f"(argument) => {_script()}.{name}(argument)"


async def at_point(page: Page, point: Point) -> ElementHandle | None:
    """The innermost element at a point of the tab, through open shadow roots and frames."""
    frame: Frame | None = page.main_frame
    found: ElementHandle | None = None
    x, y = point
    for _ in range(_DEEPEST):
        if frame is None:
            break
        element = (await frame.evaluate_handle(call("at"), [x, y])).as_element()
        if element is None:
            break
        found = element
        frame = await element.content_frame()
        if frame is not None:
            left, top = await element.evaluate(call("inner"))
            x, y = x - left, y - top
    return found


async def in_focus(page: Page) -> ElementHandle | None:
    """The innermost element that keys would go to, or None where that is the page itself."""
    frame: Frame | None = page.main_frame
    found: ElementHandle | None = None
    for _ in range(_DEEPEST):
        if frame is None:
            break
        element = (await frame.evaluate_handle(call("focused"))).as_element()
        if element is None:
            break
        found = element
        frame = await element.content_frame()
    return found


async def takes_text(page: Page) -> bool:
    """Would typed text go into something?"""
    element = await in_focus(page)
    return element is not None and bool(await element.evaluate(call("editable")))


async def options_at(page: Page, point: Point) -> list[str]:
    """Options of the drop-down list at a point, empty where there is none."""
    element = await at_point(page, point)
    found = None if element is None else await element.evaluate(call("list"))
    return [] if found is None else [option["text"] for option in found["options"]]


async def select(page: Page, point: Point, option: str) -> None:
    """Choose the option with this visible text. Raises ActionFailed, naming those that there are."""
    element = await at_point(page, point)
    found = None if element is None else await element.evaluate(call("list"))
    if element is None or found is None:
        raise ActionFailed("there is no drop-down list at this point", "lists that a page draws itself open by click")
    if found["disabled"]:
        raise ActionFailed("the list is disabled")
    index = _match([entry["text"] for entry in found["options"]], option)
    if found["options"][index]["disabled"]:
        raise ActionFailed(f"the option {option!r} is disabled")
    await element.evaluate(f"(start, index) => {_script()}.choose([start, index])", index)


def _match(texts: list[str], option: str) -> int:
    wanted = " ".join(option.split())
    if wanted in texts:
        return texts.index(wanted)
    folded = [text.casefold() for text in texts]
    if wanted.casefold() in folded:
        return folded.index(wanted.casefold())
    listed = ", ".join(repr(text) for text in texts[:20]) + (" …" if len(texts) > 20 else "")
    raise ActionFailed(f"the list has no option {option[:80]!r}; it has {listed}")


async def describe(element: ElementHandle, enter: bool) -> str:
    """The element in words: kind, names, where it leads; with `enter`, what the Enter key would do there."""
    facts: dict[str, Any] = await element.evaluate(call("describe"))
    if not enter:
        return _in_words(facts)
    does = str(await element.evaluate(call("enter")))
    return _with_effect(_names(facts), f"; Enter {does}" if does else "")


def _in_words(facts: dict[str, Any]) -> str:
    effect = ""
    if facts["submits"]:
        effect = f" type=submit, submits to {facts['submits']}"
    elif facts["href"]:
        effect = f" to {facts['href']}"
    return _with_effect(_names(facts), effect)


def _names(facts: dict[str, Any]) -> str:
    return " ".join([facts["kind"], *(f'"{name}"' for name in facts["names"])])


def _with_effect(names: str, effect: str) -> str:
    # What it does must not be pushed out by a long label, so that comes off the names.
    effect = effect[: LONGEST // 2]
    return names[: LONGEST - len(effect)] + effect


async def locate(page: Page, target: str, near: Point) -> Point | None:
    """Where a click would touch what `describe` calls `target`, nearest to a point; both in CSS pixels of the tab.

    Where nothing is called that, something with the same kind and names that leads elsewhere will do.
    """
    found = await _described(page.main_frame, (0.0, 0.0), 0)
    exact = [place for place, facts in found if _in_words(facts) == target]
    alike = [place for place, facts in found if facts["names"] and f"{target} ".startswith(f"{_names(facts)} ")]
    return min(exact or alike, key=lambda place: math.dist(place, near), default=None)


async def _described(frame: Frame, origin: Point, depth: int) -> list[tuple[Point, dict[str, Any]]]:
    """Places in the tab, and the facts of what each would touch in this frame and those inside it."""
    found = [
        ((x + origin[0], y + origin[1]), facts) for x, y, facts in await frame.evaluate(call("all"), _MOST_ELEMENTS)
    ]
    for child in frame.child_frames if depth < _DEEPEST else ():
        with suppress(Error):  # a frame may go away at any time
            left, top = await (await child.frame_element()).evaluate(call("inner"))
            found += await _described(child, (origin[0] + left, origin[1] + top), depth + 1)
    return found
