"""Pictures of the screen, by whichever way is the fastest on this device."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from envs.android.device import Device
from envs.android.options import Picture
from envs.base import ScreenshotError
from envs.pictures import PictureError, read_picture

_WORD = 4
_WIDEST = 32768
_PNG = b"\x89PNG"
_RAW_FORMATS = {1: ("RGBX", 4), 2: ("RGBX", 4), 3: ("RGB", 3), 4: ("BGR;16", 2), 5: ("BGRX", 4)}
"""Android's pixel formats → Pillow's name of the same layout, and bytes per pixel."""


@dataclass(frozen=True)
class Way:
    """One way of reading the screen."""

    name: str
    grab: Callable[[Device], Image.Image]


class Camera:
    """Reads the screen as RGB. The way is chosen once, and again if it stops working."""

    def __init__(self, device: Device, wanted: Picture, tell: Callable[[str, float], None]) -> None:
        """`tell` is called with the name and seconds of the way that was chosen."""
        self._device, self._tell = device, tell
        self._ways = [way for way in WAYS if wanted in ("auto", way.name)]
        self._way: Way | None = None

    @property
    def method(self) -> str | None:
        """Name of the way that is in use, or None while there was no picture."""
        return None if self._way is None else self._way.name

    def grab(self) -> Image.Image:
        """Raises ScreenshotError or EnvironmentDied."""
        if self._way is not None:
            try:
                return self._way.grab(self._device)
            except ScreenshotError:
                if len(self._ways) == 1:
                    raise
                self._way = None
        return self._choose()

    def _choose(self) -> Image.Image:
        tried: list[tuple[float, Way, Image.Image]] = []
        failed: list[str] = []
        for way in self._ways:
            start = time.monotonic()
            try:
                image = way.grab(self._device)
            except ScreenshotError as error:
                failed.append(f"{way.name}: {error.message}")
            else:
                tried.append((time.monotonic() - start, way, image))
        if not tried:
            raise ScreenshotError("no picture of the screen can be taken: " + "; ".join(failed))
        seconds, self._way, _ = min(tried, key=lambda found: found[0])
        self._tell(self._way.name, seconds)
        return tried[-1][2]


def framebuffer(device: Device) -> Image.Image:
    """adbd's own service; it runs screencap as well, without a shell. Raises ScreenshotError."""

    def take() -> tuple[bytes, bytes]:
        with device.open("framebuffer:") as connection:
            head = device.client.read(connection, _WORD)
            # Version 1 has no word for the colour space.
            words = {1: 12, 2: 13}.get(int.from_bytes(head, "little"), 0)
            head += device.client.read(connection, words * _WORD)
            size = struct.unpack_from("<I", head, (words - 10) * _WORD)[0] if words else 0
            return head, device.client.read(connection, size)

    head, pixels = device.look(take)
    if not pixels:
        raise ScreenshotError("the framebuffer service sent no picture")
    bpp = struct.unpack_from("<I", head, _WORD)[0]
    _, width, height, red, _, blue, *_ = struct.unpack_from("<7I", head, len(head) - 11 * _WORD)
    layout = {(32, 0): "RGBX", (32, 16): "BGRX", (24, 0): "RGB", (16, 11): "BGR;16"}.get((bpp, red))
    if layout is None:
        raise ScreenshotError(f"the framebuffer has {bpp} bits per pixel, red at {red}, blue at {blue}: unknown here")
    return _decode(pixels, width, height, layout, bpp // 8)


def raw(device: Device) -> Image.Image:
    """`screencap`: a short header, then the pixels as they are. Raises ScreenshotError."""
    data = _screencap(device)
    if len(data) < 4 * _WORD:
        raise ScreenshotError("screencap wrote no picture")
    width, height, form = struct.unpack_from("<3I", data)
    if form not in _RAW_FORMATS or not 0 < width <= _WIDEST or not 0 < height <= _WIDEST:
        raise ScreenshotError(f"screencap wrote pixels of an unknown format {form}")
    layout, depth = _RAW_FORMATS[form]
    # Since Android 9 the header has a fourth word, the colour space.
    head = len(data) - width * height * depth
    if head not in (3 * _WORD, 4 * _WORD):
        raise ScreenshotError("screencap's picture is cut off")
    return _decode(data[head:], width, height, layout, depth)


def png(device: Device) -> Image.Image:
    """`screencap -p`: slow for the device, small for the wire. Raises ScreenshotError."""
    data = _screencap(device, "-p")
    # Devices with several displays may write a warning first.
    start = data.find(_PNG, 0, 4096)
    if start < 0:
        raise ScreenshotError("screencap wrote no picture")
    try:
        return read_picture(data[start:])
    except (OSError, PictureError) as error:
        raise ScreenshotError(f"screencap's picture {error}") from error


WAYS = (Way("framebuffer", framebuffer), Way("screencap", raw), Way("screencap-png", png))


def _screencap(device: Device, *options: str) -> bytes:
    output = device.ask("screencap", *options)
    if output.status != 0:
        said = (output.error or output.text[:200]).strip().splitlines()
        raise ScreenshotError(f"screencap failed: {said[-1] if said else f'status {output.status}'}")
    return output.out


def _decode(data: bytes, width: int, height: int, layout: str, depth: int) -> Image.Image:
    if not 0 < width <= _WIDEST or not 0 < height <= _WIDEST or len(data) < width * height * depth:
        raise ScreenshotError(f"a picture of {width}x{height} pixels came with {len(data)} bytes")
    return Image.frombytes("RGB", (width, height), data[: width * height * depth], "raw", layout)
