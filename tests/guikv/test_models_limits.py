"""Limits of pixels, context and budget, and memory that runs out in the middle of an episode."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch
from torch import nn

from guikv.budget import Budget
from guikv.cache import CompressedLayer
from guikv.content import Message, Text
from guikv.errors import BudgetError, ContextError, DeviceMemoryError, ModelError
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model, random_qwen3
from guikv.policies import Full, GuiKV
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.conftest import episode


@pytest.fixture(params=[random_model, random_qwen3])
def fresh(request: pytest.FixtureRequest) -> Adapter:
    return request.param()


def test_pixels_are_limited(small: Path) -> None:
    usual = load_model(str(small), device="cpu")
    limited = load_model(str(small), device="cpu", max_pixels=500_000, min_pixels=100_000)
    side = usual.processor.patch_size * 2
    width, height = limited.image_size((1920, 1080))
    assert width * height <= 500_000 < usual.image_size((1920, 1080))[0] * usual.image_size((1920, 1080))[1]
    assert width % side == height % side == 0
    width, height = limited.image_size((100, 80))
    assert width * height >= 100_000
    for limits in ({"max_pixels": 10}, {"min_pixels": 9**9}, {"min_pixels": 0}, {"min_pixels": 9999, "max_pixels": 99}):
        with pytest.raises(ModelError, match="the model's images have"):
            load_model(str(small), device="cpu", **limits)


def test_context_is_checked_before_anything_is_computed(fresh: Adapter) -> None:
    session = Session(fresh, Settings(Full()))
    session.extend(episode(fresh, 2))
    tokens, logits = session.tokens, session.next_logits
    fresh.model.config.text_config.max_position_embeddings = int(session.ledger.positions.max()) + 60
    long = (*episode(fresh, 2), Message("user", (Text("and on and on " * 20),)))
    with pytest.raises(ContextError, match="but the model was made for"):
        session.extend(long)
    assert (session.tokens, session.next_logits) == (tokens, logits)
    with pytest.raises(ContextError, match="reaches position"):
        session.generate(100, min_new_tokens=100)
    session.ledger.verify(session.cache)
    assert session.tokens == tokens
    assert torch.equal(session.next_logits, logits)
    assert len(session.generate(50, min_new_tokens=50).ids) == 50


@pytest.mark.parametrize("budget", [Budget(15, "tokens"), Budget(20_000, "bytes")])
def test_a_screenshot_larger_than_an_absolute_budget(fresh: Adapter, budget: Budget) -> None:
    session = Session(fresh, Settings(GuiKV(), budget))
    with pytest.raises(
        BudgetError, match=r"becomes \d+ tokens and stays whole .* raise the budget, lower --max-pixels"
    ):
        session.extend(episode(fresh, 1))
    assert session.tokens == 0
    for moment, policy in (("prefill", GuiKV()), ("next_observation", Full())):
        Session(fresh, Settings(policy, budget, moment)).extend(episode(fresh, 1))  # type: ignore[arg-type]


class OutOfMemory:
    """Fails in the forward of a module on its `at`-th call, as an allocation does; keeps track of what it held."""

    def __init__(self, module: nn.Module, at: int = 1) -> None:
        self.left, self.held = at, None
        self.handle = module.register_forward_hook(self)

    def __call__(self, module: nn.Module, args: object, output: object) -> None:
        self.left -= 1
        if self.left == 0:
            activations = torch.zeros(10_000)
            self.held = weakref.ref(activations)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    def __enter__(self) -> OutOfMemory:
        return self

    def __exit__(self, *error: object) -> None:
        self.handle.remove()


def state(session: Session) -> tuple:
    layers = [(layer.keys, layer.values, layer.index, layer.seen) for layer in session.cache.layers]
    tensors = [t.clone() for layer in layers for t in layer[:3]]
    return session.ledger, session.next_logits, session.state.observed, [layer[3] for layer in layers], tensors


def same(before: tuple, after: tuple) -> bool:
    tensors = all(torch.equal(a, b) for a, b in zip(before[-1], after[-1], strict=True))
    return tensors and before[0] is after[0] and before[1] is after[1] and before[2:-1] == after[2:-1]


@pytest.mark.parametrize("where", ["vision", "last layer", "head"])
@pytest.mark.parametrize("how", ["append", "cut", "recompute"])
def test_out_of_memory_in_a_prefill(fresh: Adapter, where: str, how: str) -> None:
    """The session is as before, and the episode goes on as if the attempt had not been made."""
    places = {
        "vision": fresh.model.model.visual.blocks[0],
        "last layer": fresh.decoder_layers[-1],
        "head": fresh.model.lm_head,
    }
    window = "recompute" if how == "recompute" else "shrink"
    sessions = [Session(fresh, Settings(GuiKV(), Budget(30, "percent"), window=window, history=2)) for _ in range(2)]
    for session in sessions:
        for frames in (2, 3):
            session.extend(episode(fresh, frames))
            session.compress()
    ahead = episode(fresh, 5 if how == "append" else 4, first=0 if how == "append" else 1)
    before, cost = state(sessions[0]), sessions[0].kv_bytes
    with OutOfMemory(places[where]) as failure, pytest.raises(DeviceMemoryError, match="out of memory while"):
        sessions[0].extend(ahead)
    gc.collect()
    assert failure.held is not None
    assert same(before, state(sessions[0]))
    assert sessions[0].kv_bytes == cost
    sessions[0].ledger.verify(sessions[0].cache)
    sessions[0].compress()
    sessions[1].compress()
    for session in sessions:
        session.extend(ahead)
        session.compress()
    assert torch.equal(sessions[0].next_logits, sessions[1].next_logits)


def test_out_of_memory_while_decoding(fresh: Adapter) -> None:
    session = Session(fresh, Settings(GuiKV(), Budget(30, "percent")))
    session.extend(episode(fresh, 2))
    before = state(session)
    with OutOfMemory(fresh.decoder_layers[1], at=4), pytest.raises(DeviceMemoryError, match="decoding on cpu"):
        session.generate(9, min_new_tokens=9)
    assert same(before, state(session))
    session.compress()
    assert len(session.generate(9, min_new_tokens=9).ids) == 9


def test_out_of_memory_while_compressing(fresh: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers that were compressed before the failure are whole again."""
    session = Session(fresh, Settings(GuiKV(), Budget(30, "percent")))
    for frames in (1, 2):
        session.extend(episode(fresh, frames))
    before, original, calls = state(session), CompressedLayer.keep, []

    def keep(self: CompressedLayer, columns: torch.Tensor) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        original(self, columns)

    with monkeypatch.context() as patched:
        patched.setattr(CompressedLayer, "keep", keep)
        with pytest.raises(DeviceMemoryError, match="compressing the cache"):
            session.compress()
    assert same(before, state(session))
    session.compress()
    assert session.kv_bytes < sum(t.numel() * 4 for t in before[-1] if t.dtype == torch.float32)


def test_a_failed_step_lets_go_of_its_memory(fresh: Adapter) -> None:
    session = Session(fresh, Settings(Full()))
    session.extend(episode(fresh, 1))
    with OutOfMemory(fresh.decoder_layers[1]) as failure, pytest.raises(DeviceMemoryError) as caught:
        session.extend(episode(fresh, 2))
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    assert failure.held is not None
    assert failure.held() is None, "the error would keep the activations alive"


def test_other_runtime_errors_stay_what_they_are(fresh: Adapter) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("device-side assert triggered")

    handle = fresh.decoder_layers[0].register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="device-side"):
        Session(fresh, Settings(Full())).extend(episode(fresh, 1))
    handle.remove()
