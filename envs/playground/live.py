"""A playground page in a live browser."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Self

from playwright.async_api import Page as Tab
from playwright.async_api import Route

from envs.base import Environment, SetupError, Verdict
from envs.browser import Browser, BrowserOptions
from envs.browser_task import Hosted
from envs.playground.page import SIDE, WHEEL_PIXELS
from envs.playground.tasks import TASKS, make_page

HOST = "playground.test"
"""A name that no network knows; requests for it are answered here."""

_URL = f"http://{HOST}/"
_LOAD_SECONDS = 60.0


class Playground(Hosted):
    """One task at a time; `load` shows another in the same browser."""

    name = "playground"

    def __init__(
        self,
        browser: Browser,
        owns_browser: bool = True,
        screen: Environment | None = None,
        resources: ExitStack | None = None,
    ) -> None:
        super().__init__(browser, owns_browser, screen, resources)
        self.page = make_page("click", 0)

    @classmethod
    def launch(
        cls,
        task: str,
        seed: int,
        viewport: tuple[int, int] = (SIDE, SIDE),
        options: BrowserOptions | None = None,
        browser: Browser | None = None,
    ) -> Self:
        """Show a page, in `browser` where one is given (it is not closed then). Raises SetupError.

        Of `options`, the address, the viewport and the allow-list are set here.
        """
        if task not in TASKS:
            raise SetupError(f"there is no playground task {task!r}", f"one of {', '.join(sorted(TASKS))}")
        if browser is not None:
            playground = cls(browser, owns_browser=False)
        else:
            base = options or BrowserOptions(wheel_pixels=WHEEL_PIXELS)
            playground = cls(Browser.launch(replace(base, url=None, viewport=viewport, allow_hosts=(HOST,))))
        try:
            playground.load(task, seed)
        except BaseException:
            playground.close()
            raise
        return playground

    def load(self, task: str, seed: int) -> None:
        """Show another page from its beginning. Raises SetupError where there is no such task."""
        if task not in TASKS:
            raise SetupError(f"there is no playground task {task!r}", f"one of {', '.join(sorted(TASKS))}")
        page = make_page(task, seed)
        self.page, self.goal = page, page.goal

        async def answer(route: Route) -> None:
            await route.fulfill(status=200, content_type="text/html; charset=utf-8", body=page.html)

        async def show(tab: Tab) -> None:
            pattern = f"{_URL}**"
            await tab.context.unroute(pattern)
            await tab.context.route(pattern, answer)
            await tab.goto(_URL, wait_until="load")

        self.browser.with_tab(show, _LOAD_SECONDS)
        self.screen.settle()
        self.events()
        self.screen.screenshot()

    def verdict(self) -> Verdict:
        """From the page's hidden flag; not done while the browser shows something else."""
        flags = self.browser.evaluate("(name) => window[name] ? window[name].verdict() : null", self.page.harness)
        return Verdict(False) if flags is None else Verdict(bool(flags["done"]), bool(flags["success"]))

    def elements(self) -> list[dict[str, Any]]:
        """Controls (and codes) of the screen: word, kind, box and text_box as [x0, y0, x1, y1] in CSS pixels.

        For training and tests; a model never gets them. Fields have their `value`. What is scrolled out of
        sight has a box outside the screen; what a dialog covers is left out.
        """
        return list(self.browser.evaluate("(name) => window[name] ? window[name].elements() : []", self.page.harness))


def open_page(task: str = "click", seed: int = 0) -> Playground:
    """A page of the playground in a Chromium of its own. Raises SetupError."""
    return Playground.launch(task, seed)
