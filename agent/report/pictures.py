"""The frames of a run, embedded once each, and the veils that show what the cache has let go of."""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from PIL import Image

from envs.pictures import PictureError, open_picture, read_picture

T = TypeVar("T")

MAX_SIDE = 1280
"""Pixels of the longer side in the report; larger screenshots are scaled down."""

_NAME = re.compile(r"frames/[0-9a-f]{8,64}\.png")
_VEIL = (8, 10, 18)
_VEIL_ALPHA = 215


@dataclass
class Pictures:
    """Pictures by frame number. Equal frames share one embedded copy (a CSS class)."""

    folder: Path
    links: Path | None = None
    """The folder of a page that takes the pictures from their files; None where they are in the page itself."""
    warnings: list[str] = field(default_factory=list)
    _of: dict[int, tuple[str, str, tuple[int, int]]] = field(default_factory=dict)
    _by_file: dict[str, tuple[str, str, tuple[int, int]]] = field(default_factory=dict)
    """CSS class, address and size."""

    def register(self, step: dict[str, Any]) -> None:
        """Embed the frame of a step, or link to it; a missing or damaged one becomes a warning."""
        frame, name = step.get("frame"), step.get("frame_file")
        if not isinstance(frame, int) or not isinstance(name, str):
            return
        if name not in self._by_file:
            found = self._embedded(name) if self.links is None else self._linked(name, self.links)
            if found is None:
                return
            self._by_file[name] = f"pic{len(self._by_file)}", *found
        self._of[frame] = self._by_file[name]

    def css_class(self, frame: int) -> str:
        """CSS class that shows a frame, or the empty string when there is no picture of it."""
        return self._of[frame][0] if frame in self._of else ""

    def size(self, frame: int) -> tuple[int, int]:
        """Width and height of the recorded screenshot; (1, 1) when there is none."""
        return self._of[frame][2] if frame in self._of else (1, 1)

    def addresses(self) -> dict[str, str]:
        """CSS class → data URI, or the file's address as seen from the page."""
        return {css: data for css, data, _ in self._by_file.values()}

    def _embedded(self, name: str) -> tuple[str, tuple[int, int]] | None:
        image = self._read(name, read_picture)
        return None if image is None else (data_uri(image), image.size)

    def _linked(self, name: str, page: Path) -> tuple[str, tuple[int, int]] | None:
        size = self._read(name, _size)
        return None if size is None else (quote(Path(os.path.relpath(self.folder / name, page)).as_posix()), size)

    def _read(self, name: str, read: Callable[[Path], T]) -> T | None:
        # The name comes from a file that anybody may have edited: only the recorder's own names are followed.
        if not _NAME.fullmatch(name):
            self.warnings.append(f"picture {name[:80]!r} is not one of this run")
            return None
        try:
            return read(self.folder / name)
        except PictureError as error:
            self.warnings.append(f"picture {name} {error}")
        except OSError as error:
            self.warnings.append(f"picture {name} cannot be read: {error}")
        return None


def _size(path: Path) -> tuple[int, int]:
    """Width and height by the file's head. Raises PictureError and OSError."""
    with open_picture(path) as image:
        return image.size


def data_uri(image: Image.Image, side: int = MAX_SIDE) -> str:
    """The picture as PNG or JPEG, whichever is smaller, its longer side scaled down to so many pixels."""
    scale = side / max(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    png, jpeg = io.BytesIO(), io.BytesIO()
    image.save(png, "PNG", optimize=True)
    image.save(jpeg, "JPEG", quality=85)
    if png.tell() <= jpeg.tell():
        return uri("png", png.getvalue())
    return uri("jpeg", jpeg.getvalue())


@lru_cache(maxsize=1024)
def veil(rows: int, cols: int, kept: str) -> str:
    """Data URI of a picture with one pixel a patch: dark where it was evicted, clear where it is kept whole.

    `kept` is a digit 0..9 per patch, row-major. Raises ValueError when it does not fit.
    """
    if rows < 1 or cols < 1 or len(kept) != rows * cols or not kept.isdigit() or not kept.isascii():
        raise ValueError(f"{len(kept)} digits do not make {rows} rows of {cols} patches")
    image = Image.new("RGBA", (cols, rows), _VEIL)
    alphas = bytes.maketrans(b"0123456789", bytes(round(_VEIL_ALPHA * (9 - digit) / 9) for digit in range(10)))
    image.putalpha(Image.frombytes("L", (cols, rows), kept.encode("ascii").translate(alphas)))
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return uri("png", out.getvalue())


def veil_of(patches: Mapping[str, Any]) -> tuple[str, float]:
    """The veil of a recorded screenshot, and the percentage kept. Raises KeyError, TypeError, ValueError."""
    digits = str(patches["kept"])
    shade = veil(int(patches["rows"]), int(patches["cols"]), digits)
    return shade, 100 * sum(int(digit) * digits.count(digit) for digit in "123456789") / (9 * len(digits))


def uri(kind: str, data: bytes) -> str:
    """A picture of that kind (png, jpeg) as part of a page."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
