"""Keeps every tab, frame and popup on allowed hosts, redirects included.

Documents are stopped before their request leaves, at the level of the whole browser, so there is no moment in
which a new popup is not watched. Scripts, pictures and other parts of an allowed page may come from anywhere.
"""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Browser, CDPSession, Error

from envs.browser.events import Log
from envs.browser.hosts import reason_blocked


class Guard:
    """Installed once per browser when there is an allow-list."""

    def __init__(self, log: Log, patterns: tuple[str, ...], allow_files: bool) -> None:
        self._log, self._patterns, self._allow_files = log, patterns, allow_files
        self._session: CDPSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def install(self, browser: Browser) -> None:
        self._session = await browser.new_browser_cdp_session()
        self._session.on("Fetch.requestPaused", self._paused)
        await self._session.send(
            "Fetch.enable",
            {"patterns": [{"urlPattern": "*", "resourceType": "Document", "requestStage": "Request"}]},
        )

    def _paused(self, event: dict[str, Any]) -> None:
        task = asyncio.ensure_future(self._decide(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _decide(self, event: dict[str, Any]) -> None:
        if self._session is None:
            return
        url = str(event["request"]["url"])
        try:
            reason = reason_blocked(url, self._patterns, self._allow_files)
        except ValueError as error:
            reason = f"the address cannot be read: {error}"
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
