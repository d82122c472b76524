"""One token of many sessions in slots: fixed shapes, no control flow that depends on data, nothing that waits for the
device. This is what a CUDA graph captures, and what `torch.compile` takes as one graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

from guikv.attention import Watch
from guikv.cache import PADDING
from guikv.engine.slots import Buffers, Slot, Slots
from guikv.engine.writing import Writing
from guikv.models.base import Adapter


@dataclass(frozen=True)
class Rows:
    """Where the sessions of a batch stand; all on the device, and advanced there.

    positions: [batch] rotary position of the next token; slots: [layers, batch]
    ends: [layers, batch] columns written; empty: [layers, batch, kv_heads] columns of padding, which come first
    """

    positions: Tensor
    slots: Tensor
    ends: Tensor
    empty: Tensor

    def advance(self) -> None:
        """One token further, in place."""
        self.positions.add_(1)
        self.ends.add_(1)


def rows_of(writings: Sequence[Writing], device: torch.device) -> Rows:
    """Raises ValueError for a session that is not in slots."""
    slots, ends, empty = [], [], []
    for number, _ in writings[0].cache.kv:
        layers: list[Any] = [w.cache.layers[number] for w in writings]
        if not all(isinstance(layer.place, Slot) for layer in layers):
            raise ValueError("a session of the batch is outside of the slots")
        slots.append([layer.place.row for layer in layers])
        ends.append([layer.entries + w.count for layer, w in zip(layers, writings, strict=True)])
        empty.append(torch.stack([layer.index[0].eq(PADDING).sum(-1) for layer in layers]))
    positions = torch.tensor([w.next_position for w in writings], device=device)
    return Rows(
        positions, torch.tensor(slots, device=device), torch.tensor(ends, device=device), torch.stack(empty).to(device)
    )


class _Layer(CacheLayerMixin):
    """One layer's buffers and where each session stands in them."""

    is_sliding = False
    is_compileable = True

    def __init__(self, buffers: Buffers, slots: Tensor, ends: Tensor, empty: Tensor, flash: bool) -> None:
        super().__init__()
        self.buffers, self.slots, self.ends, self.empty, self.flash = buffers, slots, ends, empty, flash
        self.is_initialized = True

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None: ...

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write [batch, kv_heads, 1, head_dim] at each session's end."""
        heads = torch.arange(key_states.shape[1], device=key_states.device)
        at = (self.slots[:, None], heads[None], self.ends[:, None])
        self.buffers.keys.index_put_(at, key_states[:, :, 0])
        self.buffers.values.index_put_(at, value_states[:, :, 0])
        return key_states, value_states

    def attend(self, query: Tensor, scaling: float | None) -> Tensor:
        """query [batch, heads, 1, d] over each session's own entries, this token's among them."""
        batch, heads, _, dim = query.shape
        stored, capacity = self.buffers.keys.shape[1:3]
        grouped = query.reshape(batch, stored, heads // stored, dim)
        flash = _flash_with_cache(query) if self.flash else None
        if flash is not None:
            # Every stored head is a sequence of its own: heads may hold different numbers of entries.
            keys, values = (t.reshape(-1, capacity, 1, dim) for t in (self.buffers.keys, self.buffers.values))
            which = self.slots[:, None] * stored + torch.arange(stored, device=query.device)
            out = flash(
                grouped.reshape(batch * stored, 1, heads // stored, dim),
                keys,
                values,
                cache_seqlens=(self.ends + 1).repeat_interleave(stored).int(),
                cache_batch_idx=which.flatten().int(),
                cache_leftpad=self.empty.flatten().int(),
                softmax_scale=scaling,
                causal=True,
            )
            return out.reshape(batch, heads, 1, dim)
        columns = torch.arange(capacity, device=query.device)
        seen = (columns <= self.ends[:, None, None]) & (columns >= self.empty[:, :, None])
        out = F.scaled_dot_product_attention(
            grouped, self.buffers.keys[self.slots], self.buffers.values[self.slots], seen[:, :, None], scale=scaling
        )
        return out.reshape(batch, heads, 1, dim)

    def get_seq_length(self) -> int:
        return 0

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.buffers.keys.shape[2], 0

    def get_max_length(self) -> int:
        return self.buffers.keys.shape[2]


class SlotBatch(Cache):
    """The sessions of one step as the model's cache."""

    def __init__(self, slots: Slots, rows: Rows, flash: bool = True) -> None:
        """flash: use flash-attn where it can be used"""
        parts = zip(slots.buffers.values(), rows.slots, rows.ends, rows.empty, strict=True)
        super().__init__(layers=[_Layer(*part, flash) for part in parts])

    def begin(self, new: int) -> None:
        """Nothing has to be prepared."""

    def attend(self, layer: int, query: Tensor, scaling: float | None) -> Tensor:
        """As in `guikv.attention.Batch`."""
        found: _Layer = self.layers[layer]
        return found.attend(query, scaling)


def step(adapter: Adapter, slots: Slots, rows: Rows, tokens: Tensor, flash: bool = True) -> Tensor:
    """Logits [batch, vocabulary] float32 after tokens [batch]; `rows` are advanced by the caller."""
    batch = SlotBatch(slots, rows, flash)
    axes = adapter.positions_of_text(0, 1).shape[0]
    positions = rows.positions.expand(axes, -1)[..., None]
    hidden = adapter.forward(adapter.embed_text(tokens[:, None]), positions, batch, Watch(batch=batch))
    return adapter.logits(hidden[:, -1]).float()


def _flash_with_cache(query: Tensor) -> Any:
    """flash-attn's decoding function where it can be used (CUDA, half precision, package importable), else None."""
    if not query.is_cuda or query.dtype not in (torch.float16, torch.bfloat16):
        return None
    try:
        from flash_attn import flash_attn_with_kvcache
    except ImportError:
        return None
    return flash_attn_with_kvcache
