"""Each action of a model, done in the tab in use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import CDPSession, Page

from envs import actions as a
from envs.base import UnsupportedAction, input_point
from envs.browser import elements, keyboard, mouse, navigation
from envs.browser.events import Log
from envs.browser.hosts import checked
from envs.browser.options import BrowserOptions
from envs.browser.tabs import Tabs
from envs.geometry import Viewport

CAPABILITIES = frozenset(
    {
        "click", "drag", "move", "scroll", "type", "keys", "key_down", "key_up", "long_press", "swipe",
        "navigate", "back", "forward", "select", "wait", "system_button",
    }
)  # fmt: skip

_PER_CHARACTER = 0.05


@dataclass(frozen=True)
class Hands:
    """What acting needs: the tabs, the options, where events go, and the viewport of the picture the model saw."""

    tabs: Tabs
    options: BrowserOptions
    log: Log
    viewport: Viewport
    first_page: str


def longest(action: a.Action, options: BrowserOptions) -> float:
    """Seconds after which an action counts as failed."""
    own = float(getattr(action, "seconds", 0.0))
    if isinstance(action, a.Type):
        own = len(action.text) * _PER_CHARACTER
    elif isinstance(action, a.Navigate | a.Back | a.Forward | a.SystemButton | a.Keys):
        own = options.load_seconds
    return own + options.reply_seconds


async def perform(hands: Hands, action: a.Action) -> None:
    """Do it. Raises UnsupportedAction, ActionFailed or Blocked, or playwright's Error."""
    if action.type not in CAPABILITIES:
        raise UnsupportedAction(f"a browser cannot do {action.type!r}")
    page = await hands.tabs.current()
    match action:
        case a.Wait():
            await asyncio.sleep(action.seconds)
        case a.Type():
            await _type(hands, page, action)
        case a.Keys():
            if not await navigation.run_shortcut(action.keys, hands.tabs, hands.options):
                await keyboard.press(page, action.keys)
        case a.KeyDown():
            await page.keyboard.down(keyboard.playwright_name(action.key))
        case a.KeyUp():
            await page.keyboard.up(keyboard.playwright_name(action.key))
        case a.Navigate():
            await _navigate(hands, page, action.url)
        case a.Back():
            await navigation.step(page, False, hands.options)
        case a.Forward():
            await navigation.step(page, True, hands.options)
        case a.SystemButton():
            await _system_button(hands, page, action)
        case _:
            await _pointer(hands, page, action)


async def _pointer(hands: Hands, page: Page, action: a.Action) -> None:
    points = [input_point(hands.viewport, point) for point in a.points_of(action)]
    match action:
        case a.Click():
            listed = await elements.options_at(page, points[0])
            await page.mouse.click(*points[0], button=action.button, click_count=action.count)
            if listed:
                # An open list is drawn by the system, outside every screenshot.
                hands.log.add("list", options=listed[:50], hint="use select; an open list is not in the picture")
        case a.Move():
            await page.mouse.move(*points[0])
        case a.Drag():
            await mouse.drag(page, points)
        case a.Scroll():
            middle = (hands.viewport.device.width / 2, hands.viewport.device.height / 2)
            at = points[0] if points else middle
            await mouse.scroll(page, at, action.direction, action.amount * hands.options.wheel_pixels)
        case a.Select():
            await elements.select(page, points[0], action.option)
        case a.LongPress() if hands.options.touch:
            async with _fingers(page) as session:
                await mouse.touch_hold(session, points[0], action.seconds)
        case a.LongPress():
            await mouse.hold(page, points[0], action.seconds)
        case a.Swipe() if hands.options.touch:
            async with _fingers(page) as session:
                await mouse.touch_swipe(session, points[0], points[1], action.seconds)
        case a.Swipe():
            await mouse.drag(page, points, action.seconds)


@asynccontextmanager
async def _fingers(page: Page) -> AsyncIterator[CDPSession]:
    session = await page.context.new_cdp_session(page)
    try:
        yield session
    finally:
        await session.detach()


async def _type(hands: Hands, page: Page, action: a.Type) -> None:
    if not await elements.takes_text(page):
        # Pages may listen to keys without a field, so it is done all the same.
        hands.log.add("no_focus", hint="nothing that takes text had the focus")
    await keyboard.type_text(page, action.text, action.submit)


async def _navigate(hands: Hands, page: Page, url: str) -> None:
    target = checked(url, hands.options.allow_hosts, hands.options.allow_files)
    await navigation.goto(page, target, hands.options.load_seconds, hands.log)


async def _system_button(hands: Hands, page: Page, action: a.SystemButton) -> None:
    if action.button == "back":
        await navigation.step(page, False, hands.options)
    elif action.button == "home":
        await navigation.goto(page, hands.first_page, hands.options.load_seconds, hands.log)
    elif action.button == "enter":
        await page.keyboard.press("Enter")
    else:
        raise UnsupportedAction(f"a browser has no {action.button} button")
