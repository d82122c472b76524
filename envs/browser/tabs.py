"""Which tab is acted on: new ones are followed, closed ones fall back; dialogs and downloads are answered."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Dialog, Download, Error, FileChooser, Page, Request

from envs.base import EnvironmentDied
from envs.browser.downloads import save
from envs.browser.errors import first_line
from envs.browser.events import Log
from envs.browser.guard import Guard
from envs.browser.options import BrowserOptions

DOCUMENTS = frozenset({"document"})
_WAITED_FOR = DOCUMENTS | {"xhr", "fetch"}


class Tabs:
    """The tabs of one context, the one in use last. All methods run on the worker's thread.

    Tabs that showed what is not allowed before this began are a person's own: they are left as they are, and not used.
    """

    def __init__(
        self, context: BrowserContext, options: BrowserOptions, log: Log, downloads: Path, guard: Guard
    ) -> None:
        self._context, self._options, self._log, self._downloads = context, options, log, downloads
        self._guard = guard
        self._stack: list[Page] = []
        self._pending: dict[Request, float] = {}
        self.saving: int = 0
        self.dead: str = ""
        self.closing = False

    async def open(self, browser: Browser) -> None:
        for page in self._context.pages:
            if not self._guard.foreign(page):
                self._add(page)
        self._context.on("page", self._opened)
        self._context.on("close", lambda _: self._died("the browser was closed"))
        browser.on("disconnected", lambda _: self._died("the browser is gone"))
        await self.current()

    async def current(self) -> Page:
        """The tab in use; a blank one where the last was closed. It shows nothing that is not allowed.

        Raises EnvironmentDied, and ScreenshotError where the page cannot be kept on allowed hosts.
        """
        if self.dead:
            raise EnvironmentDied(self.dead)
        while self._stack and self._stack[-1].is_closed():
            self._stack.pop()
        if not self._stack:
            try:
                page = await self._context.new_page()
            except Error as error:
                self._died("the browser is gone")
                raise EnvironmentDied(f"the browser is gone: {first_line(error)}") from error
            if page not in self._stack:
                self._add(page)
        page = self._stack[-1]
        await self._guard.clear(page)
        return page

    async def switch(self, step: int) -> None:
        """Use the tab `step` places further, as a browser's ctrl+tab does; the order is that of opening."""
        current = await self.current()
        pages = [page for page in self._context.pages if page in self._stack and not page.is_closed()]
        target = pages[(pages.index(current) + step) % len(pages)]
        self._stack.remove(target)
        self._stack.append(target)
        await target.bring_to_front()

    def quiet(self, since: float, kinds: frozenset[str] = _WAITED_FOR) -> bool:
        """Has all arrived that was asked for since then (time.monotonic), of these kinds of requests?"""
        if any(began >= since and request.resource_type in kinds for request, began in self._pending.items()):
            return False
        return self.saving == 0 or kinds == DOCUMENTS

    def _add(self, page: Page) -> None:
        self._stack.append(page)
        self._guard.watch(page)
        page.on("close", self._closed)
        page.on("crash", self._crashed)
        page.on("dialog", self._dialog)
        page.on("download", self._download)
        page.on("filechooser", self._file_chooser)
        page.on("request", self._requested)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)

    def _opened(self, page: Page) -> None:
        if page in self._stack:
            return
        first = not self._stack
        self._add(page)
        if not first:
            self._log.add("new_tab", url=page.url[:200])

    def _closed(self, page: Page) -> None:
        self._pending = {request: began for request, began in self._pending.items() if not _of(request, page)}
        if page not in self._stack:
            return
        in_use = page is self._stack[-1]
        self._stack.remove(page)
        if not self.closing and not self.dead:
            self._log.add("tab_closed", url=page.url[:200], in_use=in_use)

    def _crashed(self, page: Page) -> None:
        if self._stack and page is self._stack[-1]:
            self._died("the page crashed")
        elif page in self._stack:
            self._stack.remove(page)
            self._log.add("tab_crashed", url=page.url[:200])

    def _died(self, reason: str) -> None:
        if not self.dead:
            self.dead = reason

    async def _dialog(self, dialog: Dialog) -> None:
        policy = self._options.dialogs
        answer = {
            "alert": policy.alert,
            "beforeunload": policy.beforeunload,
            "confirm": policy.confirm,
            "prompt": policy.prompt,
        }.get(dialog.type, "dismiss")
        self._log.add("dialog", type=dialog.type, message=dialog.message[:500], answer=answer)
        try:
            if answer == "accept":
                await dialog.accept(policy.prompt_text if dialog.type == "prompt" else "")
            else:
                await dialog.dismiss()
        except Error as error:
            # The page may go away with its dialog.
            self._log.note(f"dialog: {first_line(error)}")

    async def _download(self, download: Download) -> None:
        self.saving += 1
        try:
            await save(download, self._downloads, self._log)
        finally:
            self.saving -= 1

    def _file_chooser(self, chooser: FileChooser) -> None:
        self._log.add("file_chooser", multiple=chooser.is_multiple())

    def _requested(self, request: Request) -> None:
        self._pending[request] = time.monotonic()

    def _answered(self, request: Request) -> None:
        self._pending.pop(request, None)


def _of(request: Request, page: Page) -> bool:
    try:
        return request.frame.page is page
    except Error:
        # Requests of workers and of tabs that are not open yet belong to no frame.
        return False
