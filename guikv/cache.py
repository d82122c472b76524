"""Compressed cache layers on transformers' `Cache`.

A layer stores any subset of the tokens it has seen, a different one for every head. Keys keep the rotary phase
they were computed with, so entries can be removed without touching the others. Beside each entry stands its
*index*: the number of its token in the session's ledger, or -1 for padding. Padding is always on the left of the
real entries: the newest tokens of all heads end at the same column, and a bottom-right causal mask stays true.

Entries lie in a *place* with room for more (see `guikv.places`): what is new is written behind them, and survivors of
a compression are gathered at its beginning. Layers that are copies of each other share a place until one of them would
write where another still reads.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

from guikv.places import OwnPlaces, Place, Places

PADDING = -1


class CompressedLayer(CacheLayerMixin):
    """Keys and values [batch, heads, entries, head_dim] with `index` [batch, heads, entries], views into `place`.

    `heads` is the number of KV heads, or of query heads once `expand` was called. `seen` counts the tokens that
    went through, evicted ones included: it is the number the next token gets.
    """

    is_sliding = False

    def __init__(self, number: int = 0, places: Places | None = None) -> None:
        """number: of the decoder's layers; places: where its memory comes from, its own by default"""
        super().__init__()
        self.number, self.places = number, places or OwnPlaces()
        self.place: Place | None = None
        self.index: Tensor = torch.empty(1, 1, 0, dtype=torch.long)
        self.seen = 0
        self.padded = False

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self.dtype, self.device = key_states.dtype, key_states.device
        batch, heads, _, dim = key_states.shape
        self.keys = key_states.new_empty(batch, heads, 0, dim)
        self.values = value_states.new_empty(batch, heads, 0, value_states.shape[-1])
        self.index = torch.empty(batch, heads, 0, dtype=torch.long, device=key_states.device)
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append [batch, kv_heads, new, head_dim]; return all keys and values of the layer."""
        self.write(key_states, value_states)
        self.take_over(key_states.shape[2])
        return self.keys, self.values

    def write(self, key_states: Tensor, value_states: Tensor, behind: int = 0) -> int:
        """Write [batch, kv_heads, new, head_dim] `behind` columns after the entries, which stay what they are.

        Returns the columns up to the end of what was written. All memory is taken before anything is assigned: running
        out of it leaves the layer as it was.
        """
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.entries + behind
        end = start + key_states.shape[2]
        place = self._room(start, end)
        place.keys[:, :, start:end], place.values[:, :, start:end] = self._each(key_states), self._each(value_states)
        return end

    def reserve(self, behind: int, new: int) -> Place:
        """The layer's place, with `new` columns `behind` columns after the entries that no other layer reads."""
        return self._room(self.entries + behind, self.entries + behind + new)

    def take_over(self, new: int) -> None:
        """Make the `new` columns that were written behind the entries entries."""
        if not new:
            return
        assert self.place is not None
        start, end = self.entries, self.entries + new
        self.place.index[:, :, start:end] = torch.arange(self.seen, self.seen + new, device=self.index.device)
        self._look(end)
        self.seen += new

    def _each(self, states: Tensor) -> Tensor:
        """[batch, kv_heads, ...] → [batch, heads, ...], once for every stored head."""
        repeat = self.keys.shape[1] // states.shape[1]
        return states if repeat == 1 else states.repeat_interleave(repeat, dim=1)

    def put(self, keys: Tensor, values: Tensor, index: Tensor) -> None:
        """Make these the layer's entries."""
        if self.place is None or self.place.keys.shape[:2] != keys.shape[:2]:
            self.lazy_initialization(keys, values)
            self._leave()
        width = keys.shape[2]
        place = self._room(0, width)
        place.keys[:, :, :width], place.values[:, :, :width], place.index[:, :, :width] = keys, values, index
        self._look(width)

    def keep(self, columns: Tensor) -> None:
        """Keep only `columns` [batch, heads, kept], ascending in every row."""
        wide = columns.unsqueeze(-1)
        self.put(
            self.keys.gather(2, wide.expand(-1, -1, -1, self.keys.shape[-1])),
            self.values.gather(2, wide.expand(-1, -1, -1, self.values.shape[-1])),
            self.index.gather(2, columns),
        )
        self.padded = self.padded and bool((self.index == PADDING).any())

    def remove(self, gone: Tensor) -> None:
        """Remove the entries marked in `gone` [batch, heads, entries] (bool); ragged heads are padded on the left."""
        if not bool(gone.any()):
            return
        left = ~gone & (self.index != PADDING)
        width = int(left.sum(-1).max())
        # Stable sort of booleans: the removed ones first, the rest behind in their old order.
        columns = left.to(torch.uint8).argsort(dim=-1, stable=True)[..., left.shape[-1] - width :]
        alive = left.gather(2, columns)
        wide = columns.unsqueeze(-1)
        keys = self.keys.gather(2, wide.expand(-1, -1, -1, self.keys.shape[-1]))
        values = self.values.gather(2, wide.expand(-1, -1, -1, self.values.shape[-1]))
        index = self.index.gather(2, columns).masked_fill(~alive, PADDING)
        # Zero what is masked anyway, so that saved files and byte-wise comparisons do not depend on history.
        dead = ~alive.unsqueeze(-1)
        self.put(keys.masked_fill_(dead, 0), values.masked_fill_(dead, 0), index)
        self.padded = not bool(alive.all())

    def truncate(self, length: int) -> None:
        """Forget every token numbered `length` or higher."""
        if length >= self.seen:
            return
        gone = self.index >= length
        newest = min(self.seen - length, self.entries)
        if bool(gone[..., -newest:].all()) and not bool(gone[..., :-newest].any()):
            # The newest columns of all heads: a view needs no memory, which may be what has just run out.
            self._look(self.entries - newest)
        else:
            self.remove(gone)
        self.seen = length

    def expand(self, query_heads: int) -> None:
        """Store one copy per query head instead of one per KV head (needed to select per query head)."""
        repeat = query_heads // self.keys.shape[1]
        if repeat > 1:
            self.put(*(t.repeat_interleave(repeat, dim=1) for t in (self.keys, self.values, self.index)))

    def copy(self) -> CompressedLayer:
        """A layer with the same content, in the same place until one of the two changes."""
        other = CompressedLayer(self.number, self.places)
        other.__dict__.update(self.__dict__)
        if self.place is not None:
            self.place.holders.add(other)
        return other

    def moved(self, device: torch.device, places: Places | None) -> CompressedLayer:
        """A layer with the same content on a device, in places of its own or in the given ones."""
        other = CompressedLayer(self.number, places)
        if self.is_initialized:
            other.put(*(part.to(device) for part in (self.keys, self.values, self.index)))
        other.seen, other.padded = self.seen, self.padded
        return other

    def _room(self, start: int, end: int) -> Place:
        """A place of at least `end` columns that holds the entries before `start`, and in which no other layer relies
        on what comes from there on."""
        old = self.place
        if old is not None and old.columns >= end and not old.needed(start, self):
            return old
        batch, heads, _, dim = self.keys.shape
        place = self.places.take(self.number, (batch, heads, end, dim), self.values.shape[-1], self.dtype, self.device)
        if old is not None:
            held = min(start, old.columns)
            for part in ("keys", "values", "index"):
                getattr(place, part)[:, :, :held] = getattr(old, part)[:, :, :held]
        self._leave()
        self.place = place
        place.holders.add(self)
        self._look(min(start, self.entries))
        return place

    def _leave(self) -> None:
        if self.place is not None:
            self.place.holders.discard(self)
        self.place = None

    def _look(self, width: int) -> None:
        """The first `width` columns of the place are the layer's entries."""
        if self.place is not None:
            place = self.place
            self.keys, self.values = place.keys[:, :, :width], place.values[:, :, :width]
            self.index = place.index[:, :, :width]

    @property
    def entries(self) -> int:
        """Columns per head, padding included."""
        return self.keys.shape[2] if self.is_initialized else 0

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values."""
        if not self.is_initialized:
            return 0
        return self.keys.numel() * self.keys.element_size() + self.values.numel() * self.values.element_size()

    def get_seq_length(self) -> int:
        """Tokens seen, evicted ones included: what positions are derived from."""
        return self.seen

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.entries + query_length, 0

    def get_max_length(self) -> int:
        return -1

    def reset(self) -> None:
        self.__init__(self.number, self.places)  # type: ignore[misc]  # back to the state before the first token


class CompressedCache(Cache):
    """One `CompressedLayer` per decoder layer; layers may hold different numbers of entries."""

    layers: list[CompressedLayer]

    def __init__(self, layers: int, places: Places | None = None) -> None:
        super().__init__(layers=[CompressedLayer(number, places) for number in range(layers)])

    forgets = True
    """Whether the entries of a screenshot can be removed."""

    @property
    def kv(self) -> list[tuple[int, CompressedLayer]]:
        """The layers that hold entries, each with its number among the decoder's layers."""
        return list(enumerate(self.layers))

    @property
    def nbytes(self) -> int:
        """Bytes of all keys and values."""
        return sum(layer.nbytes for _, layer in self.kv)

    @property
    def state_bytes(self) -> int:
        """Bytes of what layers without entries remember by; caches of entries have none."""
        return 0

    @property
    def entries(self) -> int:
        """Stored entries, summed over layers (columns per head)."""
        return sum(layer.entries for _, layer in self.kv)

    def mark(self, passing: bool = False) -> None:
        """This is a point to come back to with `truncate`; `passing` ones need not be kept when the next comes.

        Caches of entries can come back to any.
        """

    def extra(self) -> dict[str, Tensor]:
        """What a session's file must hold beside the entries, by name."""
        return {}

    def put_extra(self, parts: dict[str, Tensor]) -> None:
        """Take over what `extra` gave."""

    def begin(self, new: int) -> None:
        """`new` tokens are about to run through all layers. Caches of entries need no preparation."""

    def truncate(self, length: int) -> None:
        """Forget every token numbered `length` or higher. Raises SessionError where `reachable` says otherwise."""
        for layer in self.layers:
            if layer.is_initialized:
                layer.truncate(length)

    def reachable(self, length: int) -> int:
        """The longest prefix, at most `length`, that the cache can be cut back to."""
        return length

    def drop(self, gone: Tensor) -> None:
        """Remove the entries of the tokens marked in `gone` [n] bool; nobody's position moves."""
        for layer in self.layers:
            layer.remove(gone.to(layer.index.device)[layer.index.clamp_min(0)])

    def moved(self, device: torch.device, places: Places | None = None) -> CompressedCache:
        """A cache with the same content on a device, in places of its own or in the given ones."""
        other = CompressedCache(0)
        other.layers = [layer.moved(device, places) for layer in self.layers]
        return other

    def complete_prefix(self, length: int) -> int:
        """Length, at most `length`, of the longest prefix of which every layer and head holds every token."""
        for _, layer in self.kv:
            if layer.is_initialized:
                index = layer.index
                expected = torch.arange(index.shape[-1], device=index.device)
                wrong = index.ne(expected).any(dim=0).any(dim=0)
                length = min(length, int(wrong.nonzero()[0]) if bool(wrong.any()) else index.shape[-1])
        return length

    def copy(self) -> CompressedCache:
        other = CompressedCache(0)
        other.layers = [layer.copy() for layer in self.layers]
        return other
