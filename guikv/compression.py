"""Applying a policy to a session's cache: what each layer's view is, how much may stay, and the eviction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from guikv.attention import Watch
from guikv.budget import Budget
from guikv.cache import PADDING, CompressedCache
from guikv.ledger import Ledger
from guikv.models.base import Shape
from guikv.policies.base import LayerView, Policy, most_forced, scores_of, select
from guikv.rows import NO_FRAME

Moment = Literal["prefill", "next_observation"]


@dataclass(frozen=True)
class Plan:
    """What one compression is to do.

    stateless: tokens of the stateless protocol's prompt, as `budgeted_tokens`, which a percentage is taken of
    share: γ, how much of what may go stays
    capacity: entries per layer and head, without the screenshot that stays whole
    whole: tokens of that screenshot (0 under `prefill`); forced: [n] bool, rows that stay whatever they score
    current, salient: the newest screenshot, and the one whose saliency counts
    earlier: image tokens of the stateless prompt before the current screenshot
    """

    stateless: int
    capacity: int
    whole: int
    forced: Tensor
    current: int | None
    salient: int | None
    earlier: int
    share: float


def sent_frames(ledger: Ledger, history: int) -> list[int]:
    """The last `history` screenshots: those the stateless protocol would send."""
    return sorted(ledger.screenshots)[-history:]


def stateless_rows(ledger: Ledger, history: int) -> Tensor:
    """[n] bool: the tokens that the stateless protocol's prompt would hold."""
    return ~ledger.turns_of(sorted(ledger.screenshots)[:-history])


def stateless_tokens(ledger: Ledger, history: int) -> int:
    """How many tokens the stateless protocol's prompt would hold."""
    return ledger.without(set(sorted(ledger.screenshots)[:-history]))


def budgeted_tokens(ledger: Ledger, history: int) -> int:
    """The tokens that a percentage is taken of: the stateless protocol's prompt without the text of older turns.

    That is protected text, and everything from the oldest screenshot on that the protocol would send. While there are
    no older screenshots, it is the whole prompt; then the text of older turns competes for its place like everything
    else, and does not make the place larger.
    """
    numbers = sorted(ledger.screenshots)
    if len(numbers) <= history:
        return len(ledger)
    first = min((first for first, _ in ledger.rows.turn_rows({numbers[-history]})), default=len(ledger))
    return len(ledger) - first + int(ledger.protected[:first].sum())


def make_plan(
    ledger: Ledger, budget: Budget, moment: Moment, history: int, protect: bool, bytes_per_entry: int
) -> Plan | None:
    """The plan for the ledger as it is, or None when the moment leaves nothing to compress."""
    spans = {n: ledger.rows.frame_rows().get(n, (0, 0)) for n in sent_frames(ledger, history)}
    tokens = {n: end - first for n, (first, end) in spans.items()}
    forced = ledger.protected.clone() if protect else torch.zeros(len(ledger), dtype=torch.bool)
    frames = [n for n, (first, end) in spans.items() if first == end or not ledger.rows.at(first).dropped]
    current = frames[-1] if frames else None
    stateless = budgeted_tokens(ledger, history)
    earlier = sum(tokens[n] for n in frames[:-1])
    if moment == "prefill" or current is None:
        capacity = budget.entries(stateless, bytes_per_entry)
        return Plan(stateless, capacity, 0, forced, current, current, earlier, min(1.0, capacity / max(1, stateless)))
    previous = [n for n in ledger.screenshots if n < current]
    if not previous:
        return None
    whole = tokens[current]
    # A percentage is taken of what may go, so protected text and the screenshot that stays whole are on top of it;
    # an absolute budget includes both.
    protected = int(forced.sum())
    free = stateless - whole - protected
    if budget.unit == "percent":
        capacity = budget.entries(free, bytes_per_entry) + protected
    else:
        capacity = max(0, budget.entries(stateless, bytes_per_entry) - whole)
    share = min(1.0, max(0, capacity - protected) / max(1, free))
    first, end = ledger.rows.frame_rows()[current]
    forced[first:end] = True
    return Plan(stateless, capacity, whole, forced, current, max(previous), earlier, share)


def compress(
    cache: CompressedCache,
    ledger: Ledger,
    watch: Watch,
    norms: Tensor | None,
    policy: Policy,
    plan: Plan,
    shape: Shape,
) -> None:
    """Evict from every layer what the policy does not keep. norms: [layers, batch, last tokens], or None"""
    if policy.selection == "query":
        for _, layer in cache.kv:
            layer.expand(shape.query_heads)
    window = min(policy.observation_window(plan.capacity, tokens_after(ledger, plan.current)), watched_rows(watch))
    views = make_views(cache, ledger, watch, norms, plan)
    limits = [plan.whole + capacity for capacity in policy.capacities(views, plan.capacity, window)]
    full = [place for place, view in enumerate(views) if view.entries > limits[place]]
    if not full:
        return
    # Whatever is asked of the device is asked for all layers at once: it is waited for here and nowhere else.
    least = most_forced(views, window)
    scores = scores_of(policy, [views[place] for place in full], window)
    for place, mine in zip(full, scores, strict=True):
        columns = select(mine, views[place], limits[place], window, least[place])
        if columns is not None:
            cache.kv[place][1].keep(columns)


