"""Pictures: the same from every way, whatever way the screen is turned or scaled."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from envs.actions import Click
from envs.android import Android, picture
from envs.android.device import Device
from envs.android.link import Output
from envs.android.options import Picture
from envs.android.simulator import Phone
from envs.base import ScreenshotError, SetupError
from envs.geometry import Size
from tests.envs.android.conftest import Options, Show

COLOURS = "<div style='position:absolute;inset:0;background:linear-gradient(90deg,red,lime 50%,blue)'></div>"


def test_all_ways_show_the_same(options: Options, show: Show) -> None:
    show(COLOURS)
    images = []
    for way in ("framebuffer", "screencap", "screencap-png"):
        with Android.launch(options(picture=way)) as android:
            images.append(android.screenshot().image)
            assert android.picture_method == way
            (event,) = android.events()
            assert event.kind == "picture_method"
            assert event.detail["method"] == way
    assert images[0].mode == "RGB"
    assert images[0].size == (540, 1170)
    assert images[0].tobytes() == images[1].tobytes() == images[2].tobytes()
    left, right = images[0].getpixel((5, 500)), images[0].getpixel((534, 500))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[0] > 240 > left[2]
    assert right[2] > 240 > right[0]


def test_the_fastest_way_is_chosen(monkeypatch: pytest.MonkeyPatch, options: Options) -> None:
    calls: list[str] = []

    def way(name: str, seconds: float) -> picture.Way:
        def grab(device: Device) -> Image.Image:
            calls.append(name)
            time.sleep(seconds)
            return Image.new("RGB", (4, 4))

        return picture.Way(name, grab)

    with Android.launch(options(picture="auto")) as android:
        monkeypatch.setattr(android._camera, "_ways", [way("slow", 0.6), way("quick", 0), way("slower", 0.8)])
        android._camera.grab()
        assert android.picture_method == "quick"
        android._camera.grab()
        assert calls == ["slow", "quick", "slower", "quick"]


def test_a_framebuffer_that_is_refused(options: Options, phone: Phone) -> None:
    phone.refuse_framebuffer = True
    with Android.launch(options(picture="auto")) as android:
        android.screenshot()
        assert android.picture_method in ("screencap", "screencap-png")
    with Android.launch(options(picture="framebuffer")) as android, pytest.raises(ScreenshotError):
        android.screenshot()


def test_a_framebuffer_that_is_refused_later(options: Options, phone: Phone) -> None:
    with Android.launch(options(picture="framebuffer")) as android:
        android.screenshot()
        android._camera._ways = list(picture.WAYS)
        phone.refuse_framebuffer = True
        assert android.screenshot().image.size == (540, 1170)
        assert android.picture_method != "framebuffer"
        assert [event.kind for event in android.events()].count("picture_method") == 2


@pytest.fixture
def changed(android: Android, phone: Phone) -> Iterator[Callable[..., None]]:
    """Run a command that changes the screen; undone afterwards."""
    yield lambda *argv: android._device.do(*argv) and None
    for argv in (
        ("settings", "put", "system", "user_rotation", "0"),
        ("settings", "put", "system", "accelerometer_rotation", "1"),
        ("wm", "size", "reset"),
        ("wm", "density", "reset"),
    ):
        android._device.do(*argv)
    android.screenshot()


PADS = """<style>i{position:absolute;width:12vmin;height:12vmin;background:teal}</style>
<i style="left:0;top:0"></i><i style="right:0;bottom:0"></i>
<script>window.hits=[]; addEventListener('click', e => hits.push([e.clientX, e.clientY]))</script>"""


def hits(phone: Phone) -> list[tuple[int, int]]:
    """Places of the clicks, in pixels of the screen."""
    ratio = float(phone.browser.evaluate("devicePixelRatio"))
    return [(round(x * ratio), round(y * ratio)) for x, y in phone.browser.evaluate("hits")]


@pytest.mark.parametrize(
    ("commands", "size"),
    [
        ((("settings", "put", "system", "accelerometer_rotation", "0"),
          ("settings", "put", "system", "user_rotation", "1")), (1170, 540)),
        ((("wm", "size", "360x780"),), (360, 780)),
        ((("wm", "density", "160"),), (540, 1170)),
    ],
    ids=["turned", "wm size", "wm density"],
)  # fmt: skip
def test_touches_hit_what_the_picture_shows(
    commands: tuple[tuple[str, ...], ...],
    size: tuple[int, int],
    changed: Callable[..., None],
    android: Android,
    phone: Phone,
    show: Show,
) -> None:
    for argv in commands:
        changed(*argv)
    show(PADS)
    shot = android.screenshot()
    assert shot.image.size == size
    assert shot.viewport.screenshot == shot.viewport.device == Size(*size)
    wanted = [(20, 20), (size[0] - 20, size[1] - 20)]
    for x, y in wanted:
        assert shot.image.getpixel((x, y)) == (0, 128, 128)
        android.execute(Click(x=x, y=y))
        android.settle()
    for (x, y), (x2, y2) in zip(wanted, hits(phone), strict=True):
        assert abs(x - x2) <= 3
        assert abs(y - y2) <= 3


def test_pictures_larger_than_the_units_of_input(android: Android, monkeypatch: pytest.MonkeyPatch) -> None:
    # Old devices draw `wm size` overrides but take pictures of the whole panel.
    monkeypatch.setattr(android._screen, "size", lambda: Size(270, 585))
    monkeypatch.setattr(android, "_upright", None)
    viewport = android.screenshot().viewport
    assert viewport.to_device((500.0, 1000.0)) == (250.0, 500.0)


class Canned:
    """A device whose screencap writes given bytes."""

    def __init__(self, data: bytes, status: int = 0, error: bytes = b"") -> None:
        self._output = Output(status, data, error)

    def ask(self, *argv: str) -> Output:
        return self._output


PIXELS = bytes([255, 0, 0, 255, 0, 0, 255, 255])


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<3I", 2, 1, 1) + PIXELS,
        struct.pack("<4I", 2, 1, 1, 1) + PIXELS,
        struct.pack("<4I", 2, 1, 2, 0) + PIXELS,
        struct.pack("<4I", 2, 1, 5, 0) + bytes([0, 0, 255, 255, 255, 0, 0, 255]),
        struct.pack("<3I", 2, 1, 3) + bytes([255, 0, 0, 0, 0, 255]),
        struct.pack("<3I", 2, 1, 4) + struct.pack("<2H", 0xF800, 0x001F),
    ],
)
def test_raw_pixels_of_all_versions(data: bytes) -> None:
    image = picture.raw(Canned(data))  # type: ignore[arg-type]
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [(255, 0, 0), (0, 0, 255)]


@pytest.mark.parametrize(
    ("device", "said"),
    [
        (Canned(b""), "no picture"),
        (Canned(struct.pack("<4I", 2, 1, 22, 0) + PIXELS), "unknown format 22"),
        (Canned(struct.pack("<3I", 2, 9, 1) + PIXELS), "cut off"),
        (Canned(b"", 1, b"Failed to take screenshot. Status: -1\n"), "Status: -1"),
    ],
)
def test_screencaps_that_are_none(device: Canned, said: str) -> None:
    with pytest.raises(ScreenshotError, match=said):
        picture.raw(device)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"nothing", b"\x89PNG\r\n\x1a\n cut off"])
def test_png_that_is_none(data: bytes) -> None:
    with pytest.raises(ScreenshotError):
        picture.png(Canned(data))  # type: ignore[arg-type]


def test_a_warning_before_the_png(android: Android) -> None:
    good = android._device.ask("screencap", "-p").out
    image = picture.png(Canned(b"[Warning] Multiple displays were found\n" + good))  # type: ignore[arg-type]
    assert image.size == (540, 1170)


def test_ways_that_there_are_not(options: Options) -> None:
    with pytest.raises(SetupError, match="picture is auto"):
        options(picture="scrcpy")


def test_the_names_in_the_options_are_those_of_the_ways() -> None:
    assert set(Picture.__args__) == {"auto", *(way.name for way in picture.WAYS)}
