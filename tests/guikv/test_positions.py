"""Positions without gaps: keys that are rotated there, and what a session makes of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from guikv.content import last_frames
from guikv.models.base import Adapter
from guikv.policies import Full
from guikv.positions import closed_up, held_rows, move
from guikv.prompt import NO_FRAME
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.architectures import ARCHITECTURES, tiny
from tests.guikv.conftest import episode

CLOSE = {"atol": 1e-4, "rtol": 1e-4}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    return tiny(request.param, tmp_path_factory.mktemp(request.param))


@contextmanager
def inputs_of_attention(adapter: Adapter) -> Iterator[dict[int, Tensor]]:
    """What went into each attention layer, [batch, n, hidden] by number."""
    seen: dict[int, Tensor] = {}
    handles = []
    for number, layer in enumerate(adapter.decoder_layers):
        if hasattr(layer, "self_attn"):

            def hook(_: Any, args: Any, kwargs: Any, number: int = number) -> None:
                seen[number] = kwargs.get("hidden_states", args[0] if args else None)

            handles.append(layer.self_attn.register_forward_pre_hook(hook, with_kwargs=True))
    yield seen
    for handle in handles:
        handle.remove()


def fresh_keys(adapter: Adapter, number: int, hidden: Tensor, positions: Tensor) -> Tensor:
    """Keys [1, kv_heads, n, head_dim] of a layer at `positions` [axes, n], by transformers' own functions."""
    attention: Any = adapter.decoder_layers[number].self_attn
    shape = (*hidden.shape[:-1], -1, adapter.shape.head_dim)
    keys = attention.k_proj(hidden).view(shape)
    keys = (attention.k_norm(keys) if hasattr(attention, "k_norm") else keys).transpose(1, 2)
    placed = positions if len(positions) == 1 else positions[:, None]
    cos, sin = adapter.rotary(keys, placed)
    return sys.modules[type(attention).__module__].apply_rotary_pos_emb(keys, keys, cos, sin)[1]


@torch.inference_mode()
def test_rotated_keys_are_those_computed_afresh(model: Adapter) -> None:
    session = Session(model, Settings(Full()))
    with inputs_of_attention(model) as hidden:
        session.extend(episode(model, 4))
    ledger, largest = session.ledger, 0.0
    nothing = torch.zeros(len(ledger), dtype=torch.bool)
    rows = torch.arange(len(ledger))
    for gone in (ledger.turns == 1, ledger.turns < 2, rows % 7 == 3, (rows * 37) % 101 < 80):
        state = session.state.copy()
        positions = closed_up(ledger.frames, ledger.positions, ~gone)
        state = move(model, state, positions)
        state.ledger.verify(state.cache)
        assert not torch.equal(positions, ledger.positions)
        for number, layer in state.cache.kv:
            expected = fresh_keys(model, number, hidden[number], positions)
            torch.testing.assert_close(layer.keys, expected, **CLOSE)
            largest = max(largest, float((layer.keys - expected).abs().max()))
            assert torch.equal(layer.values, session.cache.layers[number].values)
        back = move(model, state, ledger.positions)
        for (_, layer), (number, before) in zip(back.cache.kv, session.cache.kv, strict=True):
            torch.testing.assert_close(layer.keys, before.keys, **CLOSE)
            torch.testing.assert_close(before.keys, fresh_keys(model, number, hidden[number], ledger.positions))
    assert torch.equal(closed_up(ledger.frames, ledger.positions, ~nothing), ledger.positions), "nothing to close"
    assert bool(held_rows(session.cache, len(ledger)).all())
    print(f"\n{model.family}: largest difference {largest:.1e}")


def test_without_whole_screenshots_positions_are_a_prompts(model: Adapter) -> None:
    """Whichever screenshots go with their turns, what is left stands as if they had never been there."""
    messages = episode(model, 6)
    prompt = model.encode(messages)
    for last in range(1, 6):
        stays = ~torch.isin(prompt.turns, torch.arange(6 - last))
        expected = model.encode(last_frames(messages, last))
        assert torch.equal(closed_up(prompt.frames, prompt.positions, stays)[:, stays], expected.positions)


def test_survivors_stand_close_and_in_order() -> None:
    """1,000 random evictions of text and of a grid: order kept on every axis, no gap on any, prefixes end right."""
    noise = torch.Generator().manual_seed(0)
    for _ in range(1000):
        rows, cols, text = (int(torch.randint(1, 7, (1,), generator=noise)) for _ in range(3))
        height = torch.arange(rows).repeat_interleave(cols)
        width = torch.arange(cols).repeat(rows)
        grid = torch.stack([torch.zeros_like(height), height, width]) + text
        behind = text + max(rows, cols)
        positions = torch.cat([torch.arange(text).expand(3, -1), grid, torch.full((3, 1), behind)], dim=1)
        frames = torch.full((positions.shape[1],), NO_FRAME)
        frames[text:-1] = 0
        stays = torch.rand(len(frames), generator=noise) < torch.rand(1, generator=noise)
        new = closed_up(frames, positions, stays)
        before = int(stays[:text].sum())
        assert new[0, :text][stays[:text]].tolist() == list(range(before))
        kept, old = new[:, text:-1][:, stays[text:-1]], grid[:, stays[text:-1]]
        for axis, was in zip(kept, old, strict=True):
            present = sorted(set(was.tolist()))
            assert axis.tolist() == [before + present.index(p) for p in was.tolist()]
        reached = int(new[:, stays].max()) + 1 if bool(stays.any()) else 0
        assert int(new[:, -1].max()) + 1 == reached, "the last row ends where the last that stays does"
        most = int(torch.randint(1, 5, (1,), generator=noise))
        tight = closed_up(frames, positions, stays, torch.full((3,), most))
        assert bool((tight[:, stays].diff(dim=1) <= new[:, stays].diff(dim=1).clamp_min(0)).all())
        assert int(tight[:, -1].max()) < 3 * most
