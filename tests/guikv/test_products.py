"""Attention in plain products against float64, beside what PyTorch's kernel makes of the same bfloat16."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from guikv.products import ROWS, attend_in_products, bfloat16_units, faster_for


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("groups", [1, 3, 7])
@pytest.mark.parametrize(("new", "past"), [(1, 0), (2, 900), (ROWS, 0), (ROWS + 1, 37), (300, 513)])
def test_it_errs_no_more_than_twice_as_much(causal: bool, groups: int, new: int, past: int) -> None:
    noise = torch.Generator().manual_seed(new)
    entries, stored, dim = past + new, 2, 32
    query = torch.randn(2, stored * groups, new, dim, generator=noise).bfloat16()
    key, value = (torch.randn(2, stored, entries, dim, generator=noise).bfloat16() for _ in range(2))
    mask = torch.ones(new, entries, dtype=torch.bool).tril(past) if causal else None

    def usual(*parts: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(*parts, mask, scale=0.2, enable_gqa=True)

    ours = attend_in_products(query, key, value, 0.2, causal)
    assert ours.dtype == torch.bfloat16
    assert ours.shape == query.shape
    exact = usual(query.double(), key.double(), value.double())
    errors = [float((t.double() - exact).norm() / exact.norm()) for t in (ours, usual(query, key, value))]
    assert errors[0] <= 2.2 * errors[1] + 1e-3


def test_they_are_used_where_they_are_faster() -> None:
    cpu = torch.device("cpu")
    assert faster_for(cpu, torch.bfloat16) == bfloat16_units()
    assert not faster_for(cpu, torch.float32)
    assert not faster_for(torch.device("cuda"), torch.bfloat16)
