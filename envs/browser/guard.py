"""Keeps every tab, frame and popup on allowed hosts, redirects included.

Documents are stopped before their request leaves, at the level of the whole browser, so there is no moment in
which a new popup is not watched. Scripts, pictures and other parts of an allowed page may come from anywhere.
A document that the browser had fetched ahead (or kept) comes up without a request: therefore what has come up is looked
at as well, and left before anybody sees it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Browser, CDPSession, Error, Frame, Page

from envs.base import ScreenshotError
from envs.browser.errors import first_line
from envs.browser.events import Log
from envs.browser.hosts import reason_blocked

_ATTEMPTS = 5
"""So often a page is left that leads to other hosts again and again, before it is given up."""
_LEAVE_SECONDS = 5.0
_FROM_HOSTS = ("http:", "https:", "file:")
_BLOCKED_PAGE = (
    "data:text/html,<title>blocked</title><p>What was here is not on the list of allowed hosts, and was left."
)


class Guard:
    """Decides by the allow-list `patterns`; without one all is allowed."""

    def __init__(self, log: Log, patterns: tuple[str, ...], allow_files: bool) -> None:
        self._log, self._patterns, self._allow_files = log, patterns, allow_files
        self._session: CDPSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: dict[Frame, asyncio.Task[None]] = {}

    async def install(self, browser: Browser) -> None:
        """Stop requests from now on. Once per browser."""
        if not self._patterns:
            return
        self._session = await browser.new_browser_cdp_session()
        self._session.on("Fetch.requestPaused", self._paused)
        await self._session.send(
            "Fetch.enable",
            {"patterns": [{"urlPattern": "*", "resourceType": "Document", "requestStage": "Request"}]},
        )

    def watch(self, page: Page) -> None:
        """Leave what comes up in the tab, or in a frame of it, from a host that is not allowed."""
        if self._patterns:
            page.on("framenavigated", self._committed)

    def foreign(self, page: Page) -> bool:
        """Does the tab show anything now that is not allowed?"""
        return any(self._reason(frame.url) for frame in page.frames)

    async def clear(self, page: Page) -> None:
        """Wait until nothing that is not allowed is shown. Raises ScreenshotError where that does not come."""
        for _ in range(_ATTEMPTS):
            frames = [frame for frame in page.frames if self._reason(frame.url)]
            if not frames:
                return
            await asyncio.gather(*(self._leave(frame) for frame in frames))
        raise ScreenshotError("the page leads to hosts that are not allowed again and again")

    def _reason(self, url: str) -> str:
        """Why what is shown from `url` may not be; empty where it may, and for the browser's own pages."""
        return self._blocked(url) if self._patterns and url.startswith(_FROM_HOSTS) else ""

    def _blocked(self, url: str) -> str:
        try:
            return reason_blocked(url, self._patterns, self._allow_files)
        except ValueError as error:
            return f"the address cannot be read: {error}"

    def _committed(self, frame: Frame) -> None:
        if self._reason(frame.url):
            self._leave(frame)

    def _leave(self, frame: Frame) -> asyncio.Task[None]:
        """What takes the frame elsewhere; recorded once."""
        task = self._leaving.get(frame)
        if task is None:
            self._log.add("blocked", url=frame.url[:200], reason=self._reason(frame.url))
            task = self._leaving[frame] = asyncio.ensure_future(self._go_away(frame))
            task.add_done_callback(lambda _: self._leaving.pop(frame, None))
        return task

    async def _go_away(self, frame: Frame) -> None:
        try:
            await frame.goto(_BLOCKED_PAGE, wait_until="commit", timeout=_LEAVE_SECONDS * 1000)
        except Error as error:
            # The frame may be gone, or on its way somewhere else, which is looked at in its turn.
            self._log.note(f"leaving a blocked page: {first_line(error)}")

    def _paused(self, event: dict[str, Any]) -> None:
        task = asyncio.ensure_future(self._decide(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _decide(self, event: dict[str, Any]) -> None:
        if self._session is None:
            return
        url = str(event["request"]["url"])
        reason = self._blocked(url)
        if reason:
            self._log.add("blocked", url=url[:200], reason=reason)
        try:
            if reason:
                # Aborted leaves the page as it was; the other reasons put an error page in its place.
                answer = {"requestId": event["requestId"], "errorReason": "Aborted"}
                await self._session.send("Fetch.failRequest", answer)
            else:
                await self._session.send("Fetch.continueRequest", {"requestId": event["requestId"]})
        except Error as error:
            # A request that its page has given up meanwhile cannot be answered any more.
            self._log.note(f"unanswered request: {error}")
