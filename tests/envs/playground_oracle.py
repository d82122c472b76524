"""Solves a playground page in a live browser, from what the harness knows."""

from __future__ import annotations

from envs.actions import Action, Click, Finish, Scroll, Type
from envs.playground.live import Playground
from envs.playground.page import SCROLL_CLICKS, SIDE
from envs.playground.solve import Memory, Step, solve


class Oracle:
    """Solves one page."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self._memory = Memory()

    def next(self) -> Action:
        """One step; Finish when the page says that it is over."""
        playground = self._playground
        verdict = playground.verdict()
        if verdict.done:
            return Finish(status="success" if verdict.success else "failure")
        page, height = playground.page, playground.browser.evaluate("innerHeight")
        step, self._memory = solve(page.task, page.goal, playground.elements(), self._memory, height)
        return action_of(step)


def action_of(step: Step) -> Action:
    """The step as an action of a live browser; a scroll is in the middle of the screen."""
    if step.type == "type":
        return Type(text=step.text)
    if step.element is None:
        return Scroll(direction="down", amount=SCROLL_CLICKS, x=SIDE // 2, y=SIDE // 2)
    x0, y0, x1, y1 = step.element["box"]
    return Click(x=(x0 + x1) / 2, y=(y0 + y1) / 2)
