"""Fixed places for the caches of many sessions: per layer one buffer, in which every session has a slot.

Compressed caches are bounded, so a slot of fixed size wastes little, needs no pages, and makes a decoding step of many
sessions one operation a layer. What cannot be bounded (the policy `full`, a budget that grows) gets memory of its own,
and is counted in `outside`.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import torch
from torch import Tensor

from guikv.cache import CompressedCache
from guikv.models.base import Shape
from guikv.places import OwnPlaces, Place
from guikv.state import State


class Slot(Place):
    """A place that is one row of a layer's buffers. home: the slots that it is one of"""

    def __init__(self, home: Slots, row: int, keys: Tensor, values: Tensor, index: Tensor) -> None:
        super().__init__(keys, values, index)
        self.home, self.row = home, row


@dataclass(frozen=True)
class Buffers:
    """One layer's: keys, values [slots, kv_heads, capacity, head_dim]; index [slots, kv_heads, capacity]."""

    keys: Tensor
    values: Tensor
    index: Tensor


class Slots:
    """Places for sessions of one model, `Places` of its caches.

    A compression gathers what stays in a free slot and gives the old one back when it has succeeded, so there has to be
    one slot more than sessions.
    """

    def __init__(
        self, shape: Shape, numbers: list[int], slots: int, capacity: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        """numbers: of the layers that hold entries; capacity: entries of a slot, padding included"""
        self.capacity = capacity
        self.outside = 0
        """Places that did not fit since it was made."""
        self._own = OwnPlaces()
        self._free = {number: list(range(slots)) for number in numbers}
        self.scratch = slots
        """A slot that no session gets."""
        with torch.inference_mode(False):
            size = (slots + 1, shape.kv_heads, capacity)
            # What was never written is masked, but not a number would outlive a mask.
            self.buffers = {
                number: Buffers(
                    torch.zeros(*size, shape.head_dim, dtype=dtype, device=device),
                    torch.zeros(*size, shape.head_dim, dtype=dtype, device=device),
                    torch.zeros(size, dtype=torch.long, device=device),
                )
                for number in numbers
            }

    @property
    def nbytes(self) -> int:
        """Bytes of all keys and values, used or not."""
        return sum(t.numel() * t.element_size() for b in self.buffers.values() for t in (b.keys, b.values))

    @property
    def free(self) -> int:
        """Slots that a session can take in every layer."""
        return min(map(len, self._free.values()))

    def hold(self, cache: CompressedCache) -> bool:
        """Whether all of a session's entries are in slots."""
        return all(self.has(layer.place) for _, layer in cache.kv if layer.is_initialized)

    def has(self, place: Place | None) -> bool:
        """Whether the place is one of these slots."""
        return isinstance(place, Slot) and place.home is self

    def could_hold(self, cache: CompressedCache) -> bool:
        """Whether its entries fit, and there are free slots for them."""
        heads = next(iter(self.buffers.values())).keys.shape[1]
        fits = all(layer.entries < self.capacity and layer.keys.shape[1] == heads for _, layer in cache.kv)
        return fits and self.free > 0

    def bring(self, state: State) -> State:
        """The same content in slots; where it does not fit or none is free, the state as it is."""
        if self.hold(state.cache) or not self.could_hold(state.cache):
            return state
        return state.moved(next(iter(self.buffers.values())).keys.device, self)

    def take(
        self, layer: int, shape: tuple[int, int, int, int], value_dim: int, dtype: torch.dtype, device: torch.device
    ) -> Place:
        """As in `Places`: a slot where one is free and the entries fit."""
        batch, heads, columns, _ = shape
        buffers = self.buffers.get(layer)
        fits = buffers is not None and batch == 1 and heads == buffers.keys.shape[1] and columns <= self.capacity
        if buffers is None or not fits or not self._free[layer]:
            self.outside += 1
            return self._own.take(layer, shape, value_dim, dtype, device)
        row = self._free[layer].pop(0)
        place = Slot(self, row, *(part[row : row + 1] for part in (buffers.keys, buffers.values, buffers.index)))
        weakref.finalize(place, self._free[layer].append, row)
        return place
