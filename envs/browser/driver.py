"""`Browser`: a Chromium as an environment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from playwright.async_api import Error, Page

from envs import processes
from envs.actions import Action, KeyDown, Keys, Type, points_of
from envs.base import (
    ActionFailed,
    EnvError,
    EnvironmentDied,
    Event,
    Screenshot,
    ScreenshotError,
    SetupError,
    Verdict,
)
from envs.browser import capture, elements, navigation
from envs.browser.errors import first_line, is_gone
from envs.browser.events import Log
from envs.browser.guard import Guard
from envs.browser.hosts import checked
from envs.browser.keyboard import is_enter
from envs.browser.options import BrowserOptions
from envs.browser.perform import CAPABILITIES, Hands, longest, perform
from envs.browser.start import Starter
from envs.browser.tabs import Tabs
from envs.browser.worker import Worker
from envs.geometry import Point, Viewport

T = TypeVar("T")

_SHOTS = 3


class Browser:
    """A page in Chromium, seen as pictures in CSS pixels and driven by mouse and keyboard.

    Use as a context manager; leaving it ends every process that was started. May be used from any thread, by one
    caller at a time.
    """

    name = "browser"
    capabilities = CAPABILITIES

    def __init__(self, options: BrowserOptions | None = None) -> None:
        """Raises SetupError, and leaves nothing behind then."""
        self.options = options or BrowserOptions()
        self._log = Log()
        self._viewport: Viewport | None = None
        self._acted = time.monotonic()
        self._closed = threading.Event()
        self._worker = Worker("browser")
        self._starter: Starter | None = None
        self._guard = Guard(self._log, self.options.allow_hosts, self.options.allow_files)
        try:
            self._first_page = self._checked_url()
            self._starter = Starter(self.options, self._worker)
            running = self._starter.start()
            self._tabs = Tabs(running.context, self.options, self._log, self._starter.downloads, self._guard)
            self._connection = running.connection
            self._worker.run(self._open(), self.options.load_seconds + self.options.reply_seconds)
        except (Error, TimeoutError) as error:
            self.close()
            raise SetupError(f"the browser did not get ready: {first_line(error)}") from error
        except BaseException:
            self.close()
            raise

    @classmethod
    def launch(cls, options: BrowserOptions | None = None) -> Self:
        """Start (or join) a browser. Raises SetupError."""
        return cls(options)

    def _checked_url(self) -> str:
        if self.options.url is None:
            return "about:blank"
        try:
            return checked(self.options.url, self.options.allow_hosts, self.options.allow_files)
        except EnvError as error:
            raise SetupError(f"first page: {error}") from error

    async def _open(self) -> None:
        await self._tabs.open(self._connection)
        await self._guard.install(self._connection)
        if self.options.url is not None:
            page = await self._tabs.current()
            if self.options.cdp is not None:
                # What the user was looking at stays as it is.
                page = await page.context.new_page()
            try:
                await navigation.goto(page, self._first_page, self.options.load_seconds, self._log)
            except EnvError as error:
                raise SetupError(f"first page: {error}") from error

    def screenshot(self) -> Screenshot:
        async def shot() -> tuple[bytes, Viewport]:
            for _ in range(_SHOTS):
                page = await self._tabs.current()
                taken = await capture.grab(page, self.options)
                # Something else may have come up while the picture was taken.
                if not self._guard.foreign(page):
                    return taken
            raise ScreenshotError("the page leads to hosts that are not allowed again and again")

        data, viewport = self._run(shot(), 2 * self.options.reply_seconds, ScreenshotError)
        picture = capture.decode(data, viewport)
        self._viewport = viewport
        return picture

    def execute(self, action: Action) -> tuple[Event, ...]:
        """Do the action in the pixels of the last screenshot; returns what happened since the last call."""
        if self._viewport is None:
            self.screenshot()
        if self._viewport is None:
            raise ScreenshotError("there is no picture to act on")
        hands = Hands(self._tabs, self.options, self._log, self._viewport, self._first_page)
        self._acted = time.monotonic()
        try:
            self._run(perform(hands, action), longest(action, self.options), ActionFailed)
        except _TabClosed:
            # The action itself closed its tab; the event says so.
            return self.events()
        self._check()
        return self.events()

    def events(self) -> tuple[Event, ...]:
        """What happened beside the actions and nobody was told of yet, such as while waiting in `settle`."""
        return self._log.take()

    def settle(self) -> float:
        start = time.monotonic()
        limit = self.options.stable_seconds + self.options.reply_seconds
        self._run(capture.settle(self._tabs, self.options, self._acted), limit, ScreenshotError)
        self._check()
        return time.monotonic() - start

    def context(self) -> Mapping[str, str]:
        async def facts() -> tuple[str, str]:
            page = await self._tabs.current()
            return page.url, await page.title()

        url, title = self._run(facts(), self.options.reply_seconds, ScreenshotError)
        return {"url": url, "host": urlsplit(url).hostname or "", "title": title[: elements.LONGEST]}

    def describe_target(self, action: Action) -> str:
        return self._run(self._describe(action), self.options.reply_seconds, ActionFailed)

    async def _describe(self, action: Action) -> str:
        page = await self._tabs.current()
        if isinstance(action, Type | Keys | KeyDown):
            enters = isinstance(action, Type) and (action.submit or "\n" in action.text)
            pressed = action.keys if isinstance(action, Keys) else (action.key,) if isinstance(action, KeyDown) else ()
            element = await elements.in_focus(page)
            enter = enters or any(is_enter(key) for key in pressed)
            return "" if element is None else await elements.describe(element, enter)
        points = points_of(action)
        found = []
        for point in dict.fromkeys((points[0], points[-1]) if points else ()):
            device = self._viewport.to_device(point) if self._viewport else point
            element = await elements.at_point(page, device)
            if element is not None:
                found.append(await elements.describe(element, enter=False))
        return " → ".join(found)[: elements.LONGEST]

    def locate(self, target: str, near: Point) -> Point | None:
        """As in `envs.base.Locating`, through open shadow roots and frames."""
        viewport = self._viewport
        if viewport is None or not target:
            return None

        async def find() -> Point | None:
            page = await self._tabs.current()
            found = await elements.locate(page, target, viewport.to_device(near))
            return None if found is None else viewport.to_screenshot(found)

        return self._run(find(), self.options.reply_seconds, ActionFailed)

    def verdict(self) -> Verdict | None:
        return None

    def evaluate(self, script: str, argument: object = None) -> Any:
        """Result of a harness's own JavaScript in the tab in use; never for anything that a model wrote."""

        async def run() -> Any:
            return await (await self._tabs.current()).evaluate(script, argument)

        return self._run(run(), self.options.reply_seconds, ActionFailed)

    def with_tab(self, use: Callable[[Page], Coroutine[Any, Any, T]], seconds: float) -> T:
        """Result of a harness's coroutine on playwright's (async) page of the tab in use."""

        async def run() -> T:
            return await use(await self._tabs.current())

        return self._run(run(), seconds, ActionFailed)

    def close(self) -> None:
        """End everything that was started; may be called again, and from another thread."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._starter is None:
            self._worker.stop()
            return
        tabs = getattr(self, "_tabs", None)
        if tabs is not None:
            tabs.closing = True
        self._starter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _check(self) -> None:
        if self._closed.is_set():
            raise EnvironmentDied("the browser has been closed")
        if self._tabs.dead:
            raise EnvironmentDied(self._tabs.dead)

    def _run(self, coroutine: Coroutine[Any, Any, T], seconds: float, failure: type[EnvError]) -> T:
        """Result of the coroutine; what goes wrong becomes `failure`, or EnvironmentDied where nothing can go on."""
        try:
            self._check()
        except EnvironmentDied:
            coroutine.close()
            raise
        try:
            return self._worker.run(coroutine, seconds)
        except TimeoutError as error:
            self._check()
            raise failure(f"the page did not answer within {seconds:g} s") from error
        except Error as error:
            if not is_gone(error):
                self._check()
                raise failure(first_line(error)) from error
            # The news that the browser died may come after the call that failed of it.
            deadline = time.monotonic() + 1.0
            while time.monotonic() < deadline:
                self._check()
                if self._connection_lost():
                    raise EnvironmentDied("the browser is gone") from error
                time.sleep(0.02)
            raise _TabClosed("the tab was closed meanwhile") from error

    def _connection_lost(self) -> bool:
        return not self._connection.is_connected() or not processes.alive(self._worker.started)


class _TabClosed(ScreenshotError):
    """The tab went away while it was used; the next call uses another."""
