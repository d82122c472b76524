"""What the vision encoder makes of a screenshot, kept by the picture's content, and what encoding it takes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from guikv.prompt import NO_FRAME, Pixels

LIMIT = 512 * 2**20
"""Bytes of features that are kept unless something else is asked for: seven screenshots of 1920x1080 in the largest
case so far (Qwen3-VL-8B in bfloat16)."""

MOST = 64
"""Screenshots whose features are kept at most, so that a small model's do not grow for an hour."""


@dataclass(frozen=True)
class Features:
    """Features of one screenshot in the decoder's space.

    tokens: [n, hidden], what takes the place of the image tokens' embeddings
    deep: per decoder layer from the first, [n, hidden], what is added to the image tokens after that layer
    """

    tokens: Tensor
    deep: tuple[Tensor, ...] = ()

    def __post_init__(self) -> None:
        if any(deep.shape != self.tokens.shape for deep in self.deep):
            raise ValueError("deep features need one row for every image token")

    @property
    def nbytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in (self.tokens, *self.deep))


@dataclass(frozen=True)
class Deep:
    """Deep features of all screenshots in one forward pass.

    rows: [new] bool, the image tokens among the new ones; layers: per decoder layer from the first, [image tokens,
    hidden] in the order of the rows
    """

    rows: Tensor
    layers: tuple[Tensor, ...]

    def part(self, tokens: slice) -> Deep | None:
        """Those of some of the new tokens; None where no image token is among them."""
        first, count = int(self.rows[: tokens.start].sum()), int(self.rows[tokens].sum())
        layers = tuple(layer[first : first + count] for layer in self.layers)
        return Deep(self.rows[tokens], layers) if count else None


def place(embeds: Tensor, frames: Tensor, features: dict[int, Features]) -> Deep | None:
    """Write the features over the image tokens of `embeds` [new, hidden]; returns their deep part, if there is one.

    frames: [new], the screenshot's number at image tokens, NO_FRAME elsewhere
    """
    frames = frames.to(embeds.device)
    for number, found in features.items():
        embeds[frames == number] = found.tokens.to(embeds.dtype)
    depth = max((len(f.deep) for f in features.values()), default=0)
    if not depth:
        return None
    rows = frames != NO_FRAME
    owners = frames[rows]
    layers = tuple(embeds.new_zeros(len(owners), embeds.shape[-1]) for _ in range(depth))
    for number, found in features.items():
        for layer, deep in zip(layers, found.deep, strict=True):
            layer[owners == number] = deep.to(layer.dtype)
    return Deep(rows, layers)


Key = tuple[str, tuple[int, int, int]]


class VisionCache:
    """Features by the picture's content and grid; the ones used longest ago go when `limit` bytes are exceeded, or
    MOST pictures.

    hits, misses: look-ups since it was made; nbytes: held now
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.hits = self.misses = self.nbytes = 0
        self._held: OrderedDict[Key, Features] = OrderedDict()

    def get(self, pixels: Pixels) -> Features | None:
        """The features of this picture at this size, counted as a hit, or None, counted as a miss."""
        found = self._held.get(_key(pixels))
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._held.move_to_end(_key(pixels))
        return found

    def put(self, pixels: Pixels, features: Features) -> None:
        """Keep the features, unless they alone exceed the limit."""
        old = self._held.pop(_key(pixels), None)
        self.nbytes -= 0 if old is None else old.nbytes
        if features.nbytes > self.limit:
            return
        self._held[_key(pixels)] = features
        self.nbytes += features.nbytes
        while self.nbytes > self.limit or len(self._held) > MOST:
            self.nbytes -= self._held.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Let go of everything."""
        self._held.clear()
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, pixels: Pixels) -> bool:
        return _key(pixels) in self._held


def _key(pixels: Pixels) -> Key:
    return pixels.digest, pixels.grid


def merged_positions(start: int, pixels: Pixels) -> Tensor:
    """[3, tokens] rotary positions of an image at `start`: time stands still, height and width count merged patches."""
    rows, cols = torch.arange(pixels.rows), torch.arange(pixels.cols)
    height = rows.repeat_interleave(pixels.cols)
    width = cols.repeat(pixels.rows)
    return torch.stack([torch.zeros_like(height), height, width]) + start


def windowed_flops(config: Any, pixels: Pixels) -> int:
    """FLOPs of Qwen2.5-VL's vision tower on one screenshot: windowed blocks, full blocks, merger."""
    patches = pixels.grid[0] * pixels.grid[1] * pixels.grid[2]
    hidden, merged = config.hidden_size, config.spatial_merge_size**2
    patch = config.in_channels * config.temporal_patch_size * config.patch_size**2
    block = patches * hidden * (4 * hidden + 3 * config.intermediate_size)
    full = len([b for b in config.fullatt_block_indexes if b < config.depth])
    pairs = full * patches**2 + (config.depth - full) * _pairs_in_vision_windows(config, pixels)
    merger = patches // merged * (hidden * merged) * (hidden * merged + config.out_hidden_size)
    return 2 * (patches * patch * hidden + config.depth * block + merger) + 4 * hidden * pairs


def _pairs_in_vision_windows(config: Any, pixels: Pixels) -> int:
    """Query-key pairs inside the attention windows, summed over the windows (those at the edges are smaller)."""
    side = config.window_size // config.patch_size // config.spatial_merge_size
    merged = config.spatial_merge_size**2
    heights = [min(side, pixels.rows - r) for r in range(0, pixels.rows, side)]
    widths = [min(side, pixels.cols - c) for c in range(0, pixels.cols, side)]
    return pixels.grid[0] * sum((h * w * merged) ** 2 for h in heights for w in widths)
