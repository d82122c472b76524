"""A page alone in a window: what is on the display is what a headless picture shows."""

from __future__ import annotations

import numpy as np
import pytest
from mss import MSS
from PIL import Image

from envs.base import SetupError
from envs.browser import Browser, BrowserOptions
from envs.playground import Playground
from envs.xvfb import Xvfb

SIDE = 280


def on_display(display: str, left: int, top: int, side: int) -> Image.Image:
    with MSS(display=display) as screen:
        shot = screen.grab({"left": left, "top": top, "width": side, "height": side})
    return Image.frombytes("RGB", shot.size, shot.bgra, "raw", "BGRX")


def test_a_kiosk_page_lies_on_the_display_pixel_for_pixel() -> None:
    with Playground.launch("form", 3) as page:
        headless = page.screenshot().image
    # The pointer waits in the middle of the display, so outside the window: nothing is hovered.
    with Xvfb((800, 800)) as server:
        options = BrowserOptions(
            display=server.display, headless=False, kiosk=True, viewport=(SIDE, SIDE), position=(40, 30)
        )
        with Playground(Browser.launch(options)) as page:
            page.load("form", 3)
            page.settle()
            assert page.screenshot().image.size == (SIDE, SIDE)
            shown = on_display(server.display, 40, 30, SIDE)
    difference = np.abs(np.asarray(headless, dtype=int) - np.asarray(shown, dtype=int))
    assert difference.max() == 0


def test_scale_is_screen_pixels_per_css_pixel() -> None:
    with Xvfb((400, 400)) as server:
        options = BrowserOptions(
            display=server.display, headless=False, kiosk=True, viewport=(160, 120), scale=2.0, allow_files=True
        )
        with Browser.launch(options) as browser:
            assert browser.evaluate("[devicePixelRatio, innerWidth, innerHeight]") == [2, 160, 120]
            browser.evaluate("document.body.style.background = '#00f'")
            browser.settle()
            shown = on_display(server.display, 0, 0, 400)
    blue = np.argwhere(np.asarray(shown)[..., 2] == 255)
    assert (blue.max(0) + 1).tolist() == [240, 320]


@pytest.mark.parametrize("wrong", [{"app": True, "kiosk": True}, {"app": True, "headless": True}])
def test_what_no_window_can_be(wrong: dict[str, bool]) -> None:
    with pytest.raises(SetupError, match="app"):
        BrowserOptions(**{"headless": False, **wrong})
