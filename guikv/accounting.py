"""What a step cost, and what it would have cost without memory: tokens, bytes, FLOPs, seconds.

FLOPs are counted by formula, 2 per multiply-add, for matrix products only; attention counts the full rectangle of
new queries times cached entries, which is what the kernels that take a mask compute.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from guikv.prompt import Pixels


@dataclass(frozen=True)
class StepCost:
    """Costs since the last `extend`.

    tokens_new: prefilled; tokens_recomputed: of those, how many had been computed before; tokens_reused: taken
    from the cache; tokens_generated: written by the model
    entries_per_frame: screenshot → entries still cached, mean over layers and heads
    kv_bytes: of the cache as it is; full_kv_bytes: of the stateless protocol's full cache (KV heads only)
    state_bytes: of a hybrid's linear layers, which hold no entries: their states with the marks to come back to
    flops, flops_stateless: of this step, and of the same step with everything computed anew
    vision_hits, vision_misses: screenshots taken from the vision cache, and encoded; vision_bytes: of that cache
    seconds: by phase (vision, prefill, compression, decoding)
    """

    tokens_new: int = 0
    tokens_reused: int = 0
    tokens_recomputed: int = 0
    tokens_generated: int = 0
    entries_per_frame: dict[int, float] = field(default_factory=dict)
    kv_bytes: int = 0
    full_kv_bytes: int = 0
    state_bytes: int = 0
    flops: int = 0
    flops_stateless: int = 0
    vision_hits: int = 0
    vision_misses: int = 0
    vision_bytes: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON form (frame numbers become strings, as JSON has it)."""
        data = asdict(self)
        data["entries_per_frame"] = {str(k): round(v, 3) for k, v in self.entries_per_frame.items()}
        data["seconds"] = {k: round(v, 6) for k, v in self.seconds.items()}
        return data


class Stopwatch:
    """Seconds by phase; waits for the device, so that a phase's work is counted where it was asked for."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.seconds = device, dict[str, float]()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._wait()
        start = time.perf_counter()
        try:
            yield
        finally:
            self._wait()
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def decoder_flops(shape: Any, new: int, entries: list[int], logits: int = 1) -> int:
    """FLOPs of running `new` tokens through the decoder.

    entries: per layer, the cached entries that the new queries see, their own included. logits: rows of the head.
    """
    width = shape.query_heads * shape.head_dim
    projections = shape.hidden * (2 * width + 2 * shape.kv_heads * shape.head_dim)
    mlp = 3 * shape.hidden * shape.intermediate
    linear = 2 * new * (projections + mlp) * shape.layers
    attention = sum(4 * new * n * width for n in entries)
    return linear + 2 * new * shape.extra + attention + 2 * logits * shape.hidden * shape.vocabulary


def vision_flops(config: Any, pixels: Pixels) -> int:
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
