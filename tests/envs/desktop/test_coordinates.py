"""Every click lands in a target of 3 screen pixels: at all device pixel ratios, on each monitor, in a region, a window.

The targets are looked up in the desktop's own picture, clicked in its pixels, and the page says what was hit. X has
no negative offsets: the first monitor is the right one here, so that the other lies to its left, and the arithmetic
of negative origins is tested on the way from the picture to the order that the mouse is given.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest
from Xlib.display import Display
from Xlib.protocol import rq

from envs.actions import Click, Drag, Scroll
from envs.base import ActionFailed
from envs.browser import Browser, BrowserOptions
from envs.desktop import Desktop, DesktopOptions, Sandbox
from envs.desktop.perform import orders, spot
from envs.geometry import Size, Viewport
from envs.xvfb import Xvfb
from tests.envs.desktop.conftest import SIZE
from tests.patience import PATIENCE, until

SIDE = 3
_PAGE = """([columns, rows, side]) => {
    document.title = 'targets';
    document.body.innerHTML = '';
    document.body.style.cssText = 'margin:0;background:#fff;overflow:hidden';
    window.hits = [];
    // The last CSS pixel may be cut by the edge of the screen.
    const r = devicePixelRatio, w = Math.floor((innerWidth - 1) * r), h = Math.floor((innerHeight - 1) * r);
    for (let n = 0; n < columns * rows; n++) {
        // Also at the edges; odd steps, so that all places between two CSS pixels occur.
        const x = Math.round((w - side) * (n % columns) / (columns - 1));
        const y = Math.round((h - side) * Math.floor(n / columns) / (rows - 1));
        const dot = document.body.appendChild(document.createElement('div'));
        dot.dataset.number = n;
        dot.style.cssText =
            `position:absolute;background:#f00;left:${x / r}px;top:${y / r}px;width:${side / r}px;height:${side / r}px`;
    }
    window.presses = 0;
    onmousedown = e => { presses += 1; if (e.target.tagName === 'DIV') hits.push(+e.target.dataset.number); };
}"""
COLUMNS, ROWS = 9, 5


def show(browser: Browser) -> None:
    browser.evaluate(_PAGE, [COLUMNS, ROWS, SIDE])


def targets(desktop: Desktop) -> list[tuple[int, int]]:
    """Top left pixels of all targets that are wholly in the picture."""
    picture = np.asarray(desktop.screenshot().image).astype(int)
    red = (picture[..., 0] > 200) & (picture[..., 1] < 60) & (picture[..., 2] < 60)
    found = []
    for y, x in np.argwhere(red):
        inside = red[y : y + SIDE, x : x + SIDE]
        if (
            inside.shape == (SIDE, SIDE)
            and inside.all()
            and not red[y - 1 : y, x].any()
            and not red[y, x - 1 : x].any()
        ):
            found.append((int(x), int(y)))
    return found


def click_all(desktop: Desktop, browser: Browser, at_least: int) -> None:
    """Each target once, in turn at its middle and at its corners; every click has to hit."""
    desktop.settle()
    until(lambda: len(targets(desktop)) >= at_least)
    found = targets(desktop)
    assert len(found) >= at_least
    offsets = ((1.5, 1.5), (0.0, 0.0), (2.99, 2.99), (0.5, 2.5), (1.0, 1.0))
    for number, (x, y) in enumerate(found):
        dx, dy = offsets[number % len(offsets)]
        desktop.execute(Click(x=x + dx, y=y + dy))
        # A window manager holds a press back while it decides whose it is; the pointer must not be elsewhere by then.
        assert until(lambda: browser.evaluate("presses") > number)  # noqa: B023
    hits = browser.evaluate("hits")
    assert len(set(hits)) == len(hits) == len(found)


def in_place(browser: Browser, size: tuple[int, int]) -> None:
    """Wait until the page has the focus and is of this size, in pixels of the screen.

    A window that is still being laid out, or has not the focus yet, may lose a press.
    """
    wanted = "document.hasFocus() && [innerWidth, innerHeight].map(side => side * devicePixelRatio)"

    def there() -> bool:
        found = browser.evaluate(wanted)
        # The last CSS pixel may be cut by the edge of the screen.
        return bool(found) and all(0 <= seen - side + 3 <= 6 for seen, side in zip(found, size, strict=True))

    assert until(there)


def options(where: Sandbox | Xvfb, scale: float, **more: object) -> BrowserOptions:
    return BrowserOptions(display=where.display, headless=False, scale=scale, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5, 2.0, 2.625])
def test_whole_screen(sandbox: Sandbox, desktop: Desktop, scale: float) -> None:
    with Browser.launch(options(sandbox, scale, kiosk=True)) as browser:
        assert browser.evaluate("devicePixelRatio") == scale
        in_place(browser, SIZE)
        show(browser)
        click_all(desktop, browser, COLUMNS * ROWS)


class _SetMonitor(rq.Request):
    _request = rq.Struct(
        rq.Card8("opcode"), rq.Opcode(43), rq.RequestLength(), rq.Window("window"), rq.Card32("name"),
        rq.Bool("primary"), rq.Bool("automatic"), rq.Card16("outputs"), rq.Int16("x"), rq.Int16("y"),
        rq.Card16("width"), rq.Card16("height"), rq.Card32("width_mm"), rq.Card32("height_mm"),
    )  # fmt: skip


class _DeleteMonitor(rq.Request):
    _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(44), rq.RequestLength(), rq.Window("window"), rq.Card32("name"))


@pytest.fixture
def monitors() -> Iterator[Xvfb]:
    """Two monitors side by side; the first, and primary one, is the right one.

    Without a window manager, which would keep the page to one of them.
    """
    server = Xvfb(SIZE)
    display = Display(server.display)
    common = {
        "display": display.display,
        "opcode": display.display.get_extension_major("RANDR"),
        "window": display.screen().root,
    }
    places = {"RIGHT": 640, "LEFT": 0}
    for name, x in places.items():
        size = {"width": 640, "height": SIZE[1], "width_mm": 169, "height_mm": 211}
        atom = display.intern_atom(name)
        _SetMonitor(**common, **size, name=atom, primary=x > 0, automatic=False, outputs=0, x=x, y=0)
    display.sync()
    yield server
    for name in places:
        _DeleteMonitor(**common, name=display.intern_atom(name))
    display.sync()
    display.close()
    server.close()


def test_two_monitors_and_a_region(monitors: Xvfb) -> None:
    whole = (math.ceil(SIZE[0] / 2.625), math.ceil(SIZE[1] / 2.625))
    with Browser.launch(options(monitors, 2.625, kiosk=True, viewport=whole)) as browser:
        show(browser)
        origins = []
        for number in (1, 2):
            with Desktop.launch(DesktopOptions(display=monitors.display, monitor=number)) as one:
                show(browser)
                click_all(one, browser, COLUMNS // 2 * ROWS)
                viewport = one.screenshot().viewport
                origins.append(viewport.origin)
                assert viewport.screenshot == Size(640, SIZE[1])
        assert sorted(origins) == [(0.0, 0.0), (640.0, 0.0)]
        with Desktop.launch(DesktopOptions(display=monitors.display, monitor=0)) as everything:
            show(browser)
            click_all(everything, browser, COLUMNS * ROWS)
        region = (301, 97, 777, 555)
        with Desktop.launch(DesktopOptions(display=monitors.display, region=region)) as part:
            show(browser)
            click_all(part, browser, 9)
            assert part.screenshot().viewport == Viewport(Size(777, 555), Size(777, 555), (301.0, 97.0))


def test_a_window_that_moves(sandbox: Sandbox) -> None:
    framed = options(sandbox, 1.5, app=True, viewport=(400, 300), position=(40, 30))
    with Browser.launch(framed) as browser:
        show(browser)
        sandbox.wait_window("targets")
        in_place(browser, (600, 450))
        with Desktop.launch(DesktopOptions(display=sandbox.display, window="TARGETS")) as desktop:
            assert desktop.screenshot().viewport.screenshot == Size(600, 450)
            _move(sandbox, desktop, 160, 120)
            click_all(desktop, browser, COLUMNS * ROWS)
            _move(sandbox, desktop, 333, 211)
            show(browser)
            found = targets(desktop)
            # Moved between the picture and the click: the click goes with it.
            moved_from = desktop.screenshot().viewport.origin
            _wmctrl(sandbox, "-r", "targets", "-e", "0,101,77,-1,-1")
            with Desktop.launch(DesktopOptions(display=sandbox.display, window="targets")) as second:
                assert until(lambda: second.screenshot().viewport.origin != moved_from)
            desktop.execute(Click(x=found[7][0] + 1, y=found[7][1] + 1))
            until(lambda: bool(browser.evaluate("hits")))
            assert browser.evaluate("hits") == [7]
            _wmctrl(sandbox, "-r", "targets", "-e", "0,101,77,500,320")
            assert until(lambda: browser.evaluate("innerWidth") != 400)
            with pytest.raises(ActionFailed, match="another size"):
                desktop.execute(Click(x=10, y=10))


def _move(sandbox: Sandbox, desktop: Desktop, x: int, y: int) -> None:
    """Move the window, and wait for it to be there: then all that was asked of the window manager before is done."""
    _wmctrl(sandbox, "-r", "targets", "-e", f"0,{x},{y},-1,-1")

    def there() -> bool:
        left, top = desktop.screenshot().viewport.origin
        return 0 <= left - x < 40 and 0 <= top - y < 40

    assert until(there)


def _wmctrl(sandbox: Sandbox, *words: str) -> None:
    subprocess.run(["wmctrl", *words], env=sandbox.environment, check=True, timeout=PATIENCE)


def test_negative_origins_and_scaled_screens() -> None:
    """A monitor left of and above the first, whose pictures have two pixels per mouse unit."""
    viewport = Viewport(Size(2880, 1800), Size(1440, 900), (-1440.0, -450.0))
    assert spot(viewport, (0, 0)) == (-1440, -450)
    assert spot(viewport, (1, 1.9)) == (-1440, -450)
    assert spot(viewport, (2, 3)) == (-1439, -449)
    assert spot(viewport, (2879, 1799)) == (-1, 449)
    assert spot(viewport, (2880, 1800)) == (-1, 449)
    (drag,) = orders(Drag(path=((0, 0), (1440, 900))), viewport)
    assert drag.arguments["points"] == [[-1440, -450], [-720, 0]]
    assert drag.arguments["seen"] == [-1440, -450, 1440, 900]
    (scroll,) = orders(Scroll(direction="down"), viewport)
    assert scroll.arguments["points"] == [[-720, 0]]
    with pytest.raises(ActionFailed, match=r"\(2881, 5\) is outside the screen of 2880x1800"):
        orders(Click(x=2881, y=5), viewport)
