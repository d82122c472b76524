"""FLOPs by formula against PyTorch's own counter; costs that add up."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from guikv.budget import Budget
from guikv.models.base import Adapter
from guikv.policies import Full, GuiKV
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.conftest import episode


def counted(work: object) -> int:
    counter = FlopCounterMode(display=False)
    with counter, torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        work()  # type: ignore[operator]
    return counter.get_total_flops()


@pytest.mark.parametrize("compressed", [False, True])
def test_flops_agree_with_the_counter(adapter: Adapter, compressed: bool) -> None:
    """Prefill from nothing, prefill over a cache, and decoding: within 2 %."""
    policy = GuiKV() if compressed else Full()
    session = Session(adapter, Settings(policy, Budget(20, "percent"), moment="prefill"))
    adapter.vision_cache.clear()
    for frames in (1, 2, 3):
        prompt = adapter.encode(episode(adapter, frames))
        measured = counted(lambda p=prompt: session.extend(p))
        assert measured == pytest.approx(session.cost.flops, rel=0.02)
        session.compress()
        before = session.cost.flops
        measured = counted(lambda: session.generate(4, min_new_tokens=4))
        assert measured == pytest.approx(session.cost.flops - before, rel=0.02)


def test_stateless_flops_are_those_of_a_fresh_session(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    for frames in (1, 2, 3):
        session.extend(episode(adapter, frames))
    adapter.vision_cache.clear()
    fresh = Session(adapter, Settings(Full()))
    fresh.extend(episode(adapter, 3))
    assert session.cost.flops_stateless == fresh.cost.flops
    assert session.cost.flops < 0.6 * session.cost.flops_stateless


def test_costs_of_a_step(adapter: Adapter) -> None:
    session = Session(adapter, Settings(GuiKV(), Budget(20, "percent"), moment="prefill"))
    session.extend(episode(adapter, 2))
    session.compress()
    session.generate(3, min_new_tokens=3)
    cost = session.cost
    assert cost.tokens_new == len(adapter.encode(episode(adapter, 2)))
    assert (cost.tokens_reused, cost.tokens_generated) == (0, 3)
    assert set(cost.seconds) == {"vision", "prefill", "compression", "decoding"}
    assert all(value >= 0 for value in cost.seconds.values())
    tokens = {n: int((session.ledger.frames == n).sum()) for n in (0, 1)}
    assert all(0 <= cost.entries_per_frame[n] < tokens[n] for n in (0, 1))
    assert cost.full_kv_bytes == len(session.ledger) * adapter.shape.bytes_per_token(torch.float32)
    assert cost.to_dict()["entries_per_frame"].keys() == {"0", "1"}
