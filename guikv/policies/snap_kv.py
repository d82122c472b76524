"""SnapKV (arXiv 2404.14469): pooled attention of the last queries decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from guikv.policies.base import (
    LayerView,
    Policy,
    Reduction,
    attention_weights,
    check_at_least,
    check_choice,
    reduce_groups,
)

Pooling = Literal["avgpool", "maxpool"]


@dataclass(frozen=True)
class SnapKV(Policy):
    """window: last queries that judge, always kept; kernel: odd width of the pooling along the entries."""

    name: ClassVar[str] = "snap_kv"
    stacks: ClassVar[bool] = True

    window: int = 8
    kernel: int = 5
    pooling: Pooling = "avgpool"
    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least("window", self.window, 1)
        check_at_least("kernel", self.kernel, 1)
        check_choice("kernel parity", "odd" if self.kernel % 2 else "even", ("odd",))
        check_choice("pooling", self.pooling, ("avgpool", "maxpool"))
        check_choice("reduction", self.reduction, ("mean", "max", "sum"))

    def observation_window(self, capacity: int, after_last_frame: int) -> int:
        """The window shrinks when the budget is tiny, so that at least two entries are chosen by score."""
        return max(1, min(self.window, capacity - 2))

    def scores(self, view: LayerView, window: int) -> Tensor:
        return self.pooled_attention(view, window)

    def pooled_attention(self, view: LayerView, window: int) -> Tensor:
        """Attention summed over the window, pooled over the entries before it: [batch, heads, n].

        Entries of the window itself score 0; the selection keeps them anyway.
        """
        past = attention_weights(view, window).sum(3)[..., :-window]
        if self.kernel > 1 and past.shape[-1]:
            pool = F.avg_pool1d if self.pooling == "avgpool" else F.max_pool1d
            flat = pool(past.flatten(0, 2), self.kernel, stride=1, padding=self.kernel // 2)
            past = flat.view(past.shape)
        return F.pad(reduce_groups(past, self.reduction), (0, window))
