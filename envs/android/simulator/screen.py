"""The phone's screen: a Chromium window that fills its part of an X server."""

from __future__ import annotations

import time
from typing import Any

from PIL import Image
from playwright.async_api import CDPSession, Error, Page

from envs.android.simulator.options import DENSITY_OF_ONE, PhoneOptions
from envs.android.simulator.x_screen import XScreen
from envs.base import ActionFailed, EnvironmentDied, SetupError
from envs.browser import Browser, BrowserOptions

SMALLEST_BUFFER = 2560
"""Pixels each way that there are for other sizes of the screen."""
_WAIT_SECONDS = 60.0
_CALL_SECONDS = 60.0
_FOCUSED = """() => {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return !!found && (found.isContentEditable || found.matches("input, textarea, iframe"));
}"""
_DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Ends when the page has been drawn once more."""


class Screen:
    """Shows one page at a time. Raises SetupError when a program is missing, EnvironmentDied when one is gone."""

    def __init__(self, options: PhoneOptions) -> None:
        self.size, self.density = options.size, options.density
        self._sessions: list[CDPSession] = []
        self._browser: Browser | None = None
        self.x_screen = XScreen(max(SMALLEST_BUFFER, *options.size))
        try:
            self._open("about:blank")
        except BaseException:
            self.close()
            raise

    @property
    def browser(self) -> Browser:
        if self._browser is None:
            raise EnvironmentDied("the phone's screen has been closed")
        return self._browser

    @property
    def url(self) -> str:
        async def read(page: Page) -> str:
            return page.url

        return self.browser.with_tab(read, _CALL_SECONDS)

    def goto(self, url: str) -> None:
        async def go(page: Page) -> None:
            # What comes from the network may take its time, as on any phone.
            await page.goto(url, wait_until="load" if url.startswith("file:") else "commit")

        self.browser.with_tab(go, _CALL_SECONDS)

    def back(self) -> str | None:
        """URL of the page before this one, or None where there is none; `step_back` goes there."""
        entries, index = self._history()
        return entries[index - 1]["url"] if index > 0 else None

    def step_back(self) -> None:
        entries, index = self._history()
        if index > 0:
            self._send("Page.navigateToHistoryEntry", {"entryId": entries[index - 1]["id"]})

    def close_tab(self) -> bool:
        """Close the tab in use; False, and nothing closed, where it is the only one."""

        async def close(page: Page) -> bool:
            alone = len(page.context.pages) == 1
            if not alone:
                await page.close()
            return not alone

        return self.browser.with_tab(close, _CALL_SECONDS)

    def close_other_tabs(self) -> None:
        """Leave only the tab in use."""

        async def close(page: Page) -> None:
            for other in page.context.pages:
                if other is not page:
                    await other.close()

        self.browser.with_tab(close, _CALL_SECONDS)

    def focused(self) -> bool:
        """Is there a field with the focus that takes text?"""
        try:
            return bool(self.browser.evaluate(_FOCUSED))
        except ActionFailed:
            # One page is just making room for the next.
            return False

    def picture(self) -> Image.Image:
        """What the screen shows, RGB."""
        return self.x_screen.picture(self.size)

    def resize(self, size: tuple[int, int]) -> None:
        """Turn or resize the screen; the page stays. Each side is at most that of the X server."""
        if size != self.size:
            self.size = size
            self._fit()

    def rescale(self, density: int) -> None:
        """Show everything at another density. The page is loaded again, as Android starts its activities again."""
        if density != self.density:
            url = self.url
            self.density = density
            self._close_browser()
            self._open(url)

    def close(self) -> None:
        try:
            self._close_browser()
        finally:
            self.x_screen.close()

    def _open(self, url: str) -> None:
        scale = self.density / DENSITY_OF_ONE
        viewport = round(self.size[0] / scale), round(self.size[1] / scale)
        self._browser = Browser.launch(
            BrowserOptions(
                kiosk=True,
                display=self.x_screen.display,
                headless=False,
                touch=True,
                scale=scale,
                viewport=viewport,
                allow_files=True,
            )
        )
        self.browser.with_tab(self._follow, _CALL_SECONDS)
        self._fit()
        if url != "about:blank":
            self.goto(url)
            # A picture is only to be had of what has been drawn.
            self.browser.screenshot()

    def _close_browser(self) -> None:
        self._sessions.clear()
        browser, self._browser = self._browser, None
        if browser is not None:
            browser.close()

    async def _follow(self, page: Page) -> None:
        """Make this tab and all later ones touch screens."""
        await self._touchable(page)
        page.context.on("page", self._fill)

    async def _fill(self, page: Page) -> None:
        """A later tab comes in a window with tabs and an address bar, unless it fills the screen."""
        try:
            session = await self._touchable(page)
            window = await session.send("Browser.getWindowForTarget")
            bounds = {"windowId": window["windowId"], "bounds": {"windowState": "fullscreen"}}
            await session.send("Browser.setWindowBounds", bounds)
        except Error:
            # It may be gone again already.
            return
        self.x_screen.fill(self.size)

    async def _touchable(self, page: Page) -> CDPSession:
        session = await page.context.new_cdp_session(page)
        # What is set here holds as long as the session does.
        self._sessions.append(session)
        await session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
        await session.send("Emulation.setEmitTouchEventsForMouse", {"enabled": True, "configuration": "mobile"})
        await session.send("Emulation.setScrollbarsHidden", {"hidden": True})
        return session

    def _fit(self) -> None:
        """Wait until the page has the screen's size."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            self.x_screen.fill(self.size)
            try:
                if self._filled():
                    self.browser.evaluate(_DRAWN)
                    return
            except ActionFailed:
                # A page that is just loading is asked again.
                continue
            time.sleep(0.02)
        raise SetupError("the phone's window did not become {}x{}".format(*self.size))

    def _filled(self) -> bool:
        scale = self.density / DENSITY_OF_ONE
        inner = self.browser.evaluate("[innerWidth, innerHeight]")
        return all(abs(css * scale - side) <= 2 * scale for css, side in zip(inner, self.size, strict=True))

    def _history(self) -> tuple[list[dict[str, Any]], int]:
        found = self._send("Page.getNavigationHistory", {})
        return found["entries"], found["currentIndex"]

    def _send(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        async def send(page: Page) -> dict[str, Any]:
            session = await page.context.new_cdp_session(page)
            try:
                answer: dict[str, Any] = await session.send(method, arguments)
            finally:
                await session.detach()
            return answer

        return self.browser.with_tab(send, _CALL_SECONDS)
