"""The image of a recorded step: opened when it is needed, always RGB in the end, never trusted.

Pixels are taken as they lie in the file. An orientation that EXIF asks for is ignored: screenshots have none, and
annotations count in the file's own rows and columns. Of animations the first frame counts.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

import envs.pictures
from envs.geometry import Size
from envs.pictures import PictureError, open_picture
from eval.benchmarks.errors import DataError, MissingImage

FORMATS = (*envs.pictures.FORMATS, "BMP", "GIF", "TIFF")
"""What benchmarks keep screenshots in."""
_WHITE = (255, 255, 255, 255)
_DEEP = ("I", "F")


@dataclass(frozen=True)
class Picture:
    """An image that lies in a file, or in `data` (parquet, TFRecord), or is only known by its `stated` size.

    name: as the annotations call it; where: file and record that name it, for messages
    """

    name: str
    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)
    stated: Size | None = None
    where: str = ""

    @property
    def exists(self) -> bool:
        """Whether something has that name, be it an image or not; what cannot be looked at counts as there."""
        return self.data is not None or (self.path is not None and _status(self.path) != "missing")

    def size(self) -> Size:
        """Width and height from the image's header, without decoding it. Raises as `load` does."""
        with self._open() as image:
            return Size(*image.size)

    def load(self) -> Image.Image:
        """The image as RGB, whatever it was: grey, palette, CMYK, 16-bit; transparency on white.

        Raises MissingImage, and DataError for what is no image, is damaged or has more than `MAX_PIXELS`.
        """
        with self._open() as image:
            try:
                return _rgb(image)
            # Decoders raise what they like on damaged data: struct.error, KeyError, EOFError, zlib.error …
            except Exception as error:
                raise DataError(f"{self._what()} is damaged: {error}") from error

    def _open(self) -> Image.Image:
        source = self._source()
        try:
            return open_picture(source, FORMATS)
        except PictureError as error:
            raise DataError(f"{self._what()} {error}") from error
        except OSError as error:
            raise DataError(f"{self._what()} cannot be read: {error.strerror or error}") from error

    def _source(self) -> Path | bytes:
        if self.data is not None:
            return self.data
        status = "missing" if self.path is None else _status(self.path)
        if self.path is None or status == "missing":
            raise MissingImage(f"{self._what()} is missing: give the folder of the images, or use --missing skip")
        if status != "file":
            raise DataError(f"{self._what()} is {status}")
        return self.path

    def unusable(self, why: Exception) -> DataError:
        """The error for an image that is one, but that no model takes."""
        return DataError(f"{self._what()}: {why}")

    def _what(self) -> str:
        place = str(self.path) if self.path is not None else self.name
        return f"{self.where}: the image {place}" if self.where else f"the image {place}"


def _status(path: Path) -> str:
    """`file` (also when it cannot be looked at: opening it says why), `missing`, or what else it is."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return "missing"
    except OSError:
        return "file"
    # Opening a pipe would wait for its other end.
    return "file" if stat.S_ISREG(mode) else "a folder" if stat.S_ISDIR(mode) else "no regular file"


def _rgb(image: Image.Image) -> Image.Image:
    image.load()
    if image.mode.startswith(_DEEP):
        return _eight_bit(image).convert("RGB")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, _WHITE), seen).convert("RGB")
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or of fractions → 8 bits; Pillow would clip such values instead of scaling them.

    16-bit files span 0 to 65535. Integers and fractions have no range of their own: 1 (fractions only), 255 or 65535
    is white, the least that holds all values; above, the highest is. NaN is black.
    """
    values = np.nan_to_num(np.asarray(image, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if image.mode.startswith("I;16"):
        white = 65535.0
    else:
        high = float(values.max())
        known = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        white = next((each for each in known if high <= each), high)
    return Image.fromarray(np.rint(np.clip(values * (255.0 / white), 0, 255)).astype(np.uint8))
