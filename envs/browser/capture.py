"""Pictures of a tab, and waiting until they stop changing."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Literal

from PIL import Image
from playwright.async_api import Error, FloatRect, Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from envs.base import EnvironmentDied, Screenshot, ScreenshotError
from envs.browser.options import BrowserOptions
from envs.browser.tabs import DOCUMENTS, Tabs
from envs.geometry import Size, Viewport
from envs.pictures import PictureError, read_picture

_SCRIPTS_SECONDS = 1.5
"""Longest wait for what a page's scripts fetch after an action; many pages have a request open for ever."""


async def page_size(page: Page) -> Size:
    """Size of the visible part of the tab, in CSS pixels. Raises ScreenshotError where nothing is visible."""
    told = page.viewport_size
    if told is None:
        width, height = await page.evaluate("[innerWidth, innerHeight]")
    else:
        width, height = told["width"], told["height"]
    if width < 1 or height < 1:
        raise ScreenshotError(f"the tab is {width}x{height} pixels, so there is nothing to see")
    return Size(int(width), int(height))


async def grab(page: Page, options: BrowserOptions) -> tuple[bytes, Viewport]:
    """PNG of the tab (or the region asked for), and how its pixels lie in the tab."""
    size = await page_size(page)
    if options.region is not None:
        size = Size(min(options.region[0], size.width), min(options.region[1], size.height))
    data = await _picture(page, options, size, options.reply_seconds, "png")
    return data, Viewport(Size(size.width * options.zoom, size.height * options.zoom), size)


async def _picture(
    page: Page, options: BrowserOptions, size: Size, seconds: float, kind: Literal["png", "jpeg"]
) -> bytes:
    clip: FloatRect | None = None
    if options.region is not None:
        clip = {"x": 0, "y": 0, "width": size.width, "height": size.height}
    end = time.monotonic() + seconds / 2
    try:
        while True:
            try:
                return await page.screenshot(
                    type=kind,
                    quality=30 if kind == "jpeg" else None,
                    clip=clip,
                    scale="device" if options.zoom > 1 else "css",
                    animations="allow",
                    timeout=seconds * 1000 / 2,
                )
            except Error as error:
                # A tab that has only just been opened or resized has nothing to show for a moment.
                if "Unable to capture" not in str(error) or time.monotonic() > end:
                    raise
                await asyncio.sleep(0.1)
    except PlaywrightTimeout:
        if options.region is not None:
            raise
        # playwright waits for the page's fonts, which may never come; the browser itself does not.
        return await _raw(page, seconds / 2)


async def _raw(page: Page, seconds: float) -> bytes:
    session = await page.context.new_cdp_session(page)
    try:
        shot = await asyncio.wait_for(session.send("Page.captureScreenshot", {"format": "png"}), seconds)
    finally:
        await session.detach()
    return base64.b64decode(shot["data"])


def decode(data: bytes, viewport: Viewport) -> Screenshot:
    """RGB picture of the viewport's size; browsers joined from outside may answer in device pixels."""
    try:
        image = read_picture(data)
    except (OSError, PictureError) as error:
        raise ScreenshotError(f"the browser's picture {error}") from error
    wanted = (viewport.screenshot.width, viewport.screenshot.height)
    if image.size != wanted:
        image = image.resize(wanted, Image.Resampling.LANCZOS)
    return Screenshot(image, viewport)


async def settle(tabs: Tabs, options: BrowserOptions, since: float) -> None:
    """Wait until no document is on its way and two pictures in a row are equal, at most `stable_seconds`.

    `since` (time.monotonic) is when the last action began: what was under way before it is not waited for.
    """
    start = time.monotonic()
    end = start + options.stable_seconds
    await asyncio.sleep(min(0.05, options.stable_seconds))
    await _until(lambda: bool(tabs.dead) or tabs.quiet(since), min(end, start + _SCRIPTS_SECONDS))
    await _until(lambda: bool(tabs.dead) or tabs.quiet(since, DOCUMENTS), end)
    last = b""
    while time.monotonic() < end and not tabs.dead:
        now = await _glance(tabs, options, max(end - time.monotonic(), 0.05))
        if now and now == last:
            return
        last = now
        await asyncio.sleep(0.03)


async def _glance(tabs: Tabs, options: BrowserOptions, seconds: float) -> bytes:
    """A cheap picture, or nothing where none can be taken now, as in the middle of a navigation."""
    try:
        page = await tabs.current()
        return await _picture(page, options, await page_size(page), seconds, "jpeg")
    except (Error, ScreenshotError, EnvironmentDied, TimeoutError):
        return b""


async def _until(ready: Callable[[], bool], end: float) -> None:
    while time.monotonic() < end and not ready():
        await asyncio.sleep(0.02)