def make_views(
    cache: CompressedCache, ledger: Ledger, watch: Watch, norms: Tensor | None, plan: Plan
) -> list[LayerView]:
    """What the policy sees of every layer; ledger columns are looked up for every entry."""
    forced = plan.forced.to(cache.kv[0][1].keys.device)
    older = len(ledger) - (0 if norms is None else norms.shape[-1])
    views = []
    for place, (number, layer) in enumerate(cache.kv):
        valid, rows = layer.index.ne(PADDING), layer.index.clamp_min(0)
        views.append(
            LayerView(
                keys=layer.keys,
                queries=watch.queries.get(number, layer.keys[:, :, :0]),
                frames=ledger.rows.common_of("frame", rows),
                norms=None if norms is None else _norms_of(norms[place], rows - older),
                valid=valid,
                forced=forced[rows] & valid,
                current=plan.current,
                salient=plan.salient,
                earlier_tokens=plan.earlier,
                layer=place,
                layers=len(cache.kv),
                share=plan.share,
                whole=plan.whole,
            )
        )
    return views


def _norms_of(norms: Tensor, rows: Tensor) -> Tensor:
    """[batch, heads, n] the norms [batch, last tokens] at `rows` of them, 0 for tokens before."""
    found = norms.unsqueeze(1).expand(*rows.shape[:2], -1).gather(2, rows.clamp_min(0))
    return found.masked_fill(rows < 0, 0.0)


def watched_rows(watch: Watch) -> int:
    """Queries that the last forward pass left for judging (0 when none were asked for)."""
    return next(iter(watch.queries.values())).shape[2] if watch.queries else 0


def tokens_after(ledger: Ledger, frame: int | None) -> int:
    """Tokens that follow the screenshot; all of them when there is none."""
    if frame is None:
        return len(ledger)
    return len(ledger) - ledger.rows.frame_rows()[frame][1]


def held_counts(cache: CompressedCache, ledger: Ledger) -> dict[int, Tensor]:
    """Screenshot → [tokens] how many (layer, head) pairs still hold each of its tokens; only where there are any.

    Takes time by what is cached, not by what has ever been seen.
    """
    indices = [layer.index[layer.index != PADDING] for _, layer in cache.kv if layer.is_initialized]
    if not indices:
        return {}
    rows, counts = (found.cpu() for found in torch.cat(indices).unique(return_counts=True))
    spans = ledger.rows.frame_rows()
    frames, lengths = ledger.rows.common_of("frame", rows).unique_consecutive(return_counts=True)
    out, place = {}, 0
    for frame, length in zip(frames.tolist(), lengths.tolist(), strict=True):
        if frame != NO_FRAME:
            first, end = spans[frame]
            out[frame] = torch.zeros(end - first, dtype=torch.long)
            out[frame][rows[place : place + length] - first] = counts[place : place + length]
        place += length
    return out


def held_presence(cache: CompressedCache, ledger: Ledger) -> dict[int, Tensor]:
    """Screenshot → [tokens] fraction of (layer, head) pairs that still hold each; only where there are any."""
    heads = max(1, sum(layer.index.shape[0] * layer.index.shape[1] for _, layer in cache.kv))
    return {number: counts / heads for number, counts in held_counts(cache, ledger).items()}


def frame_presence(cache: CompressedCache, ledger: Ledger) -> dict[int, Tensor]:
    """Screenshot → [tokens] fraction of (layer, head) pairs that still hold each of its tokens."""
    held = held_presence(cache, ledger)
    spans = ledger.rows.frame_rows()
    return {n: held[n] if n in held else torch.zeros(end - first) for n, (first, end) in spans.items()}


@dataclass(frozen=True)
class PatchMap:
    """rows × cols image tokens of a screenshot, row-major: the fraction of (layer, head) pairs that keep each."""

    rows: int
    cols: int
    kept: tuple[float, ...]


def patch_maps(cache: CompressedCache, ledger: Ledger, every: bool = True) -> dict[int, PatchMap]:
    """By number, every screenshot with a place in the ledger, or only those of which something is left."""
    found = (frame_presence if every else held_presence)(cache, ledger)
    infos = ledger.screenshots
    return {n: PatchMap(infos[n].rows, infos[n].cols, tuple(held.tolist())) for n, held in found.items()}
