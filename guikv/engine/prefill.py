"""Prefilling a session's new tokens: what their screenshots look like, then the decoder, slice by slice."""

from __future__ import annotations

from collections.abc import Generator

import torch

from guikv.attention import Watch, watching
from guikv.compression import tokens_after
from guikv.costs import Counter
from guikv.ledger import Ledger
from guikv.models.base import Adapter
from guikv.models.vision import Features, place
from guikv.out_of_memory import memory_errors
from guikv.policies.base import Policy
from guikv.prompt import NO_FRAME, Prompt
from guikv.state import State

SLICE = 1024
"""Tokens that are prefilled at a time, so that replies of other sessions can go on between."""


NORMS = 8
"""Screenshots whose norms are kept: only one that has just become old is judged by them."""


def _judged(ledger: Ledger) -> int:
    """Rows from the oldest screenshot on whose norms are kept."""
    numbers = sorted(ledger.screenshots)[-NORMS:]
    return len(ledger) - ledger.rows.frame_rows()[numbers[0]][0] if numbers else len(ledger)


def prefilling(
    adapter: Adapter, policy: Policy, counter: Counter, state: State, prompt: Prompt, start: int
) -> Generator[None, None, State]:
    """Compute the prompt's tokens from `start` on, where the state ends, with a pause after each part of the work.

    policy: says what has to be watched for it; counter: hears what is computed

    Returns the state with them; its cache is the one that came, so going back from halfway is for whoever asked.
    Raises DeviceMemoryError.
    """
    device, phase = adapter.device, counter.stopwatch.phase
    ids, frames = prompt.rows.ids_from(start), prompt.rows.column("frame", start)
    features: dict[int, Features] = {}
    for number in sorted(set(frames.unique().tolist()) - {NO_FRAME}):
        pixels = prompt.images[number]
        with phase("vision"), memory_errors(device, "encoding screenshots"):
            counter.count_vision(pixels, pixels in adapter.vision_cache)
            features[number] = adapter.vision_features(pixels)
        yield
    ledger = state.ledger.append(prompt, start)
    window = policy.watched(tokens_after(ledger, ledger.newest_frame))
    watch = Watch(cache=state.cache, observation_window=window, saliency=policy.watched_norms)
    doing = f"prefilling {len(ids):,} tokens"
    with phase("prefill"), memory_errors(device, doing):
        embeds = adapter.embed_text(ids.to(device))
        deep = place(embeds, frames, features)
        positions = ledger.rows.positions_from(start)[:, None].to(device)
        state.cache.mark()
    for first in range(0, len(ids), SLICE):
        part = slice(first, first + SLICE)
        if first:
            yield
        with phase("prefill"), memory_errors(device, doing), watching(adapter.decoder_layers, watch):
            counter.count_decoder(state.cache, len(ids[part]))
            layers = None if deep is None else deep.part(part)
            hidden = adapter.forward(embeds[None, part], positions[..., part], state.cache, watch, layers)
    with phase("prefill"), memory_errors(device, doing):
        logits = adapter.logits(hidden[0, -1]).float()
    state.cache.mark()
    norms, new = state.norms, watch.stacked_norms()
    if new is not None:
        norms = new if norms is None or start == 0 else torch.cat([norms, new], dim=-1)
        norms = norms[..., -_judged(ledger) :]
        watch.norms.clear()
    return State(ledger, state.cache, watch, len(ledger), logits, norms, state.forgotten)
