"""One decoding step of one reply or of many: their next tokens run in one forward pass."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from guikv.engine.reply import Reply
from guikv.engine.writing import WritingBatch, run
from guikv.errors import GuikvError
from guikv.models.base import Adapter
from guikv.out_of_memory import memory_errors


class SlotDecoder(Protocol):
    """What decodes sessions in slots faster than `run` does; see `guikv.engine.graphs`."""

    def fits(self, replies: Sequence[Reply]) -> bool:
        """Whether all of them can be run here."""

    def run(self, replies: Sequence[Reply], ids: Sequence[int]) -> tuple[Tensor, list[int]]:
        """One token of each: logits [replies, vocabulary] float32, and the most likely token of each row."""


def advance(adapter: Adapter, replies: Sequence[Reply], slots: SlotDecoder | None = None) -> list[Reply]:
    """One step of every reply; returns those that are over, by themselves or by a failure, which is their `error`.

    A reply that is alone tries drafts; in a batch, each takes one token, so that nobody waits for another's.
    """
    going: list[Reply] = []
    over: list[Reply] = []
    for reply in replies:
        try:
            ids = reply.next_ids(draft=len(replies) == 1)
        except GuikvError as error:
            reply.error = error
            ids = ()
        (going if ids else over).append(reply)
    alone = [[reply] for reply in going if not reply.shares]
    together = [reply for reply in going if reply.shares]
    for group in [*alone, together] if together else alone:
        start = time.perf_counter()
        try:
            with memory_errors(adapter.device, "decoding"):
                logits, likely = _run(adapter, group, slots)
        except GuikvError as error:
            for reply in group:
                reply.error = error
            over += group
            continue
        for reply, row, tokens in zip(group, logits, likely, strict=True):
            reply.take(row, tokens)
            reply.seconds += (time.perf_counter() - start) / len(group)
    return over


def _run(adapter: Adapter, group: Sequence[Reply], slots: SlotDecoder | None) -> tuple[Tensor, Sequence[Sequence[int]]]:
    """[replies, tokens asked, vocabulary] float32, and the most likely token of each row, fetched at once for all."""
    ids = [reply.asked for reply in group]
    if slots is not None and len(ids[0]) == 1 and slots.fits(group):
        logits, likely = slots.run(group, [token for (token,) in ids])
        return logits[:, None], [(token,) for token in likely]
    batch = WritingBatch([reply.writing for reply in group])
    hidden = run(adapter, batch, torch.tensor(ids, device=adapter.device))
    logits = adapter.logits(hidden).float()
    return logits, logits.argmax(-1).tolist()
