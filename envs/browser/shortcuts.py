"""Key chords that a browser's own window answers, which keys sent to a page never reach."""

from __future__ import annotations

from playwright.async_api import Error

from envs.base import ActionFailed
from envs.browser.errors import is_gone, net_reason
from envs.browser.navigation import step
from envs.browser.options import BrowserOptions
from envs.browser.tabs import Tabs
from envs.keys import UnknownKey, canonical


async def run_shortcut(keys: tuple[str, ...], tabs: Tabs, options: BrowserOptions) -> bool:
    """Do what the chord does in a browser window; false where it is an ordinary chord for the page."""
    try:
        chord = frozenset(canonical(key).lower() for key in keys)
    except UnknownKey:
        return False
    page = await tabs.current()
    if chord in ({"f5"}, {"ctrl", "r"}, {"ctrl", "f5"}, {"ctrl", "shift", "r"}):
        try:
            await page.reload(wait_until="domcontentloaded", timeout=options.load_seconds * 1000)
        except Error as error:
            if is_gone(error):
                raise
            raise ActionFailed(f"the page could not be loaded again: {net_reason(error)}") from error
    elif chord in ({"alt", "left"}, {"alt", "right"}):
        await step(page, "right" in chord, options)
    elif chord == {"ctrl", "tab"}:
        await tabs.switch(1)
    elif chord in ({"ctrl", "shift", "tab"}, {"ctrl", "pageup"}):
        await tabs.switch(-1)
    elif chord == {"ctrl", "pagedown"}:
        await tabs.switch(1)
    elif chord in ({"ctrl", "w"}, {"ctrl", "f4"}):
        await page.close()
    elif chord == {"ctrl", "t"}:
        await page.context.new_page()
    elif chord in ({"ctrl", "l"}, {"alt", "d"}, {"f6"}):
        raise ActionFailed("there is no address bar on this screen", "the navigate action opens an address")
    else:
        return False
    return True
