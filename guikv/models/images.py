"""From a screenshot to pixels for the vision tower, with limits that no real screen reaches."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from guikv.content import Frame
from guikv.errors import ImageError
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


def resized(size: tuple[int, int], processor: Any) -> tuple[int, int]:
    """(width, height) that the model will see, by the processor's own rule. Raises ImageError."""
    check_size(size)
    limits = processor.size
    height, width = smart_resize(
        size[1],
        size[0],
        factor=processor.patch_size * processor.merge_size,
        min_pixels=limits["shortest_edge"],
        max_pixels=limits["longest_edge"],
    )
    return width, height


def describe(frame: Frame, processor: Any) -> Pixels:
    """What the screenshot will be for the model, from its size alone. Raises ImageError."""
    width, height = resized(frame.image.size, processor)
    rows, cols = height // processor.patch_size, width // processor.patch_size
    merge = processor.merge_size
    return Pixels((1, rows, cols), frame.digest, rows // merge, cols // merge, image=frame.image)


def patches(pixels: Pixels, processor: Any) -> Tensor:
    """[patches, channels·temporal·patch²] of a screenshot through transformers' PIL processor. Raises ImageError."""
    if pixels.values is not None:
        return pixels.values
    if pixels.image is None:
        raise ImageError("a screenshot without a picture cannot be encoded")
    batch = processor(images=[pixels.image.convert("RGB")], return_tensors="pt")
    values: Tensor = batch["pixel_values"]
    return values
