"""Slots for a session that decodes alone, so that it has captured graphs too."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from guikv.engine.graphs import GraphDecoder
from guikv.engine.reply import Reply
from guikv.engine.slots import Slots
from guikv.models.base import Adapter
from guikv.out_of_memory import memory_errors
from guikv.state import State

ROUND = 1024
"""Entries that a slot's capacity is a multiple of."""
SPARE = 1.25
"""A slot has room for a quarter more than was needed, because a new one is a new graph."""


class Lane:
    """A `SlotDecoder` of one session. Its slot is made when it first replies, and again when it has outgrown it."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.decoder: GraphDecoder | None = None

    def enter(self, state: State, new: int) -> State:
        """The same content in the slot, with room for `new` tokens; where a policy keeps entries for each query head,
        which slots are not made for, the state as it is.

        Raises DeviceMemoryError.
        """
        layers = state.cache.kv
        if any(layer.is_initialized and layer.keys.shape[1] != self.adapter.shape.kv_heads for _, layer in layers):
            return state
        needed = max(layer.entries for _, layer in layers) + new + 2
        if self.decoder is None or self.decoder.slots.capacity < needed:
            # What is held is in the old slots: they go when the state has moved.
            capacity = -(-int(needed * SPARE) // ROUND) * ROUND
            numbers = [number for number, _ in layers]
            with memory_errors(self.adapter.device, "making a slot to decode in"):
                slots = Slots(self.adapter.shape, numbers, 1, capacity, self.adapter.dtype, self.adapter.device)
            self.decoder = GraphDecoder(self.adapter, slots)
        return self.decoder.slots.bring(state)

    def fits(self, replies: Sequence[Reply]) -> bool:
        """As in `SlotDecoder`."""
        return self.decoder is not None and self.decoder.fits(replies)

    def run(self, replies: Sequence[Reply], ids: Sequence[int]) -> tuple[Tensor, list[int]]:
        """As in `SlotDecoder`."""
        assert self.decoder is not None
        return self.decoder.run(replies, ids)
