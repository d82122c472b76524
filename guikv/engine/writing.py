"""Tokens behind a session's entries that are not the session's yet: replies in the making, and drafts of them.

One forward pass takes the next tokens of several sessions. Their keys and values go into the free columns of each
session's own places; until `commit`, nothing of a session changes, and to give up costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

from guikv.attention import Watch, attend
from guikv.cache import PADDING, CompressedCache, CompressedLayer
from guikv.hybrid_cache import StateLayer
from guikv.models.base import Adapter


class Writing:
    """Where the next tokens of one session go. `count`: those written and kept so far."""

    def __init__(self, cache: CompressedCache, position: int, passing: bool = False) -> None:
        """position: rotary position of the first token, on every axis; passing: as in `CompressedCache.mark`"""
        cache.mark(passing)
        self.cache, self.position, self.count = cache, position, 0
        self._states = [(layer, layer.state) for layer in cache.layers if isinstance(layer, StateLayer)]
        self._empty: dict[int, Tensor] = {}

    @property
    def next_position(self) -> int:
        """Rotary position of the token after those kept."""
        return self.position + self.count

    def keep(self, new: int) -> None:
        """The first `new` of the tokens that were run last stay; what comes next follows them."""
        self.count += new

    def commit(self) -> None:
        """The tokens kept become the session's."""
        for _, layer in self.cache.kv:
            layer.take_over(self.count)
        self.count = 0

    def undo(self) -> None:
        """Forget the tokens kept."""
        for layer, state in self._states:
            layer.put(state)
        self.count = 0

    def attend(self, number: int, query: Tensor, scaling: float | None) -> Tensor:
        """query [1, heads, new, d] over the entries, the tokens kept and the new ones: [1, heads, new, d]."""
        layer: Any = self.cache.layers[number]
        place, end = layer.place, layer.entries + self.count + query.shape[2]
        padding = None
        if layer.padded:
            if number not in self._empty:
                self._empty[number] = layer.index.eq(PADDING).sum(-1, keepdim=True)
            padding = torch.arange(end, device=query.device) < self._empty[number]
        return attend(query, place.keys[:, :, :end], place.values[:, :, :end], scaling=scaling, padding=padding)


class _Layer(CacheLayerMixin):
    """One layer of all sessions in the pass."""

    is_sliding = False

    def __init__(self, layers: Sequence[CompressedLayer], writings: Sequence[Writing]) -> None:
        super().__init__()
        self.layers, self.writings = layers, writings

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write [batch, kv_heads, new, head_dim], row by row; what is returned is for nobody to see."""
        for row, (layer, writing) in enumerate(zip(self.layers, self.writings, strict=True)):
            layer.write(key_states[row : row + 1], value_states[row : row + 1], behind=writing.count)
        return key_states, value_states

    def get_seq_length(self) -> int:
        return max(layer.seen + writing.count for layer, writing in zip(self.layers, self.writings, strict=True))

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.get_seq_length() + query_length, 0

    def get_max_length(self) -> int:
        return -1


class WritingBatch(Cache):
    """The sessions of one forward pass, as the model's cache. A hybrid's states are its own, so it runs alone."""

    def __init__(self, writings: Sequence[Writing]) -> None:
        """Raises ValueError for a batch with a hybrid in it."""
        self.writings = writings
        first = writings[0].cache
        if len(writings) > 1 and any(w.cache.state_bytes for w in writings):
            raise ValueError("sessions with recurrent states are decoded one by one")
        super().__init__(
            layers=[
                layer if isinstance(layer, StateLayer) else _Layer([w.cache.layers[number] for w in writings], writings)
                for number, layer in enumerate(first.layers)
            ]
        )

    def begin(self, new: int) -> None:
        """`new` tokens a session are about to run: a state must not be written where it is kept for `undo`."""
        for layer in self.layers:
            if isinstance(layer, StateLayer):
                layer.own()

    def attend(self, layer: int, query: Tensor, scaling: float | None) -> Tensor:
        """As in `guikv.attention.Batch`."""
        if len(self.writings) == 1:
            return self.writings[0].attend(layer, query, scaling)
        rows = [w.attend(layer, query[row : row + 1], scaling) for row, w in enumerate(self.writings)]
        return torch.cat(rows)


def run(adapter: Adapter, batch: WritingBatch, ids: Tensor) -> Tensor:
    """Run the next tokens of each session: ids [batch, new] → last hidden states [batch, new, hidden]."""
    new = ids.shape[1]
    positions = [adapter.positions_of_text(w.next_position, new) for w in batch.writings]
    placed = torch.stack(positions, dim=1).to(ids.device)
    return adapter.forward(adapter.embed_text(ids), placed, batch, Watch(batch=batch))
