"""Costs of Qwen3-VL by formula against PyTorch's own counter, and in the real 8B shape."""

from __future__ import annotations

import pytest
import torch
from transformers import Qwen3VLConfig

from guikv.models.qwen3_vl import vision_flops
from guikv.models.random_weights import random_qwen3
from guikv.policies import Full
from guikv.prompt import Pixels
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.conftest import episode
from tests.guikv.test_accounting import counted


def test_flops_agree_with_the_counter() -> None:
    adapter = random_qwen3()
    session = Session(adapter, Settings(Full()))
    for frames in (1, 2, 3):
        prompt = adapter.encode(episode(adapter, frames))
        measured = counted(lambda p=prompt: session.extend(p))
        assert measured == pytest.approx(session.cost.flops, rel=0.02)
    before = session.cost.flops
    measured = counted(lambda: session.generate(4, min_new_tokens=4))
    assert measured == pytest.approx(session.cost.flops - before, rel=0.02)


def test_bytes_of_a_token_follow_the_head_dimension() -> None:
    """Qwen3 has heads wider than hidden / heads."""
    shape = random_qwen3().shape
    assert shape.head_dim == 24 != shape.hidden // shape.query_heads
    assert shape.bytes_per_token(torch.bfloat16) == 3 * 2 * 2 * 24 * 2


def test_vision_of_the_real_tower() -> None:
    """A screenshot of 1920x1088 in the published 8B tower: 8,160 patches through 27 blocks and four mergers."""
    config = Qwen3VLConfig(vision_config={"out_hidden_size": 4096}).vision_config
    flops = vision_flops(config, Pixels((1, 68, 120), "", 34, 60))
    patches, hidden = 8160, 1152
    blocks = 27 * (2 * patches * hidden * (4 * hidden + 2 * 4304) + 4 * patches**2 * hidden)
    mergers = 4 * 2 * (patches // 4) * 4608 * (4608 + 4096)
    assert flops == pytest.approx(blocks + mergers, rel=0.01)
