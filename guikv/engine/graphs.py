"""Decoding of sessions in slots: the step is captured once for each size of batch and then only replayed.

Launching the kernels of one token takes a GPU's host longer than the GPU needs for them; a captured CUDA graph is one
launch. Batches are rounded up to powers of two; the rows beyond the sessions write into a slot that nobody has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import ref

import torch
from torch import Tensor

from guikv.engine.reply import Reply
from guikv.engine.slot_step import Rows, rows_of, step
from guikv.engine.slots import Slot, Slots
from guikv.engine.writing import Writing
from guikv.models.base import Adapter


class GraphDecoder:
    """A `SlotDecoder`. On devices without graphs it runs the same step directly."""

    def __init__(self, adapter: Adapter, slots: Slots) -> None:
        self.adapter, self.slots = adapter, slots
        self._buckets: dict[int, _Bucket] = {}
        self._running: list[tuple[ref[Writing], int]] = []
        """Of the batch that ran last: each reply's writing, and the tokens that it has by now."""

    def fits(self, replies: Sequence[Reply]) -> bool:
        """Whether every layer of every session is in a slot, with room for a token that no other session reads."""
        return all(
            isinstance(layer.reserve(reply.writing.count, 1), Slot)
            for reply in replies
            for _, layer in reply.writing.cache.kv
        )

    def run(self, replies: Sequence[Reply], ids: Sequence[int]) -> Tensor:
        """One token of each: logits [replies, vocabulary] float32."""
        size = 1 << (len(replies) - 1).bit_length()
        if size not in self._buckets:
            self._buckets[size] = _Bucket(self.adapter, self.slots, size)
        bucket = self._buckets[size]
        if [(ref(reply.writing), reply.writing.count) for reply in replies] != self._running:
            bucket.place(rows_of([reply.writing for reply in replies], self.adapter.device))
        logits = bucket.run(ids)[: len(replies)]
        self._running = [(ref(reply.writing), reply.writing.count + 1) for reply in replies]
        return logits


class _Bucket:
    """The step for batches of one size, with the memory that it reads from and writes to."""

    def __init__(self, adapter: Adapter, slots: Slots, size: int) -> None:
        self.adapter, self.slots, self.size = adapter, slots, size
        device, layers, heads = adapter.device, len(slots.buffers), adapter.shape.kv_heads
        with torch.inference_mode(False):
            self.tokens = torch.zeros(size, dtype=torch.long, device=device)
            self.rows = Rows(
                torch.zeros(size, dtype=torch.long, device=device),
                torch.full((layers, size), slots.scratch, device=device),
                torch.zeros(layers, size, dtype=torch.long, device=device),
                torch.zeros(layers, size, heads, dtype=torch.long, device=device),
            )
        self.graph: Any = None
        self.logits: Tensor | None = None

    def place(self, rows: Rows) -> None:
        """The batch's sessions; what is left over goes to the scratch slot."""
        count = len(rows.positions)
        for name in ("positions", "slots", "ends", "empty"):
            mine, theirs = getattr(self.rows, name), getattr(rows, name)
            if name == "positions":
                mine.zero_()[:count] = theirs
            else:
                mine.fill_(self.slots.scratch if name == "slots" else 0)[:, :count] = theirs

    def run(self, ids: Sequence[int]) -> Tensor:
        """[size, vocabulary] float32, and the rows one token further."""
        self.tokens[: len(ids)] = torch.tensor(ids, device=self.tokens.device)
        if self.tokens.device.type != "cuda":
            return self._step()
        if self.graph is None:
            self._capture()
        self.graph.replay()
        assert self.logits is not None
        # The next replay writes over them.
        return self.logits.clone()

    def _step(self) -> Tensor:
        logits = step(self.adapter, self.slots, self.rows, self.tokens)
        self.rows.advance()
        return logits

    def _capture(self) -> None:
        held = self.rows.positions.clone(), self.rows.ends.clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            # Kernels are chosen, and memory is taken, before the capture.
            for _ in range(2):
                self._step()
        torch.cuda.current_stream().wait_stream(side)
        self.rows.positions.copy_(held[0])
        self.rows.ends.copy_(held[1])
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.logits = self._step()
