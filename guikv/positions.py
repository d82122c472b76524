"""Positions without gaps: where tokens stand when those between them were evicted, and keys rotated to stand there.

Keys are cached after RoPE, which turns each pair of a key's numbers by a frequency times the position on one axis. To
move a key it is turned further by the difference, so the model's own rotary module says how, whatever its axes and
frequencies are. A token has one position for all layers and heads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from guikv.cache import CompressedCache
from guikv.models.base import Adapter
from guikv.out_of_memory import memory_errors
from guikv.state import Holder, State, rollback

LOOSE = 512
"""Gaps, in positions, that may stay between older entries in half precision."""
MOVED_TOGETHER = "what stays is moved together where something was evicted, from here on as often as there is need"


def runs(frames: Tensor) -> Tensor:
    """[n]: for each row the number of its run, a screenshot's image tokens or the text between two screenshots."""
    return torch.cat([frames.new_zeros(min(1, len(frames))), frames.diff().ne(0).cumsum(0)])


def closed_up(frames: Tensor, positions: Tensor, stays: Tensor, places: Tensor | None = None) -> Tensor:
    """Positions [axes, n] in which the rows that stay follow each other without a gap, in their old order.

    Text counts on. A screenshot's tokens keep their order on every axis, and rows or columns of which nothing stays
    leave no gap; what follows begins behind its longest axis, as the models have it. With everything there these are
    the positions of a prompt. Rows that do not stay stand where the last before them does.

    frames: [n], as in a prompt; positions: [axes, n], the present ones; stays: [n] bool
    places: [runs], at most so many positions for each; where fewer than its tokens need, neighbours share one
    """
    if not bool(stays.any()):
        return torch.full_like(positions, -1)
    numbers, run = torch.unique_consecutive(runs(frames)[stays], return_inverse=True)
    old = positions[:, stays]
    span = int(old.max()) + 1
    ranks, widths = [], []
    for axis in old:
        values, rank = torch.unique(run * span + axis.clamp_min(0), return_inverse=True)
        counts = torch.bincount(values // span, minlength=len(numbers))
        rank = rank - (counts.cumsum(0) - counts)[run]
        width = counts if places is None else torch.minimum(counts, places[numbers])
        ranks.append(rank * width[run] // counts[run])
        widths.append(width)
    longest = torch.stack(widths).amax(0)
    new = torch.stack(ranks) + (longest.cumsum(0) - longest)[run]
    reached = torch.cat([new.new_full((1,), -1), new.amax(0).cummax(0).values])
    out = reached[stays.cumsum(0)].repeat(len(positions), 1)
    out[:, stays] = new
    return out


def held_rows(cache: CompressedCache, length: int) -> Tensor:
    """[length] bool: the ledger's rows of which some layer and head has an entry."""
    # One more in front, for padding.
    held = torch.zeros(length + 1, dtype=torch.bool, device=cache.kv[0][1].index.device)
    for _, layer in cache.kv:
        held[layer.index.flatten() + 1] = True
    return held[1:].cpu()


def most_held(cache: CompressedCache, frames: Tensor) -> Tensor:
    """[runs]: the most entries that a head of a layer has of each run."""
    run = runs(frames) + 1
    count = int(run[-1]) + 1
    run = torch.cat([run.new_zeros(1), run]).to(cache.kv[0][1].index.device)
    most = run.new_zeros(count)
    for _, layer in cache.kv:
        owner = run[layer.index.flatten(0, 1) + 1]
        held = owner.new_zeros(len(owner), count).scatter_add_(1, owner, torch.ones_like(owner))
        most = torch.maximum(most, held.amax(0))
    return most[1:].cpu()


def plans(state: State, window: str) -> Iterator[Tensor]:
    """Positions [axes, n] for the ledger's rows, each closer together than those before.

    First those that `positions: compact` means: under the window `drop`, where only whole screenshots go, what the
    stateless protocol has; else what nobody holds takes no place. The last ones give a run no more places than the
    head with most of its tokens has: they fit whatever different tokens the heads hold.
    """
    ledger, cache = state.ledger, state.cache
    if window == "drop":
        yield closed_up(ledger.frames, ledger.positions, ~ledger.dropped)
    held = held_rows(cache, len(ledger))
    yield closed_up(ledger.frames, ledger.positions, held)
    yield closed_up(ledger.frames, ledger.positions, held, most_held(cache, ledger.frames))


def close_up(adapter: Adapter, state: State, window: str) -> State:
    """The state with its gaps closed as `positions: compact` means it; the cache changes in place.

    In half precision each rotation is rounded, and small ones are lost in it: what is older than the last two
    screenshots is moved only when LOOSE positions are to be gained, so that an entry moves a few times in its life.
    """
    ledger, new = state.ledger, next(plans(state, window))
    recent = sorted(ledger.screenshots)[-2:]
    if window != "drop" and recent and adapter.dtype != torch.float32:
        first = int((ledger.frames == recent[0]).nonzero()[0])
        gap = int(ledger.positions[:, :first].max() - new[:, :first].max()) if first else 0
        if 0 < gap < LOOSE:
            new = torch.cat([ledger.positions[:, :first], new[:, first:] + gap], dim=1)
    return move(adapter, state, new)


def make_room(holder: Holder, adapter: Adapter, window: str, new: int) -> bool:
    """Where `new` more positions would reach beyond what the model was made for, close gaps until they do not.

    Returns whether anything was moved: nothing is under `recompute`, which has no gaps, or where it would gain nothing.
    Raises DeviceMemoryError; the holder's state is then as before.
    """
    state, room = holder.state, adapter.context - new
    now = state.ledger.next_position
    if now <= room or window == "recompute" or not now or not adapter.rotates:
        return False
    closest = state.ledger.positions
    for closest in plans(state, window):
        if int(closest.max()) < room:
            break
    if int(closest.max()) + 1 >= now:
        return False
    with rollback(holder, removes=True), memory_errors(adapter.device, "moving entries together"):
        holder.state = move(adapter, state, closest)
    return True


@torch.inference_mode()
def move(adapter: Adapter, state: State, positions: Tensor) -> State:
    """The state with its ledger's rows at `positions` [axes, n]; its cache's keys are rotated in place.

    The queries that wait for a policy go along, so that what they see of the entries stays what it was.
    """
    ledger = state.ledger
    moved = positions - ledger.positions
    if not bool(moved.any()):
        return state
    held = held_rows(state.cache, len(ledger))
    queries = state.watch.queries
    if bool(moved[:, held].any()):
        device = state.cache.kv[0][1].keys.device
        cos, sin = adapter.phases(moved[:, held].to(device))
        place = (held.cumsum(0) - 1).clamp_min(0).to(device)
        for _, layer in state.cache.kv:
            at = place[layer.index.clamp_min(0)]
            layer.put(rotated(layer.keys, cos[at], sin[at]), layer.values, layer.index)
    if queries:
        width = next(iter(queries.values())).shape[2]
        last = moved[:, max(0, state.observed - width) : state.observed]
        if bool(last.any()):
            device = next(iter(queries.values())).device
            cos, sin = adapter.phases(last.to(device))
            queries = {number: rotated(query, cos, sin) for number, query in queries.items()}
    return replace(state, ledger=ledger.at(positions), watch=replace(state.watch, queries=queries))


def rotated(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Keys or queries [..., n, head_dim] turned by the angles of `cos` and `sin` [..., n, rotary], in float32.

    Where only a part of each head is rotary, it comes first and the rest stays.
    """
    size = cos.shape[-1]
    turning = states[..., :size].float()
    first, second = turning.chunk(2, dim=-1)
    turned = turning * cos + torch.cat([-second, first], dim=-1) * sin
    return torch.cat([turned.to(states.dtype), states[..., size:]], dim=-1)
