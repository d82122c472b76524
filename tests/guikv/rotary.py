"""Sessions with compact positions, and keys as transformers' own functions make them, to compare with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from guikv.budget import Budget
from guikv.cache import PADDING
from guikv.models.base import Adapter
from guikv.policies import GuiKV
from guikv.session import Session
from guikv.settings import Settings
from guikv.state import State

CLOSE = {"atol": 1e-4, "rtol": 1e-4}


def compact(adapter: Adapter, **options: Any) -> Session:
    chosen = {"policy": GuiKV(), "budget": Budget(30, "percent"), "history": 2, "positions": "compact", **options}
    return Session(adapter, Settings(**chosen))


@contextmanager
def inputs_of_attention(adapter: Adapter, seen: dict[int, Tensor]) -> Iterator[None]:
    """Within, what goes into each attention layer is added to `seen`, [batch, n, hidden] by number."""
    handles = []
    for number, layer in enumerate(adapter.decoder_layers):
        if hasattr(layer, "self_attn"):

            def hook(_: Any, args: Any, kwargs: Any, number: int = number) -> None:
                hidden = kwargs["hidden_states"] if "hidden_states" in kwargs else args[0]
                seen[number] = torch.cat([seen[number], hidden], dim=1) if number in seen else hidden

            handles.append(layer.self_attn.register_forward_pre_hook(hook, with_kwargs=True))
    try:
        yield
    finally:
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


def at_its_positions(session: Session, hidden: dict[int, Tensor]) -> State:
    """The session's state with its entries' keys computed afresh, where the ledger says they stand."""
    state = session.state.copy()
    for number, layer in state.cache.kv:
        keys = fresh_keys(session.adapter, number, hidden[number], state.ledger.positions)
        rows = layer.index.clamp_min(0).unsqueeze(-1).expand(-1, -1, -1, keys.shape[-1])
        keys = keys.gather(2, rows).masked_fill(layer.index.eq(PADDING).unsqueeze(-1), 0)
        torch.testing.assert_close(layer.keys, keys, **CLOSE)
        layer.put(keys, layer.values.clone(), layer.index.clone())
    return state
