"""VL-Cache (arXiv 2410.23317): the tokens after the last picture judge; sparse layers get less.

Layer budgets follow the published method: a layer's share is proportional to its density, the fraction of
attention weights of the judging queries above 1 % of the row's largest. The implementation released with GUI-KV
measures that sparsity on the embeddings for every layer, so its layer budgets differ from these, and it pools the
scores; with `layerwise=False` and its kernel the kept entries are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from guikv.policies.base import LayerView, attention_weights, check_at_least
from guikv.policies.snap_kv import SnapKV


@dataclass(frozen=True)
class VLCache(SnapKV):
    """The window is everything after the last picture; the option of that name is not used.

    kernel: 1 (no pooling) as published; the release pools over 5 entries
    layerwise: budgets by density, otherwise the same for all layers
    threshold: weights below this fraction of the row's largest count as zero when density is measured
    """

    name: ClassVar[str] = "vl_cache"

    kernel: int = 1
    layerwise: bool = True
    threshold: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least("threshold", self.threshold, 0)

    def observation_window(self, capacity: int, after_last_frame: int) -> int:
        return max(1, min(after_last_frame, capacity - 1))

    def capacities(self, views: list[LayerView], capacity: int, window: int) -> list[int]:
        if not self.layerwise:
            return [capacity] * len(views)
        density: list[float] = torch.stack([density_of(v, window, self.threshold) for v in views]).tolist()
        spare = max(0, capacity - window) * len(views)
        return [window + int(spare * d / sum(density)) for d in density]


def density_of(view: LayerView, window: int, threshold: float) -> Tensor:
    """Fraction of the window's attention weights that are not negligible, over all heads; [] float32 in (0, 1]."""
    weights = attention_weights(view, window)
    strong = weights >= threshold * weights.amax(-1, keepdim=True)
    return (strong & (weights > 0)).float().mean().clamp_min(1e-4)
