"""Going to addresses, back and forth, and the key chords that a browser's own window answers."""

from __future__ import annotations

from playwright.async_api import Error, Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from envs.base import ActionFailed, Blocked
from envs.browser.errors import is_gone, net_reason
from envs.browser.events import Log
from envs.browser.hosts import reason_blocked
from envs.browser.options import BrowserOptions
from envs.browser.tabs import Tabs
from envs.keys import UnknownKey, canonical


async def goto(page: Page, url: str, seconds: float, log: Log) -> None:
    """Open `url` in the tab. Raises ActionFailed where it does not load, Blocked where it leads elsewhere."""
    blocked_before = len(log.seen("blocked"))
    try:
        await page.goto(url, wait_until="domcontentloaded", timeout=seconds * 1000)
    except PlaywrightTimeout as error:
        raise ActionFailed(f"{url[:120]} did not load within {seconds:g} s") from error
    except Error as error:
        if is_gone(error):
            raise
        blocked = log.seen("blocked")[blocked_before:]
        if blocked:
            raise Blocked(f"{url[:120]} was not opened: {blocked[-1].detail['reason']}") from error
        if "Download is starting" in str(error) or ("ERR_ABORTED" in str(error) and log.seen("download")):
            return
        raise ActionFailed(f"{url[:120]} could not be opened: {net_reason(error)}") from error


async def step(page: Page, forward: bool, options: BrowserOptions) -> None:
    """One entry back or forward in the tab's history. Raises ActionFailed at its end, Blocked where it may not go."""
    seconds = options.load_seconds
    session = await page.context.new_cdp_session(page)
    try:
        history = await session.send("Page.getNavigationHistory")
    finally:
        await session.detach()
    index, entries = history["currentIndex"], history["entries"]
    target = index + (1 if forward else -1)
    # A tab begins with an empty entry that nobody chose.
    if not 0 <= target < len(entries) or (target == 0 and entries[0]["url"] == "about:blank"):
        raise ActionFailed(f"there is no page {'after' if forward else 'before'} this one")
    url = entries[target]["url"]
    reason = reason_blocked(url, options.allow_hosts, options.allow_files) if options.allow_hosts else ""
    if reason:
        raise Blocked(f"{url[:120]} was not opened: {reason}")
    move = page.go_forward if forward else page.go_back
    try:
        await move(wait_until="domcontentloaded", timeout=seconds * 1000)
    except PlaywrightTimeout as error:
        raise ActionFailed(f"the page did not load within {seconds:g} s") from error
    except Error as error:
        if is_gone(error):
            raise
        raise ActionFailed(f"the page could not be opened: {net_reason(error)}") from error


async def run_shortcut(keys: tuple[str, ...], tabs: Tabs, options: BrowserOptions) -> bool:
    """Do what the chord does in a browser window, which keys sent to a page never reach.

    False where it is an ordinary chord for the page.
    """
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
