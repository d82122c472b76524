"""A task with a goal and a verdict, shown in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from envs.actions import Action
from envs.base import Event, Screenshot, Verdict
from envs.browser import Browser


class Hosted:
    """Passes everything on to its browser; what is left for a task is to load itself and to judge.

    `goal` is what the model is told. `close` ends the browser only where `owns_browser`.
    """

    name = "task"

    def __init__(self, browser: Browser, owns_browser: bool = True) -> None:
        self.browser = browser
        self.owns_browser = owns_browser
        self.goal = ""

    @property
    def capabilities(self) -> frozenset[str]:
        return self.browser.capabilities

    def screenshot(self) -> Screenshot:
        return self.browser.screenshot()

    def execute(self, action: Action) -> tuple[Event, ...]:
        return self.browser.execute(action)

    def events(self) -> tuple[Event, ...]:
        return self.browser.events()

    def settle(self) -> float:
        return self.browser.settle()

    def context(self) -> Mapping[str, str]:
        return self.browser.context()

    def describe_target(self, action: Action) -> str:
        return self.browser.describe_target(action)

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        if self.owns_browser:
            self.browser.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
