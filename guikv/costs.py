"""Counting a step's costs while a session runs."""

from __future__ import annotations

import torch

from guikv.accounting import StepCost, Stopwatch, decoder_flops
from guikv.cache import CompressedCache
from guikv.compression import frame_presence, stateless_rows
from guikv.ledger import Ledger
from guikv.models.base import Adapter
from guikv.prompt import NO_FRAME, Pixels, Prompt
from guikv.state import State

__all__ = ["Counter", "StepCost"]


class Counter:
    """Collects from one `extend` to the next."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.stopwatch = Stopwatch(adapter.device)
        self.new = self.reused = self.recomputed = self.generated = self.flops = self.flops_stateless = 0
        self.vision_hits = self.vision_misses = 0

    def begin(self, before: Ledger, prompt: Prompt, reuse: int, history: int) -> None:
        """A new step: `prompt` follows what the session held `before`, of which `reuse` tokens stay."""
        self.stopwatch = Stopwatch(self.adapter.device)
        self.new, self.reused, self.generated, self.flops = len(prompt) - reuse, reuse, 0, 0
        self.vision_hits = self.vision_misses = 0
        self.recomputed = computed_before(before, prompt, reuse)
        sent = sorted(prompt.images)[-history:]
        length = prompt.without(torch.tensor(sorted(prompt.images)[:-history], dtype=torch.long))
        self.flops_stateless = sum(self.adapter.vision_flops(prompt.images[n]) for n in sent)
        self.flops_stateless += decoder_flops(self.adapter.shape, length, [length] * self.adapter.shape.layers)

    def count_decoder(self, cache: CompressedCache, new: int) -> None:
        """`new` tokens are about to run over the cache."""
        self.flops += decoder_flops(self.adapter.shape, new, [layer.entries + new for _, layer in cache.kv])

    def count_vision(self, pixels: Pixels, held: bool) -> None:
        """A screenshot is about to be encoded, or taken from the vision cache if that has `held` it."""
        if held:
            self.vision_hits += 1
        else:
            self.vision_misses += 1
            self.flops += self.adapter.vision_flops(pixels)

    def cost(self, state: State, history: int) -> StepCost:
        """Costs since `begin`, the session being in this state; `history` screenshots are what stateless means."""
        shape, ledger = self.adapter.shape, state.ledger
        full = int(stateless_rows(ledger, history).sum())
        held = frame_presence(state.cache, ledger)
        # Decoding under the stateless protocol sees the whole prompt and what was generated so far.
        decoding = sum(
            decoder_flops(shape, 1, [full - self.generated + i + 1] * shape.layers) for i in range(self.generated)
        )
        return StepCost(
            tokens_new=self.new,
            tokens_reused=self.reused,
            tokens_recomputed=self.recomputed,
            tokens_generated=self.generated,
            entries_per_frame={n: float(h.sum()) for n, h in held.items()},
            kv_bytes=state.cache.nbytes,
            state_bytes=state.cache.state_bytes,
            vision_hits=self.vision_hits,
            vision_misses=self.vision_misses,
            vision_bytes=self.adapter.vision_cache.nbytes,
            full_kv_bytes=full * shape.bytes_per_token(self.adapter.dtype),
            flops=self.flops,
            flops_stateless=self.flops_stateless + decoding,
            seconds=dict(self.stopwatch.seconds),
        )


def computed_before(before: Ledger, prompt: Prompt, reuse: int) -> int:
    """Prefilled tokens that the session had computed already: screenshots by content, text by count."""
    old, new = before.frames[reuse:], prompt.frames[reuse:]
    seen = {before.screenshots[n].digest for n in set(old.tolist()) - {NO_FRAME}}
    images = sum(int((new == n).sum()) for n in set(new.tolist()) - {NO_FRAME} if prompt.images[n].digest in seen)
    return images + min(int((old == NO_FRAME).sum()), int((new == NO_FRAME).sum()))
