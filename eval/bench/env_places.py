"""Where `guikv bench env` measures: the same page in each kind of environment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

from envs.base import Environment, SetupError
from eval.options import chosen

if TYPE_CHECKING:
    from envs.browser import Browser

SCREEN = (1280, 800)
"""Pixels of the browser's page and of the desktop."""

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Bench</title>
<meta name="viewport" content="width=device-width">
<style>
html { font: 16px sans-serif; }
body { margin: 0; height: 100vh; display: flex; flex-direction: column; }
textarea { flex: 1; margin: 0; border: 0; font: inherit; background: #eef; }
div { flex: 1; overflow: auto; }
p { margin: 8px; }
p:nth-child(odd) { background: #fe8; }
</style></head><body><textarea autofocus></textarea><output>0</output><div></div><script>
const lines = document.querySelector("div"), count = document.querySelector("output");
for (let n = 1; n <= 200; n++) lines.append(Object.assign(document.createElement("p"), {textContent: `line ${n}`}));
// Every picture is new, or it would not be encoded again.
for (const kind of ["pointerdown", "keydown", "input", "scroll"])
  addEventListener(kind, () => { count.textContent = Number(count.textContent) + 1; }, {capture: true});
</script></body></html>"""

_AREA = (0xEE, 0xEE, 0xFF)
"""The text area's colour."""
_LOAD_SECONDS = 60.0
_DRAWN_SECONDS = 120.0
_POLL_SECONDS = 0.05


def show(browser: Browser) -> None:
    """Put the page into the browser's tab."""
    from playwright.async_api import Page

    async def put(tab: Page) -> None:
        await tab.set_content(PAGE)

    browser.with_tab(put, _LOAD_SECONDS)


def wait_shown(place: Environment) -> None:
    """Until the picture is of the page: a window is there before it has drawn itself. Raises SetupError."""
    end = time.monotonic() + _DRAWN_SECONDS
    while time.monotonic() < end:
        image = place.screenshot().image
        if image.getpixel((image.width // 2, image.height // 4)) == _AREA:
            place.settle()
            return
        time.sleep(_POLL_SECONDS)
    raise SetupError(f"the page was not on the screen within {_DRAWN_SECONDS:g} s")


@contextmanager
def browser() -> Iterator[Environment]:
    """A tab of a Chromium."""
    from envs.browser import Browser, BrowserOptions

    with Browser.launch(BrowserOptions(viewport=SCREEN)) as page:
        show(page)
        wait_shown(page)
        yield page


@contextmanager
def desktop() -> Iterator[Environment]:
    """A Chromium window that fills a desktop of its own."""
    from envs.browser import Browser, BrowserOptions
    from envs.desktop import Desktop, DesktopOptions, Sandbox, SandboxOptions

    with Sandbox.start(SandboxOptions(size=SCREEN)) as sandbox:
        window = BrowserOptions(viewport=SCREEN, display=sandbox.display, kiosk=True, headless=False)
        with Browser.launch(window) as page, Desktop.launch(DesktopOptions(display=sandbox.display)) as screen:
            show(page)
            wait_shown(screen)
            yield screen


@contextmanager
def android() -> Iterator[Environment]:
    """The simulated phone, under an adb server of its own."""
    from envs.android import AdbServer, Android, AndroidOptions
    from envs.android.simulator import Phone

    with Phone.start() as phone, AdbServer.start() as server:
        show(phone.browser)
        with Android.launch(AndroidOptions(serial=phone.address, adb_port=server.port)) as device:
            wait_shown(device)
            yield device


PLACES: dict[str, Callable[[], AbstractContextManager[Environment]]] = {
    "browser": browser,
    "desktop": desktop,
    "android": android,
}


def choose(text: str) -> tuple[str, ...]:
    """The places of a list with commas, all for an empty one. Raises ConfigError."""
    return chosen(text, PLACES, "there is nothing to measure in") or tuple(PLACES)


@contextmanager
def opened(names: tuple[str, ...]) -> Iterator[dict[str, Environment]]:
    """All of them at once; raises the EnvError of one that cannot be started, with the others closed."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(PLACES[name]()) for name in names}
