"""The contract of a compression method, and the selection that all of them share.

A policy gives every cached entry a score; the entries with the best scores are kept. Some are kept whatever they
score: the observation window (the last tokens, whose queries do the judging), protected spans, and the current
screenshot where the moment of compression says so. `window` means the observation window throughout this package.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from guikv.errors import PolicyError

Reduction = Literal["mean", "max", "sum"]
Selection = Literal["kv", "query"]


@dataclass(frozen=True)
class LayerView:
    """One layer's cache as a policy sees it.

    keys: [batch, heads, n, d]; `heads` stored heads, KV heads unless selection is per query head
    queries: [batch, query_heads, w, d], the last w queries, w ≥ the observation window (fewer when fewer were run)
    frames: [batch, heads, n], the screenshot each entry belongs to, NO_FRAME for text
    norms: [batch, heads, n] float32 norm of each entry's hidden state, or None if the policy does not ask for it
    valid: [batch, heads, n] bool, False for padding
    forced: [batch, heads, n] bool, entries to keep whatever they score (protected, or the whole current screenshot)
    current: the newest screenshot, or None where there is none
    salient: the screenshot that is being compressed for the first time, whose saliency counts
    earlier_tokens: tokens of the screenshots before `current` in the stateless prompt, evicted ones included
    layer, layers: which of how many
    share: the fraction of the stateless prompt that may be kept, γ
    whole: entries of a screenshot that is kept whole on top of the budget, 0 where none is
    """

    keys: Tensor
    queries: Tensor
    frames: Tensor
    norms: Tensor | None
    valid: Tensor
    forced: Tensor
    current: int | None
    salient: int | None
    earlier_tokens: int
    layer: int
    layers: int
    share: float
    whole: int = 0

    @property
    def entries(self) -> int:
        return self.keys.shape[2]


@dataclass(frozen=True)
class Policy:
    """A method with its options. Subclasses implement `scores` and say what they need to see."""

    name: ClassVar[str] = ""
    compresses: ClassVar[bool] = True
    stacks: ClassVar[bool] = False
    """Whether `scores` may be asked for all layers at once, as one view with the layers along its batch axis."""

    selection: Selection = "kv"

    def __post_init__(self) -> None:
        check_choice("selection", self.selection, ("kv", "query"))

    def observation_window(self, capacity: int, after_last_frame: int) -> int:
        """How many of the last tokens do the judging; they are always kept.

        capacity: entries that a layer may keep; after_last_frame: tokens that follow the newest screenshot
        """
        return 0

    def watched(self, after_last_frame: int) -> int:
        """The largest observation window that may be asked for: so many queries a prefill must leave."""
        return self.observation_window(1 << 30, after_last_frame)

    @property
    def watched_norms(self) -> str | None:
        """Hidden states whose norms are wanted: normed, residual or None."""
        return None

    def scores(self, view: LayerView, window: int) -> Tensor:
        """Score of every entry, [batch, heads, n] float32; the higher, the better kept."""
        raise PolicyError(f"the policy {self.name!r} does not score")

    def capacities(self, views: list[LayerView], capacity: int, window: int) -> list[int]:
        """Entries that each layer may keep, the window included, a whole screenshot not.

        The same everywhere unless a method says else.
        """
        return [capacity] * len(views)


def attention_weights(view: LayerView, window: int) -> Tensor:
    """Softmax attention of the last `window` queries: [batch, heads, groups, window, n], float32.

    Causal inside the window. `groups` query heads share each stored head.
    """
    query = view.queries[:, :, -window:]
    batch, heads, rows, dim = query.shape
    stored, entries = view.keys.shape[1], view.entries
    grouped = query.reshape(batch, stored, heads // stored * rows, dim)
    logits = (grouped @ view.keys.transpose(2, 3) * dim**-0.5).float().view(batch, stored, -1, rows, entries)
    future = torch.ones(rows, entries, dtype=torch.bool, device=query.device).triu(entries - rows + 1)
    hidden = future | ~view.valid[:, :, None, None]
    return logits.masked_fill(hidden, float("-inf")).softmax(-1)


def reduce_groups(scores: Tensor, how: Reduction) -> Tensor:
    """[batch, heads, groups, n] → [batch, heads, n]: the query heads that share a KV head decide together."""
    if how == "mean":
        return scores.mean(2)
    return scores.amax(2) if how == "max" else scores.sum(2)


def scores_of(policy: Policy, views: list[LayerView], window: int) -> list[Tensor]:
    """`policy.scores` of every layer, [batch, heads, n] each; in one call where the policy and the shapes allow it."""
    if not policy.stacks or len({view.keys.shape for view in views}) > 1:
        return [policy.scores(view, window) for view in views]
    return list(policy.scores(stacked(views), window).split(views[0].keys.shape[0]))


def stacked(views: list[LayerView]) -> LayerView:
    """Views of one shape as one view, the layers behind each other along the batch axis."""
    parts: dict[str, Any] = {}
    for name in ("keys", "queries", "frames", "norms", "valid", "forced"):
        found = [getattr(view, name) for view in views]
        parts[name] = None if found[0] is None else torch.cat(found)
    return replace(views[0], **parts)


def forced_entries(view: LayerView, window: int) -> Tensor:
    """What is kept whatever it scores, [batch, heads, n] bool."""
    forced = view.forced.clone()
    if window:
        forced[:, :, -window:] = True
    return forced & view.valid


def most_forced(views: list[LayerView], window: int) -> list[int]:
    """Of every layer, the most entries that one of its heads keeps whatever they score. Waits for the device once."""
    counts: list[int] = torch.stack([forced_entries(view, window).sum(-1).max() for view in views]).tolist()
    return counts


def select(scores: Tensor, view: LayerView, capacity: int, window: int, least: int) -> Tensor | None:
    """Columns to keep, [batch, heads, kept] ascending; None when everything fits.

    least: forced entries, kept even above the capacity: a budget never takes the instruction away
    """
    kept = max(capacity, least)
    if kept >= view.entries:
        return None
    forced = forced_entries(view, window)
    limit = torch.finfo(scores.dtype).max
    ranked = scores.clamp(-limit, limit).masked_fill(~view.valid, float("-inf")).masked_fill(forced, float("inf"))
    # The window is set aside first, so that ties (pooling makes some) break as they do without one.
    past = view.entries - window
    chosen = ranked[..., :past].topk(kept - window, dim=-1).indices.sort(dim=-1).values
    tail = torch.arange(past, view.entries, device=chosen.device).expand(*chosen.shape[:2], window)
    return torch.cat([chosen, tail], dim=-1)


def check_choice(option: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise PolicyError(f"option {option!r} must be one of {', '.join(allowed)}, not {value!r}")


def check_at_least(option: str, value: float, low: float) -> None:
    if not value >= low:
        raise PolicyError(f"option {option!r} must be at least {low:g}, not {value!r}")
