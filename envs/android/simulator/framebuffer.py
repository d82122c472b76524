"""Pictures as the device hands them out: the service `framebuffer:`, and screencap's raw form."""

from __future__ import annotations

import struct

from PIL import Image

from envs.android.simulator.streams import Stream

_VERSION = 2
_BITS = 32
_SRGB = 1
_RGBA_8888 = 1
_FIELDS = struct.Struct("<14I")
_RAW = struct.Struct("<4I")


async def serve_framebuffer(stream: Stream, picture: Image.Image) -> None:
    """One picture: its description, then its pixels."""
    await stream.accept()
    width, height = picture.size
    data = picture.convert("RGBA").tobytes()
    # Offset and length in bits of red, blue, green, alpha, in this order.
    channels = (0, 8, 16, 8, 8, 8, 24, 8)
    await stream.write(_FIELDS.pack(_VERSION, _BITS, _SRGB, len(data), width, height, *channels))
    await stream.write(data)
    await stream.flushed()


def raw(picture: Image.Image) -> bytes:
    """What `screencap` writes without -p."""
    return _RAW.pack(*picture.size, _RGBA_8888, _SRGB) + picture.convert("RGBA").tobytes()
