"""A task with a goal and a verdict, shown in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Self

from envs.actions import Action
from envs.base import Environment, Event, Eventful, Locating, Screenshot, Verdict
from envs.browser import Browser
from envs.geometry import Point


class Hosted:
    """Passes everything on to its screen; what is left for a task is to load itself and to judge.

    `goal` is what the model is told. `browser` shows the task and tells how it went. `screen` is what the agent sees
    and acts on: the browser itself, or a desktop or device on which the browser's window is seen. `close` ends the
    browser only where `owns_browser`, and before it all of `resources`.
    """

    name = "task"

    def __init__(
        self,
        browser: Browser,
        owns_browser: bool = True,
        screen: Environment | None = None,
        resources: ExitStack | None = None,
    ) -> None:
        self.browser = browser
        self.owns_browser = owns_browser
        self.screen: Environment = browser if screen is None else screen
        self.goal = ""
        self._resources = resources or ExitStack()

    @property
    def capabilities(self) -> frozenset[str]:
        return self.screen.capabilities

    def screenshot(self) -> Screenshot:
        return self.screen.screenshot()

    def execute(self, action: Action) -> tuple[Event, ...]:
        return self.screen.execute(action)

    def events(self) -> tuple[Event, ...]:
        return self.screen.events() if isinstance(self.screen, Eventful) else ()

    def settle(self) -> float:
        return self.screen.settle()

    def context(self) -> Mapping[str, str]:
        return self.screen.context()

    def describe_target(self, action: Action) -> str:
        return self.screen.describe_target(action)

    def locate(self, target: str, near: Point) -> Point | None:
        return self.screen.locate(target, near) if isinstance(self.screen, Locating) else None

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        try:
            self._resources.close()
        finally:
            if self.owns_browser:
                self.browser.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
