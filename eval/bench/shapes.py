"""Models of real shapes with random weights: what a step costs does not depend on the weights' values."""

from __future__ import annotations

from collections.abc import Callable

from guikv.models.base import Adapter
from guikv.models.device import choose_device, choose_dtype
from guikv.models.random_weights import QWEN3_8B, QWEN25_7B, Sizes, random_model, random_qwen3

SMALL = Sizes(
    hidden=768,
    layers=12,
    heads=12,
    kv_heads=4,
    intermediate=2304,
    vision_hidden=384,
    vision_layers=8,
    vision_intermediate=1024,
    max_pixels=28 * 28 * 864,
)
"""A Qwen2.5-VL of 101 M parameters; a 1024x768 screenshot becomes 851 tokens."""

SHAPES: dict[str, tuple[Callable[..., Adapter], Sizes]] = {
    "small": (random_model, SMALL),
    "qwen2.5-vl-7b": (random_model, QWEN25_7B),
    "qwen3-vl-8b": (random_qwen3, QWEN3_8B),
}
"""Name → what makes the model, and its sizes. The real ones need about 17 GB in bfloat16, so a GPU."""


def shaped(name: str, device: str = "auto", dtype: str = "auto") -> Adapter:
    """A random model of that shape on the device. Raises ModelError for a device or dtype that there is not."""
    place = choose_device(device)
    make, sizes = SHAPES[name]
    return make(sizes, dtype=choose_dtype(dtype, place), device=str(place))
