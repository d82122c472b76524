"""Packed weights compute what the unpacked ones do, and nothing else of a model changes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from guikv.models.packed import PackedLinear, can_pack, pack
from guikv.models.random_weights import random_model
from guikv.session import Session
from tests.guikv.conftest import episode

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
def test_the_same_products(dtype: torch.dtype, bias: bool) -> None:
    if not can_pack(CPU, dtype):
        pytest.skip("this build has no packed layers of the type")
    torch.manual_seed(0)
    tried = 0
    for into, out in ((8, 8), (48, 96), (96, 33), (130, 7)):
        linear = nn.Linear(into, out, bias=bias, dtype=dtype)
        packed = PackedLinear(linear)
        for shape in ((1,), (1, 1), (1, 5), (3, 1), (1, 700), (2, 3, 4), (0,)):
            x = torch.randn(*shape, into, dtype=dtype)
            close = {"atol": 1e-5, "rtol": 1e-5} if dtype == torch.float32 else {"atol": 2e-2, "rtol": 2e-2}
            torch.testing.assert_close(packed(x), linear(x), **close)
            tried += 1
    assert tried == 28


def test_a_packed_model_says_the_same() -> None:
    plain, packed = random_model(), random_model()
    digest = packed.fingerprint
    packed.pack()
    assert packed.fingerprint == digest == plain.fingerprint
    assert not [name for name, module in packed.model.named_modules() if type(module) is nn.Linear]
    assert pack(packed.model) == 0
    assert (packed.device, packed.dtype) == (plain.device, plain.dtype)
    sessions = [Session(adapter) for adapter in (plain, packed)]
    for session in sessions:
        session.extend(episode(session.adapter, 2))
    torch.testing.assert_close(sessions[0].next_logits, sessions[1].next_logits, atol=1e-4, rtol=1e-4)
    assert sessions[0].generate(9, 9).ids == sessions[1].generate(9, 9).ids


def test_nothing_is_packed_where_it_is_of_no_use() -> None:
    assert not can_pack(CPU, torch.float64)
    assert not can_pack(torch.device("meta"), torch.float32)
