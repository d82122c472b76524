"""Opens pictures from outside: of a few formats, of bounded size, and with one kind of error."""

from __future__ import annotations

import io
import stat
import warnings
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP")
"""What screens give and records hold. Pillow knows more, some of which start other programs (EPS)."""
MAX_PIXELS = 100_000_000
"""More than any screen has; such a file is there to exhaust memory."""


class PictureError(ValueError):
    """What should be a picture is none, is damaged, of another format, or larger than any screen.

    The message goes on after the picture's name: "is not an image (PNG, JPEG, WEBP)".
    """


def open_picture(source: Path | bytes, formats: Sequence[str] = FORMATS) -> Image.Image:
    """The picture with its header read and its pixels not yet; to be closed, as by `with`.

    Raises PictureError, and OSError where the file cannot be read.
    """
    # Opening a pipe would wait for its other end.
    if isinstance(source, Path) and not stat.S_ISREG(source.stat().st_mode):
        raise PictureError("is no regular file")
    try:
        with warnings.catch_warnings():
            # Pillow's own limit is lower than the largest screens; ours is checked below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            file = io.BytesIO(source) if isinstance(source, bytes) else source
            image = Image.open(file, formats=tuple(formats))
    except UnidentifiedImageError as error:
        raise PictureError(f"is not an image ({', '.join(formats)})") from error
    except Image.DecompressionBombError as error:
        raise PictureError("has more pixels than any screen") from error
    # Decoders raise what they like on damaged data: OSError, struct.error, KeyError, EOFError, zlib.error …
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's own
            raise
        raise PictureError(f"is damaged: {error}") from error
    width, height = image.size
    if min(width, height) < 1 or width * height > MAX_PIXELS:
        image.close()
        raise PictureError(f"has {width}x{height} pixels, as no screen has")
    return image


def read_picture(source: Path | bytes, formats: Sequence[str] = FORMATS) -> Image.Image:
    """The whole picture as RGB. Raises PictureError, and OSError where the file cannot be read."""
    with open_picture(source, formats) as image:
        try:
            return image.convert("RGB")
        except Exception as error:
            raise PictureError(f"is damaged: {error}") from error
