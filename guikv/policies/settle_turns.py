"""Compressing a turn once: what survived its first compression is not judged again by later turns.

Multi-turn tests show that methods which judge everything by the latest question lose what an earlier turn showed
and a later one needs (FlowKV, arXiv 2505.15347; SCBench, arXiv 2412.10319). Here only the turn that has just
ended competes for its share of the budget; older survivors give way only where the capacity is exhausted.
"""

from __future__ import annotations

from torch import Tensor

from guikv.policies.base import LayerView


def keep_settled(scores: Tensor, view: LayerView) -> Tensor:
    """Scores [batch, heads, n] → the same order inside three ranks: γ of the new turn, older survivors, the rest.

    The new turn begins with the screenshot that is compressed for the first time (`view.salient`).
    """
    if view.salient is None:
        return scores
    began = (view.frames == view.salient).cumsum(-1) > 0
    free = view.valid & ~view.forced
    settled, new = free & ~began, free & began
    level = scores / scores.abs().amax(-1, keepdim=True).clamp_min(1e-9)
    share = (view.share * new.sum(-1, keepdim=True)).long()
    place = level.masked_fill(~new, float("-inf")).argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
    return level + 2.0 * settled + 4.0 * (new & (place < share))
