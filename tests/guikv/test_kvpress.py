"""Another package that wraps every registered attention function at its import, in one process with ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from transformers import DynamicCache, Qwen2Config, Qwen2ForCausalLM
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from guikv.budget import Budget
from guikv.models.random_weights import random_model
from guikv.policies import Full, GuiKV
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.conftest import episode

CLOSE = {"atol": 1e-4, "rtol": 1e-4}
SETTINGS = (Settings(Full()), Settings(GuiKV(), Budget(30, "percent")))


def replies(settings: Settings) -> list[Any]:
    """Token ids and logits of two steps with compression, on a model of its own."""
    adapter = random_model()
    session = Session(adapter, settings)
    found: list[Any] = []
    for steps in (1, 2):
        session.extend(episode(adapter, steps))
        session.compress()
        found += [session.generate(6, min_new_tokens=6).ids, session.next_logits]
    return found


@pytest.fixture
def registered() -> Iterator[None]:
    """Whatever is registered at the start is so at the end."""
    before = dict(ALL_ATTENTION_FUNCTIONS.items())
    yield
    for name, function in before.items():
        ALL_ATTENTION_FUNCTIONS[name] = function


def pressed(press: Any) -> tuple[int, torch.Tensor]:
    """Entries left in the first layer and the next token's logits, after that press on a tiny model's prompt."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 96, "vocab_size": 128}
    model = Qwen2ForCausalLM(Qwen2Config(num_attention_heads=4, num_key_value_heads=2, **sizes)).eval()
    ids = torch.arange(40)[None] % 128
    cache = DynamicCache()
    with torch.inference_mode(), press(model):
        model(input_ids=ids, past_key_values=cache, cache_position=torch.arange(40))
        last = torch.tensor([40])
        out = model(input_ids=ids[:, :1], past_key_values=cache, position_ids=last[None], cache_position=last)
    return cache.layers[0].keys.shape[2], out.logits


def test_sessions_and_presses_in_one_process(registered: None) -> None:
    before = [replies(settings) for settings in SETTINGS]
    kvpress = pytest.importorskip("kvpress")
    # kvpress wraps what is registered once more at each call; its import has done so once already.
    kvpress.patch_attention_functions()
    for settings, expected in zip(SETTINGS, before, strict=True):
        for ours, wanted in zip(replies(settings), expected, strict=True):
            if isinstance(ours, torch.Tensor):
                torch.testing.assert_close(ours, wanted, **CLOSE)
            else:
                assert ours == wanted
    entries, logits = pressed(kvpress.KnormPress(compression_ratio=0.5))
    assert entries == 20 + 1
    assert torch.isfinite(logits).all()
    entries, logits = pressed(kvpress.AdaKVPress(kvpress.KnormPress(compression_ratio=0.5)))
    assert entries == 40 + 1, "this press masks entries by head, through the wrapped function"
    assert torch.isfinite(logits).all()
    # And ours again, after a press has run.
    assert replies(SETTINGS[1])[0] == before[1][0]
