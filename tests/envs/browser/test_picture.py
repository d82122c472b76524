"""Screenshots are in CSS pixels, and clicks land where they were seen, whatever the scale."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from envs import processes
from envs.actions import Click, Keys, Navigate
from envs.base import EnvironmentDied, Screenshot, ScreenshotError, SetupError
from envs.browser import Browser, BrowserOptions, capture
from envs.browser.capture import decode
from envs.browser.chromium import find_chromium, launch_args
from envs.geometry import Size, Viewport
from tests.envs.conftest import Site
from tests.patience import PATIENCE, until

Show = Callable[[str], Browser]

# A red target of 3x3 CSS pixels at (101, 77).
TARGET = """data:text/html,<body style="margin:0;background:white" onclick="window.miss = 1">
<div id=t style="position:absolute;left:101px;top:77px;width:3px;height:3px;background:rgb(255,0,0)"
onclick="window.hit = 1; event.stopPropagation()"></div>"""


def red_centre(shot: Screenshot) -> tuple[float, float]:
    pixels = shot.image.load()
    assert pixels is not None
    found = [
        (x, y)
        for x in range(shot.image.width)
        for y in range(shot.image.height)
        if pixels[x, y][0] > 200 and pixels[x, y][1] < 90  # type: ignore[index,operator]
    ]
    assert found
    return sum(x for x, _ in found) / len(found), sum(y for _, y in found) / len(found)


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_a_small_target_is_hit_at_any_scale(scale: float) -> None:
    with Browser.launch(BrowserOptions(viewport=(300, 200), scale=scale)) as browser:
        browser.execute(Navigate(url=TARGET))
        assert browser.evaluate("devicePixelRatio") == scale
        shot = browser.screenshot()
        assert shot.image.size == (300, 200)
        assert shot.image.mode == "RGB"
        assert shot.viewport == Viewport(Size(300, 200), Size(300, 200))
        x, y = red_centre(shot)
        browser.execute(Click(x=x, y=y))
        assert browser.evaluate("[window.hit, window.miss]") == [1, None]


def test_zoom_and_region() -> None:
    with Browser.launch(BrowserOptions(viewport=(300, 200), region=(160, 120), zoom=3)) as browser:
        browser.execute(Navigate(url=TARGET))
        shot = browser.screenshot()
        assert shot.image.size == (480, 360)
        assert shot.viewport == Viewport(Size(480, 360), Size(160, 120))
        x, y = red_centre(shot)
        browser.settle()
        browser.execute(Click(x=x, y=y))
        assert browser.evaluate("[window.hit, window.miss]") == [1, None]


def test_odd_sizes() -> None:
    with Browser.launch(BrowserOptions(viewport=(1, 1))) as browser:
        for width, height in [(1, 1), (1, 400), (3000, 40)]:

            async def resize(tab: Any, width: int = width, height: int = height) -> None:
                await tab.set_viewport_size({"width": width, "height": height})

            browser.with_tab(resize, 10)
            assert browser.screenshot().image.size == (width, height)
            browser.execute(Click(x=0, y=0))
            browser.execute(Click(x=width, y=height))


def test_a_region_larger_than_the_page(show: Show) -> None:
    browser = show("")
    whole = replace(browser.options, region=(8000, 120))

    async def grab(tab: Any) -> Viewport:
        return (await capture.grab(tab, whole))[1]

    assert browser.with_tab(grab, 10) == Viewport(Size(400, 120), Size(400, 120))


def test_pictures_that_are_none() -> None:
    with pytest.raises(ScreenshotError, match="is not an image"):
        decode(b"no picture", Viewport(Size(2, 2), Size(2, 2)))


def test_pictures_in_device_pixels_are_scaled() -> None:
    import io

    file = io.BytesIO()
    Image.new("RGBA", (20, 10)).save(file, "png")
    shot = decode(file.getvalue(), Viewport(Size(10, 5), Size(10, 5)))
    assert (shot.image.size, shot.image.mode) == ((10, 5), "RGB")


def test_a_page_whose_font_never_comes(show: Show) -> None:
    browser = show("<style>@font-face{font-family:f;src:url(http://127.0.0.1:9/f)} body{font-family:f}</style>text")
    assert browser.screenshot().image.size == (400, 300)


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Chromium that was there before, at twice the pixels; gives its CDP address."""
    profile = tmp_path_factory.mktemp("profile")
    process = subprocess.Popen(
        [find_chromium(), *launch_args(), "--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}",
         "--force-device-scale-factor=2", "--window-size=420,340", "about:blank"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    port = profile / "DevToolsActivePort"
    assert until(lambda: port.exists() and port.read_text().strip()), "Chromium did not start"
    yield f"http://127.0.0.1:{port.read_text().splitlines()[0]}"
    processes.end(processes.tree([process.pid]))
    process.wait(PATIENCE)


def test_joining_a_running_chrome_and_leaving_it(chrome: str) -> None:
    for _ in range(2):
        with Browser.launch(BrowserOptions(cdp=chrome)) as browser:
            browser.execute(Navigate(url=TARGET))
            assert browser.evaluate("devicePixelRatio") == 2
            shot = browser.screenshot()
            assert list(shot.image.size) == browser.evaluate("[innerWidth, innerHeight]")
            x, y = red_centre(shot)
            browser.execute(Click(x=x, y=y))
            assert browser.evaluate("[window.hit, window.miss]") == [1, None]


def test_joining_with_an_address_leaves_the_tabs_that_were_there(chrome: str) -> None:
    with Browser.launch(BrowserOptions(cdp=chrome)) as browser:
        there = browser.context()["url"]
        with Browser.launch(BrowserOptions(cdp=chrome, url="data:text/html,<title>new</title>")) as other:
            assert other.context()["title"] == "new"
        browser.settle()
        assert browser.context()["title"] == "new"
        browser.execute(Keys(keys=("ctrl", "w")))
        assert browser.context()["url"] == there


def test_joining_one_that_is_not_there() -> None:
    with pytest.raises(SetupError, match="no Chrome answers") as caught:
        Browser.launch(BrowserOptions(cdp="http://127.0.0.1:9"))
    assert "--remote-debugging-port" in caught.value.hint


def test_a_joined_chrome_that_dies(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            find_chromium(),
            *launch_args(),
            "--headless",
            "--remote-debugging-port=0",
            f"--user-data-dir={tmp_path}",
        ],
        stderr=subprocess.DEVNULL,
    )
    port = tmp_path / "DevToolsActivePort"
    try:
        assert until(lambda: port.exists() and port.read_text().strip())
        with Browser.launch(BrowserOptions(cdp=f"http://127.0.0.1:{port.read_text().splitlines()[0]}")) as browser:
            browser.screenshot()
            processes.end(processes.tree([process.pid]))
            with pytest.raises(EnvironmentDied):
                browser.screenshot()
    finally:
        processes.end(processes.tree([process.pid]))
        process.wait(PATIENCE)


def test_a_persistent_profile_is_kept_and_held_by_one(tmp_path: Path, site: Site) -> None:
    site.pages["/"] = "<p>here</p>"
    options = BrowserOptions(url=site.url(), profile=tmp_path / "profile", viewport=(200, 200))
    with Browser.launch(options) as browser:
        browser.evaluate("localStorage.setItem('k', 'kept')")
        with pytest.raises(SetupError, match="in use by another browser"):
            Browser.launch(options)
        assert browser.screenshot().image.size == (200, 200)
    with Browser.launch(options) as browser:
        assert browser.evaluate("localStorage.getItem('k')") == "kept"


def test_no_display_for_a_visible_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SetupError, match="no display"):
        Browser.launch(BrowserOptions(headless=False))


def test_without_playwright() -> None:
    code = (
        "import sys; sys.modules['playwright'] = None\n"
        "from envs.base import SetupError\n"
        "try:\n    from envs.browser import Browser\nexcept SetupError as error:\n    print(error.hint)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "pip install playwright\n"
