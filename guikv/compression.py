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
from guikv.prompt import NO_FRAME

Moment = Literal["prefill", "next_observation"]


@dataclass(frozen=True)
class Plan:
    """What one compression is to do.

    stateless: tokens of the stateless protocol's prompt, which a percentage is taken of
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
    old = sorted(ledger.screenshots)[:-history]
    return ~torch.isin(ledger.turns, torch.tensor(old, dtype=torch.long))


def make_plan(
    ledger: Ledger, budget: Budget, moment: Moment, history: int, protect: bool, bytes_per_entry: int
) -> Plan | None:
    """The plan for the ledger as it is, or None when the moment leaves nothing to compress."""
    frames = [n for n in sent_frames(ledger, history) if not bool(ledger.dropped[ledger.frames == n].any())]
    current = frames[-1] if frames else None
    stateless = int(stateless_rows(ledger, history).sum())
    forced = ledger.protected.clone() if protect else torch.zeros_like(ledger.protected)
    earlier = sum(int((ledger.frames == n).sum()) for n in frames[:-1])
    if moment == "prefill" or current is None:
        capacity = budget.entries(stateless, bytes_per_entry)
        return Plan(stateless, capacity, 0, forced, current, current, earlier, min(1.0, capacity / max(1, stateless)))
    previous = [n for n in sorted(ledger.screenshots) if n < current]
    if not previous:
        return None
    mine = ledger.frames == current
    whole = int(mine.sum())
    # A percentage is taken of what may go, so protected text and the screenshot that stays whole are on top of it;
    # an absolute budget includes both.
    protected = int(forced.sum())
    free = stateless - whole - protected
    if budget.unit == "percent":
        capacity = budget.entries(free, bytes_per_entry) + protected
    else:
        capacity = max(0, budget.entries(stateless, bytes_per_entry) - whole)
    share = min(1.0, max(0, capacity - protected) / max(1, free))
    return Plan(stateless, capacity, whole, forced | mine, current, previous[-1], earlier, share)


def compress(
    cache: CompressedCache,
    ledger: Ledger,
    watch: Watch,
    norms: Tensor | None,
    policy: Policy,
    plan: Plan,
    shape: Shape,
) -> None:
    """Evict from every layer what the policy does not keep. `norms` is [layers, batch, n] or None."""
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
    device = cache.kv[0][1].keys.device
    frames, forced = ledger.frames.to(device), plan.forced.to(device)
    views = []
    for place, (number, layer) in enumerate(cache.kv):
        valid, rows = layer.index.ne(PADDING), layer.index.clamp_min(0)
        views.append(
            LayerView(
                keys=layer.keys,
                queries=watch.queries.get(number, layer.keys[:, :, :0]),
                frames=frames[rows],
                norms=None if norms is None else norms[place].unsqueeze(1).expand(*rows.shape[:2], -1).gather(2, rows),
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


def watched_rows(watch: Watch) -> int:
    """Queries that the last forward pass left for judging (0 when none were asked for)."""
    return next(iter(watch.queries.values())).shape[2] if watch.queries else 0


def tokens_after(ledger: Ledger, frame: int | None) -> int:
    """Tokens that follow the screenshot; all of them when there is none."""
    if frame is None:
        return len(ledger)
    return len(ledger) - 1 - int((ledger.frames == frame).nonzero()[-1])


def presence(cache: CompressedCache, length: int) -> Tensor:
    """[length] float: the fraction of (layer, head) pairs that still hold each token."""
    counts, heads = torch.zeros(length), 0
    for _, layer in cache.kv:
        if layer.is_initialized:
            real = layer.index[layer.index != PADDING]
            counts += torch.bincount(real.cpu(), minlength=length)[:length]
            heads += layer.index.shape[0] * layer.index.shape[1]
    return counts / max(heads, 1)


def frame_presence(cache: CompressedCache, ledger: Ledger) -> dict[int, Tensor]:
    """Screenshot → [tokens] fraction of (layer, head) pairs that still hold each of its tokens."""
    held = presence(cache, len(ledger))
    frames = ledger.frames
    if not len(frames):
        return {}
    starts = torch.cat([torch.tensor([0]), (frames.diff() != 0).nonzero().flatten() + 1]).tolist()
    ends = [*starts[1:], len(frames)]
    return {int(frames[a]): held[a:b] for a, b in zip(starts, ends, strict=True) if int(frames[a]) != NO_FRAME}


@dataclass(frozen=True)
class PatchMap:
    """rows × cols image tokens of a screenshot, row-major: the fraction of (layer, head) pairs that keep each."""

    rows: int
    cols: int
    kept: tuple[float, ...]


def patch_maps(cache: CompressedCache, ledger: Ledger) -> dict[int, PatchMap]:
    """By number, every screenshot with a place in the ledger."""
    out = {}
    for number, held in frame_presence(cache, ledger).items():
        info = ledger.screenshots[number]
        out[number] = PatchMap(info.rows, info.cols, tuple(held.tolist()))
    return out
