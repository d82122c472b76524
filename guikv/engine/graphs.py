"""Decoding of sessions in slots: the step is captured once for each size of batch and then only replayed.

Launching the kernels of one token takes a GPU's host longer than the GPU needs for them; a captured CUDA graph is one
launch. Each step leaves its most likely tokens where the next one reads them, and the next one is launched before the
host has looked at them: what a reply is, and whether it is over, is found out while the GPU goes on. Whoever was to
stop has then written one token too many, behind its end, where nobody reads.

Batches are rounded up to powers of two; the rows beyond the sessions write into a slot that nobody has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import ref

import torch
from torch import Tensor

from guikv.engine.reply import Reply
from guikv.engine.slot_step import Rows, rows_of, step
from guikv.engine.slots import Slots
from guikv.engine.writing import Writing
from guikv.models.base import Adapter

Place = tuple[ref[Writing], int]
"""A reply's writing, and the tokens that it had."""


@dataclass(frozen=True)
class Launched:
    """A step whose results nobody has asked for yet: logits [size, vocabulary], likely [size], on the device."""

    places: list[Place]
    logits: Tensor
    likely: Tensor
    done: torch.cuda.Event | None

    def tokens(self) -> list[int]:
        """The most likely ones, waited for."""
        if self.done is not None:
            self.done.synchronize()
        out: list[int] = self.likely.tolist()
        return out


class GraphDecoder:
    """A `SlotDecoder`. On devices without graphs it runs the same step directly."""

    def __init__(self, adapter: Adapter, slots: Slots, ahead: bool | None = None, flash: bool = True) -> None:
        """ahead: launch the next step before it is asked for; by default where the device works while the host goes
        on; flash: use flash-attn where it can be used"""
        self.adapter, self.slots, self.flash = adapter, slots, flash
        self.ahead = adapter.device.type == "cuda" if ahead is None else ahead
        self.steps = 0
        self._buckets: dict[int, _Bucket] = {}
        self._next: Launched | None = None
        self._guessed: list[int] = []
        """The tokens that `_next` was given."""

    def fits(self, replies: Sequence[Reply]) -> bool:
        """Whether every layer of every session is in a slot, with room for tokens that no other session reads."""
        return all(
            self.slots.has(layer.reserve(reply.writing.count, 1 + self.ahead))
            for reply in replies
            for _, layer in reply.writing.cache.kv
        )

    def run(self, replies: Sequence[Reply], ids: Sequence[int]) -> tuple[Tensor, list[int]]:
        """One token of each: logits [replies, vocabulary] float32, and the most likely token of each row."""
        places = [(ref(reply.writing), reply.writing.count) for reply in replies]
        bucket, current = self._bucket(len(replies)), self._launched(places, ids)
        if current is None:
            bucket.place(rows_of([reply.writing for reply in replies], self.adapter.device), ids)
            current = self._launch(bucket, places)
        self._next = None
        if current.places != places:
            rows, likely = [current.places.index(place) for place in places], current.tokens()
            return current.logits[rows], [likely[row] for row in rows]
        if self.ahead and all(reply.sampling.plain for reply in replies):
            self._next = self._launch(bucket, [(writing, count + 1) for writing, count in places])
        self._guessed = current.tokens()[: len(places)]
        return current.logits[: len(places)], self._guessed

    def _launched(self, places: Sequence[Place], ids: Sequence[int]) -> Launched | None:
        """The step that runs already, if it is this one, or this one with others whose replies are over."""
        found = self._next
        if found is None or any(place not in found.places for place in places):
            return None
        guessed = [self._guessed[found.places.index(place)] for place in places]
        return found if guessed == list(ids) else None

    def _bucket(self, count: int) -> _Bucket:
        size = 1 << (count - 1).bit_length()
        if size not in self._buckets:
            self._buckets[size] = _Bucket(self.adapter, self.slots, size, self.flash)
        return self._buckets[size]

    def _launch(self, bucket: _Bucket, places: list[Place]) -> Launched:
        self.steps += 1
        return Launched(places, *bucket.run())


class _Bucket:
    """The step for batches of one size, with the memory that it reads from and writes to."""

    def __init__(self, adapter: Adapter, slots: Slots, size: int, flash: bool) -> None:
        self.adapter, self.slots, self.flash = adapter, slots, flash
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

    def place(self, rows: Rows, ids: Sequence[int]) -> None:
        """The batch's sessions and their next tokens; what is left over goes to the scratch slot."""
        count = len(ids)
        self.tokens.zero_()[:count] = torch.tensor(ids, device=self.tokens.device)
        self.rows.positions.zero_()[:count] = rows.positions
        self.rows.slots.fill_(self.slots.scratch)[:, :count] = rows.slots
        self.rows.ends.zero_()[:, :count] = rows.ends
        self.rows.empty.zero_()[:, :count] = rows.empty

    def run(self) -> tuple[Tensor, Tensor, torch.cuda.Event | None]:
        """Logits [size, vocabulary] float32, the most likely tokens [size], and when they are there. The rows are one
        token further then, with those tokens to come."""
        if self.tokens.device.type != "cuda":
            return self._step().clone(), self.tokens.clone(), None
        if self.graph is None:
            self._capture()
        self.graph.replay()
        assert self.logits is not None
        # The next replay writes over them.
        logits, likely = self.logits.clone(), self.tokens.to("cpu", non_blocking=True)
        done = torch.cuda.Event()
        done.record()
        return logits, likely, done

    def _step(self) -> Tensor:
        logits = step(self.adapter, self.slots, self.rows, self.tokens, self.flash)
        self.rows.advance()
        self.tokens.copy_(logits.argmax(-1))
        return logits

    def _capture(self) -> None:
        changing = (self.rows.positions, self.rows.ends, self.tokens)
        held = [part.clone() for part in changing]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            # Kernels are chosen, and memory is taken, before the capture.
            for _ in range(2):
                self._step()
        torch.cuda.current_stream().wait_stream(side)
        for part, before in zip(changing, held, strict=True):
            part.copy_(before)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.logits = self._step()
