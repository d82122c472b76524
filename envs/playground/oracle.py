"""The right next action on a playground page, from what the harness knows; for tests and training data."""

from __future__ import annotations

import re
from typing import Any

from envs.actions import Action, Click, Finish, Scroll, Type
from envs.playground.live import Playground

_SCROLL = 3


class Oracle:
    """Solves one page. Keeps what a later step needs, such as the code that is no longer shown."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self._code = ""
        self._focused = ""

    def next(self) -> Action:
        """One step; Finish when the page says that it is over."""
        verdict = self._playground.verdict()
        if verdict.done:
            return Finish(status="success" if verdict.success else "failure")
        elements = self._playground.elements()
        steps = {"click": self._named, "scroll": self._named, "form": self._form, "remember": self._remember}
        return steps[self._playground.page.task](elements)

    def _named(self, elements: list[dict[str, Any]]) -> Action:
        named = re.search(r'"([^"]+)" (\w+)\.$', self._playground.goal)
        if named is None:
            raise LookupError(f"no control is named in {self._playground.goal!r}")
        target = _find(elements, named[1], named[2])
        bottom = self._playground.screenshot().viewport.device.height
        if target["box"][3] > bottom:
            return Scroll(direction="down", amount=_SCROLL)
        return _click(target)

    def _form(self, elements: list[dict[str, Any]]) -> Action:
        goal = self._playground.goal
        for word, value in re.findall(r"(\w+) with (\w+)", goal):
            field = _find(elements, word, "field")
            if field["value"] == value:
                continue
            if self._focused == word:
                return Type(text=value)
            self._focused = word
            return _click(field)
        return _click(_find(elements, goal.rpartition(" ")[2].rstrip("."), "button"))

    def _remember(self, elements: list[dict[str, Any]]) -> Action:
        if not self._code:
            self._code = next(e["word"] for e in elements if e["kind"] == "text")
        options = [e for e in elements if e["word"] == self._code and e["kind"] != "text"]
        return _click(options[0] if options else _find(elements, "Next", "button"))


def _find(elements: list[dict[str, Any]], word: str, kind: str) -> dict[str, Any]:
    for element in elements:
        if (element["word"], element["kind"]) == (word, kind):
            return element
    raise LookupError(f"the page has no {kind} {word!r}")


def _click(element: dict[str, Any]) -> Click:
    x0, y0, x1, y1 = element["box"]
    return Click(x=(x0 + x1) / 2, y=(y0 + y1) / 2)
