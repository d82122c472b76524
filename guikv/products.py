"""Attention as plain matrix products, for CPUs that multiply bfloat16 in hardware.

PyTorch's own kernel uses those units less, and takes about twice as long. Scores are rounded to bfloat16, as in
transformers' eager attention.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

ROWS = 128
"""Queries at a time: their scores stay in the core's own cache."""


@cache
def bfloat16_units() -> bool:
    """Whether this CPU multiplies bfloat16 matrices in hardware (AVX-512 BF16, AMX, or Arm's)."""
    known: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any("bf16" in name and there is True for name, there in known.items())


def faster_for(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the products are the faster way there."""
    return device.type == "cpu" and dtype == torch.bfloat16 and bfloat16_units()


def attend_in_products(query: Tensor, key: Tensor, value: Tensor, scaling: float, causal: bool) -> Tensor:
    """query [batch, heads, new, d] over key, value [batch, stored_heads, entries, d] → [batch, heads, new, d].

    causal: the last query sees everything, the one before it all but the last entry, and so on
    """
    batch, heads, new, dim = query.shape
    stored, entries = key.shape[1:3]
    groups = heads // stored
    out = torch.empty_like(query)
    later, nothing = torch.full((ROWS, ROWS), float("-inf"), dtype=query.dtype).triu_(1), query.new_zeros(1)
    for row in range(batch):
        for head in range(stored):
            turned, values = key[row, head].T.contiguous(), value[row, head].contiguous()
            mine = slice(head * groups, (head + 1) * groups)
            for start in range(0, new, ROWS):
                end = min(new, start + ROWS)
                seen = entries - new + end if causal else entries
                rows = query[row, mine, start:end].reshape(-1, dim)
                # Scaled before it is rounded.
                scores = torch.addmm(nothing, rows, turned[:, :seen], beta=0, alpha=scaling)
                scores = scores.view(groups, end - start, seen)
                if causal:
                    scores[:, :, seen - (end - start) :] += later[: end - start, : end - start]
                part = scores.softmax(-1).view(-1, seen) @ values[:seen]
                out[row, mine, start:end] = part.view(groups, end - start, -1)
    return out
