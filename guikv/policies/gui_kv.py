"""GUI-KV (arXiv 2510.00536): attention, plus what stands out on the screen, minus what the screen showed before.

Three terms (section 3 of the paper):
- the pooled attention of the last queries, as in SnapKV;
- spatial saliency: tokens of the screenshot being compressed gain α·softmax(z/T), z the standardised norm of
  their hidden state;
- temporal redundancy: tokens of earlier screenshots whose keys lie (almost) in the subspace spanned by the
  current screenshot's keys are repeated by it, and score 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from guikv.policies.base import LayerView, check_at_least, check_choice
from guikv.policies.settle_turns import keep_settled
from guikv.policies.snap_kv import SnapKV
from guikv.prompt import NO_FRAME


@dataclass(frozen=True)
class GuiKV(SnapKV):
    """alpha, temperature: weight and softness of the saliency; rank: dimension of the subspace; None is a
    quarter of the head dimension, which is the paper's 32 in a 7B model.

    basis: "leading" spans the keys of the first `rank` tokens of the screenshot, as the released runs did (their
    QR is not pivoted); "principal" the directions that carry most of the keys' energy, as the paper describes.
    saliency: hidden states after the RMSNorm ("normed", as released) or the residual stream ("residual", as
    written in the paper).
    protect_text: text tokens are never evicted.
    once: a turn is compressed once, when it has ended; its survivors are not judged again (see settle_turns.py)
    """

    name: ClassVar[str] = "gui_kv"

    alpha: float = 2.0
    temperature: float = 3.5
    rank: int | None = None
    basis: Literal["leading", "principal"] = "leading"
    saliency: Literal["normed", "residual"] = "normed"
    protect_text: bool = False
    once: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least("alpha", self.alpha, 0)
        check_at_least("temperature", self.temperature, 1e-3)
        check_at_least("rank", 1 if self.rank is None else self.rank, 1)
        check_choice("basis", self.basis, ("leading", "principal"))
        check_choice("saliency", self.saliency, ("normed", "residual"))

    @property
    def watched_norms(self) -> str | None:
        return self.saliency if self.alpha else None

    def scores(self, view: LayerView, window: int) -> Tensor:
        """[batch, heads, n] float32: pooled attention, plus what stands out, 0 for what the screen showed before."""
        scores = self.pooled_attention(view, window)
        if self.alpha and view.salient is not None and view.norms is not None:
            scores = scores + self.alpha * spatial_saliency(view, self.temperature)
        if view.current is not None:
            scores = scores.masked_fill(redundant(view, self.rank_for(view), self.basis), 0.0)
        if self.once:
            scores = keep_settled(scores, view)
        if self.protect_text:
            scores = scores.masked_fill(view.frames == NO_FRAME, float("inf"))
        return scores

    def rank_for(self, view: LayerView) -> int:
        return self.rank if self.rank is not None else max(1, view.keys.shape[-1] // 4)


def spatial_saliency(view: LayerView, temperature: float) -> Tensor:
    """softmax(z / T) over the salient screenshot's tokens, 0 elsewhere: [batch, heads, n]."""
    assert view.norms is not None
    mine = (view.frames == view.salient) & view.valid
    count = mine.sum(-1, keepdim=True).clamp_min(2)
    norms = view.norms.masked_fill(~mine, 0.0)
    mean = norms.sum(-1, keepdim=True) / count
    spread = ((norms - mean).masked_fill(~mine, 0.0).square().sum(-1, keepdim=True) / (count - 1)).sqrt()
    z = (norms - mean) / (spread + 1e-8)
    weights = (z / temperature).masked_fill(~mine, float("-inf")).softmax(-1)
    return weights.masked_fill(~mine, 0.0)


def redundant(view: LayerView, rank: int, basis: str) -> Tensor:
    """Entries of earlier screenshots that the current one repeats: [batch, heads, n] bool.

    Of N tokens of earlier screenshots ⌊(1 − γ)·N⌋ are redundant in all; those already evicted count as such, so
    a cache that was compressed before is not emptied a second time.
    """
    now = (view.frames == view.current) & view.valid
    before = (view.frames != view.current) & (view.frames != NO_FRAME) & view.valid
    allowed = view.earlier_tokens - int((1 - view.share) * view.earlier_tokens)
    surplus = (before.sum(-1, keepdim=True) - allowed).clamp_min(0)
    keys = view.keys.float()
    axes = leading_basis(keys, now, rank) if basis == "leading" else principal_basis(keys, now, rank)
    distance = (keys - keys @ axes @ axes.transpose(-1, -2)).norm(dim=-1)
    distance = distance.masked_fill(~before, float("inf"))
    place = distance.argsort(dim=-1).argsort(dim=-1)
    return (place < surplus) & before & now.any(-1, keepdim=True)


def leading_basis(keys: Tensor, now: Tensor, rank: int) -> Tensor:
    """Orthonormal basis of the first `rank` keys of the screenshot: [batch, heads, d, rank].

    A QR of `rank` columns gives the same span as the first `rank` columns of a QR of all of them.
    """
    rank = min(rank, keys.shape[-1], keys.shape[2])
    first = now.to(torch.uint8).argsort(dim=-1, descending=True, stable=True)[..., :rank]
    real = now.gather(-1, first)
    columns = keys.gather(2, first.unsqueeze(-1).expand(-1, -1, -1, keys.shape[-1])) * real.unsqueeze(-1)
    axes = torch.linalg.qr(columns.transpose(-1, -2)).Q
    # Heads with fewer than `rank` tokens have empty columns, whose arbitrary completion must not count.
    return axes * real.unsqueeze(-2)


def principal_basis(keys: Tensor, now: Tensor, rank: int) -> Tensor:
    """The `rank` directions with most of the keys' energy: [batch, heads, d, rank], from KᵀK of size d×d."""
    mine = keys * now.unsqueeze(-1)
    energy, directions = torch.linalg.eigh(mine.transpose(-1, -2) @ mine)
    rank = min(rank, keys.shape[-1])
    top, axes = energy[..., -rank:], directions[..., -rank:]
    # Directions without energy (fewer tokens than `rank`) are arbitrary and must not count.
    return axes * (top > top[..., -1:] * 1e-6).unsqueeze(-2)
