"""What a step cost, and what it would have cost without memory: tokens, bytes, FLOPs, seconds.

FLOPs are counted by formula, 2 per multiply-add, for matrix products only; attention counts the full rectangle of
new queries times cached entries, which is what the kernels that take a mask compute.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from guikv.cache import CompressedCache
from guikv.compression import held_counts, stateless_tokens
from guikv.ledger import Ledger
from guikv.models.base import Adapter, Shape
from guikv.policies.base import Policy
from guikv.prompt import NO_FRAME, Pixels, Prompt
from guikv.state import State


@dataclass(frozen=True)
class StepCost:
    """Costs since the last `extend`.

    tokens_new: prefilled; tokens_recomputed: of those, how many had been computed before; tokens_reused: taken
    from the cache; tokens_generated: written by the model
    entries_per_frame: screenshot → entries still cached, mean over layers and heads
    kv_bytes: of the cache as it is; full_kv_bytes: of the stateless protocol's full cache (KV heads only)
    state_bytes: of a hybrid's linear layers, which hold no entries: their states with the marks to come back to
    flops, flops_stateless: of this step, and of the same step with everything computed anew
    vision_hits, vision_misses: screenshots taken from the vision cache, and encoded; vision_bytes: of that cache
    seconds: by phase (vision, prefill, compression, decoding)
    """

    tokens_new: int = 0
    tokens_reused: int = 0
    tokens_recomputed: int = 0
    tokens_generated: int = 0
    entries_per_frame: dict[int, float] = field(default_factory=dict)
    kv_bytes: int = 0
    full_kv_bytes: int = 0
    state_bytes: int = 0
    flops: int = 0
    flops_stateless: int = 0
    vision_hits: int = 0
    vision_misses: int = 0
    vision_bytes: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON form (frame numbers become strings, as JSON has it)."""
        data = asdict(self)
        data["entries_per_frame"] = {str(k): round(v, 3) for k, v in self.entries_per_frame.items()}
        data["seconds"] = {k: round(v, 6) for k, v in self.seconds.items()}
        return data


def total(costs: Sequence[StepCost]) -> StepCost:
    """Costs of several steps: what was done is added up, what is held is what the last one left."""
    summed = (
        "tokens_new", "tokens_recomputed", "tokens_generated", "flops", "flops_stateless", "vision_hits",
        "vision_misses",
    )  # fmt: skip
    seconds: dict[str, float] = {}
    for cost in costs:
        for phase, taken in cost.seconds.items():
            seconds[phase] = seconds.get(phase, 0.0) + taken
    counts = {name: sum(getattr(cost, name) for cost in costs) for name in summed}
    return replace(costs[-1], tokens_reused=costs[0].tokens_reused, seconds=seconds, **counts)


class Stopwatch:
    """Seconds by phase. On a GPU events stand in its queue, and are waited for only when somebody wants to know."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._seconds: dict[str, float] = {}
        self._running: list[tuple[str, torch.Event, torch.Event]] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        if self.device.type != "cuda":
            start = time.perf_counter()
            try:
                yield
            finally:
                self.add(name, time.perf_counter() - start)
            return
        begin, end = (torch.Event(self.device, enable_timing=True) for _ in range(2))
        begin.record()
        try:
            yield
        finally:
            end.record()
            self._running.append((name, begin, end))

    def add(self, name: str, seconds: float) -> None:
        """Seconds that a phase took, or its share of what several sessions took together."""
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    @property
    def seconds(self) -> dict[str, float]:
        """By phase, all that ended so far."""
        while self._running:
            name, begin, end = self._running.pop(0)
            end.synchronize()
            self.add(name, begin.elapsed_time(end) / 1000)
        return dict(self._seconds)


def decoder_flops(shape: Shape, new: int, entries: list[int], logits: int = 1) -> int:
    """FLOPs of running `new` tokens through the decoder.

    entries: per layer, the cached entries that the new queries see, their own included. logits: rows of the head.
    """
    width = shape.query_heads * shape.head_dim
    projections = shape.hidden * (2 * width + 2 * shape.kv_heads * shape.head_dim)
    mlp = 3 * shape.hidden * shape.intermediate
    linear = 2 * new * (projections + mlp) * shape.layers
    attention = sum(4 * new * n * width for n in entries)
    return linear + 2 * new * shape.extra + attention + 2 * logits * shape.hidden * shape.vocabulary


def bytes_per_entry(adapter: Adapter, policy: Policy) -> int:
    """KV bytes of one entry over all layers: a policy that selects for each query head has a copy for each."""
    shape = adapter.shape
    copies = shape.query_heads // shape.kv_heads if policy.selection == "query" else 1
    return copies * shape.bytes_per_token(adapter.dtype)


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
        numbers = sorted(prompt.images)
        sent = numbers[-history:]
        length = prompt.without(set(numbers[:-history]))
        self.flops_stateless = sum(self.adapter.vision_flops(prompt.images[n]) for n in sent)
        self.flops_stateless += decoder_flops(self.adapter.shape, length, [length] * self.adapter.shape.layers)

    def count_decoder(self, cache: CompressedCache, new: int, written: int = 0) -> None:
        """`new` tokens are about to run over the cache and what was `written` behind its entries."""
        entries = [layer.entries + written + new for _, layer in cache.kv]
        self.flops += decoder_flops(self.adapter.shape, new, entries)

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
        full = stateless_tokens(ledger, history)
        held = held_counts(state.cache, ledger)
        heads = max(1, sum(layer.index.shape[0] * layer.index.shape[1] for _, layer in state.cache.kv))
        # Decoding under the stateless protocol sees the whole prompt and what was generated so far.
        decoding = sum(
            decoder_flops(shape, 1, [full - self.generated + i + 1] * shape.layers) for i in range(self.generated)
        )
        return StepCost(
            tokens_new=self.new,
            tokens_reused=self.reused,
            tokens_recomputed=self.recomputed,
            tokens_generated=self.generated,
            entries_per_frame={n: int(held[n].sum()) / heads if n in held else 0.0 for n in ledger.rows.frame_rows()},
            kv_bytes=state.cache.nbytes,
            state_bytes=state.cache.state_bytes,
            vision_hits=self.vision_hits,
            vision_misses=self.vision_misses,
            vision_bytes=self.adapter.vision_cache.nbytes,
            full_kv_bytes=full * shape.bytes_per_token(self.adapter.dtype),
            flops=self.flops,
            flops_stateless=self.flops_stateless + decoding,
            seconds=self.stopwatch.seconds,
        )


def computed_before(before: Ledger, prompt: Prompt, reuse: int) -> int:
    """Prefilled tokens that the session had computed already: screenshots by content, text by count."""
    old, new = before.rows.cut(reuse), prompt.rows.cut(reuse)
    seen = {before.screenshots[piece.frame].digest for piece in old if piece.frame != NO_FRAME}
    again = (p for p in new if p.frame != NO_FRAME and prompt.images[p.frame].digest in seen)
    texts = (sum(len(piece) for piece in pieces if piece.frame == NO_FRAME) for pieces in (old, new))
    return sum(map(len, again)) + min(texts)
