"""From a screenshot to pixels for the vision tower, with limits that no real screen reaches."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from guikv.content import Frame
from guikv.errors import ImageError, ModelError
from guikv.prompt import Pixels

MIN_SIDE = 28
MAX_SIDE = 16_384
MAX_PIXELS = 80_000_000


def check_size(size: tuple[int, int]) -> None:
    """Raise ImageError for a picture that is not a screen: under 28 or over 16,384 pixels a side, or a thread."""
    width, height = size
    if min(size) < MIN_SIDE:
        raise ImageError(f"a screenshot of {width}x{height} is too small: a model needs {MIN_SIDE} pixels a side")
    if max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageError(
            f"a screenshot of {width}x{height} is too large: at most {MAX_SIDE} pixels a side and "
            f"{MAX_PIXELS // 10**6} megapixels; take a window or a region instead"
        )
    if max(size) / min(size) > 200:
        raise ImageError(f"a screenshot of {width}x{height} is too narrow: its sides differ more than 200-fold")


PREPROCESSOR = "preprocessor_config.json"
LIMITS = (("shortest_edge", "min_pixels", 56 * 56), ("longest_edge", "max_pixels", 28 * 28 * 1280))
"""Least and most pixels of an image: their names in `size`, beside it, and what the family does where nothing is said.
In spite of the names, `shortest_edge` and `longest_edge` are numbers of pixels too."""


def written_limits(written: dict[str, Any]) -> tuple[int, int]:
    """(least, most) pixels of an image that a checkpoint's preprocessor_config.json names, under whatever names.

    Raises ModelError for what is no number of pixels, naming the key.
    """
    size = written.get("size")
    if size is None:
        size = {}
    if not isinstance(size, dict) or (size and not {key for *keys, _ in LIMITS for key in keys} & size.keys()):
        raise ModelError(f"{PREPROCESSOR}: size: expected min_pixels and max_pixels, not {size!r:.80}")
    found = []
    for edge, name, usual in LIMITS:
        given = {name: written.get(name), **{f"size.{key}": size.get(key) for key in (name, edge)}}
        key, value = next(((k, v) for k, v in given.items() if v is not None), (name, usual))
        found.append(_whole(key, value))
    return found[0], found[1]


def without_limits(written: dict[str, Any]) -> dict[str, Any]:
    """The rest of what the file says; what is null there is left to the family's defaults.

    Raises ModelError for patches of impossible sizes, naming the key.
    """
    rest = {k: v for k, v in written.items() if v is not None and k not in ("size", "min_pixels", "max_pixels")}
    sides = ("patch_size", "temporal_patch_size", "merge_size")
    return {key: _whole(key, value) if key in sides else value for key, value in rest.items()}


def _whole(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 or not 0 < value < 1e12:
        raise ModelError(f"{PREPROCESSOR}: {key}: expected a number of pixels, not {value!r:.80}")
    return int(value)


def resized(size: tuple[int, int], processor: Any, max_pixels: int | None = None) -> tuple[int, int]:
    """(width, height) that the model will see, by the processor's own rule. Raises ImageError.

    max_pixels: a limit below the processor's own
    """
    check_size(size)
    low, high = limits(processor, max_pixels)
    side = processor.patch_size * processor.merge_size
    height, width = smart_resize(size[1], size[0], factor=side, min_pixels=low, max_pixels=high)
    return width, height


def limits(processor: Any, max_pixels: int | None = None) -> tuple[int, int]:
    """Least and most pixels of an image, the most lowered to `max_pixels` but never below one token."""
    low, high = processor.size["shortest_edge"], processor.size["longest_edge"]
    if max_pixels is not None:
        high = max(min(high, max_pixels), (processor.patch_size * processor.merge_size) ** 2)
    return min(low, high), high


def describe(frame: Frame, processor: Any) -> Pixels:
    """What the screenshot will be for the model, from its size alone. Raises ImageError."""
    width, height = resized(frame.size, processor, frame.max_pixels)
    rows, cols = height // processor.patch_size, width // processor.patch_size
    merge = processor.merge_size
    grid = (1, rows, cols)
    if (width, height) == resized(frame.size, processor):
        return Pixels(grid, frame.digest, rows // merge, cols // merge, frame.picture)
    # The same picture in another size is another content.
    digest = f"{frame.digest} {width}x{height}"
    return Pixels(grid, digest, rows // merge, cols // merge, frame.picture, max_pixels=frame.max_pixels)


def patches(pixels: Pixels, processor: Any) -> Tensor:
    """[patches, channels·temporal·patch²] of a screenshot through transformers' PIL processor. Raises ImageError."""
    if pixels.values is not None:
        return pixels.values
    if pixels.image is None:
        raise ImageError("a screenshot without its picture cannot be encoded: it was released, or never given")
    low, high = limits(processor, pixels.max_pixels)
    size = {"shortest_edge": low, "longest_edge": high}
    batch = processor(images=[pixels.image.convert("RGB")], size=size, return_tensors="pt")
    values: Tensor = batch["pixel_values"]
    return values
