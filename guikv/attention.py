"""The attention function that models run with, and what a policy may watch while they run.

It is registered with transformers' `AttentionInterface` under the name `guikv`, with a mask function that builds
no mask: in a compressed cache the columns are not positions any more, so the only mask that is right is the
bottom-right causal one, plus the padding of ragged heads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention.bias import causal_lower_right
from transformers import AttentionInterface, AttentionMaskInterface

from guikv.cache import PADDING, CompressedCache
from guikv.errors import SessionError
from guikv.products import attend_in_products, faster_for

NAME = "guikv"


class Batch(Protocol):
    """Several sessions in one pass, each with entries of its own."""

    def attend(self, layer: int, query: Tensor, scaling: float | None) -> Tensor:
        """query [batch, heads, new, d] → [batch, heads, new, d], each row over its own session's entries."""


@dataclass
class Watch:
    """What the forward passes of one prefill leave behind for the policy.

    batch: the sessions whose replies are written in this pass; they see to their own attention
    observation_window: how many of the last queries are wanted; saliency: whose norms are: normed, residual or None
    queries: layer → [batch, query_heads, w, head_dim], those queries after RoPE
    norms: layer → [batch, new], L2 norm of each new token's hidden state, float32
    """

    cache: CompressedCache | None = None
    batch: Batch | None = None
    observation_window: int = 0
    saliency: str | None = None
    queries: dict[int, Tensor] = field(default_factory=dict)
    norms: dict[int, Tensor] = field(default_factory=dict)

    def stacked_norms(self) -> Tensor | None:
        """[layers, batch, new] norms of all layers, or None where none were asked for."""
        return torch.stack([self.norms[layer] for layer in sorted(self.norms)]) if self.norms else None


WATCH = "guikv_watch"
"""The argument of the model's forward that carries a `Watch` down to the attention function."""


@contextmanager
def watching(layers: nn.ModuleList, watch: Watch) -> Iterator[Watch]:
    """Within the block, forward passes through the decoder `layers` leave norms in `watch`. No hook stays behind.

    Layers without attention (`self_attn`) are passed over.
    """
    handles = []
    if watch.saliency is not None:
        for number, layer in enumerate(layers):
            if not hasattr(layer, "self_attn"):
                continue
            # "normed": the attention module's input, after the RMSNorm. "residual": the layer's own input.
            module = layer.get_submodule("self_attn") if watch.saliency == "normed" else layer
            handles.append(module.register_forward_pre_hook(_norm_hook(number, watch), with_kwargs=True))
    try:
        yield watch
    finally:
        for handle in handles:
            handle.remove()


def _norm_hook(number: int, watch: Watch) -> Any:
    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        hidden = kwargs["hidden_states"] if "hidden_states" in kwargs else args[0]
        norms = hidden.float().norm(dim=-1)
        watch.norms[number] = torch.cat([watch.norms[number], norms], dim=1) if number in watch.norms else norms

    return hook


def _last(before: Tensor | None, query: Tensor, window: int) -> Tensor:
    """The last `window` queries, of which some may be from the part of the prefill before."""
    if before is not None and query.shape[2] < window:
        query = torch.cat([before, query], dim=2)
    return query[:, :, -window:].detach()


def guikv_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    guikv_watch: Watch | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """query [batch, heads, new, d], key and value [batch, stored_heads, entries, d] → [batch, new, heads, d].

    The parameters stand in transformers' order, so that other packages may wrap what is registered.
    """
    watch, padding = guikv_watch, None
    if watch is not None:
        number = int(module.layer_idx)  # type: ignore[arg-type]
        if watch.batch is not None:
            return watch.batch.attend(number, query, scaling).transpose(1, 2).contiguous(), None
        if watch.observation_window:
            watch.queries[number] = _last(watch.queries.get(number), query, watch.observation_window)
        if watch.cache is not None and watch.cache.layers[number].padded:
            padding = watch.cache.layers[number].index == PADDING
    out = attend(query, key, value, scaling=scaling, padding=padding)
    return out.transpose(1, 2).contiguous(), None


def attend(
    query: Tensor, key: Tensor, value: Tensor, scaling: float | None = None, padding: Tensor | None = None
) -> Tensor:
    """Bottom-right causal attention with grouped heads: the last query sees everything.

    Args:
        query: [batch, heads, new, d]
        key, value: [batch, stored_heads, entries, d], the new tokens' own entries last
        padding: [batch, stored_heads, entries], True where there is no entry

    Returns: [batch, heads, new, d]
    """
    batch, heads, new, dim = query.shape
    stored, entries = key.shape[1], key.shape[2]
    groups = heads // stored
    if new == 1:
        # One query a head: the group takes the place of the query axis, and keys need no copies.
        holes = None if padding is None else ~padding.unsqueeze(2)
        rows = query.reshape(batch, stored, groups, dim)
        if query.dtype == torch.bfloat16 and not query.is_cuda and groups % 2:
            # oneDNN reads bfloat16 keys two queries at a time, and one alone much slower.
            rows = F.pad(rows, (0, 0, 0, 1))
        out = F.scaled_dot_product_attention(rows, key, value, holes, scale=scaling)
        return out[:, :, :groups].reshape(batch, heads, 1, dim)
    if padding is None and faster_for(query.device, query.dtype):
        return attend_in_products(query, key, value, dim**-0.5 if scaling is None else scaling, causal=True)
    flash = _flash_attention(query) if padding is None else None
    if flash is not None:
        out = flash(*(t.transpose(1, 2) for t in (query, key, value)), softmax_scale=scaling, causal=True)
        return out.transpose(1, 2)
    if query.is_cuda and groups > 1:
        # A mask beside grouped heads leaves only the slowest of PyTorch's kernels on a GPU.
        key, value = (t.repeat_interleave(groups, dim=1) for t in (key, value))
    grouped = heads > key.shape[1]
    if new == entries and padding is None:
        return F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=grouped)
    if query.is_cuda and padding is None:
        return F.scaled_dot_product_attention(query, key, value, causal_lower_right(new, entries), scale=scaling)
    mask = torch.ones(new, entries, dtype=torch.bool, device=query.device).tril(entries - new)
    if padding is not None:
        mask = mask & ~padding.repeat_interleave(groups, dim=1).unsqueeze(2)
    return F.scaled_dot_product_attention(query, key, value, mask, scale=scaling, enable_gqa=grouped)


def _flash_attention(query: Tensor) -> Any:
    """flash-attn's function where it can be used (CUDA, half precision, package importable), else None."""
    if not query.is_cuda or query.dtype not in (torch.float16, torch.bfloat16):
        return None
    try:
        from flash_attn import flash_attn_func
    except ImportError:
        return None
    return flash_attn_func


def no_mask(*, attention_mask: Tensor | None = None, **kwargs: Any) -> None:
    """The mask function: none is built. Raises SessionError for padded batches, which have no place here."""
    if attention_mask is not None and attention_mask.ndim == 2 and not bool(attention_mask.all()):
        raise SessionError("padded batches cannot be compressed: give sequences of one length, or one at a time")


AttentionInterface.register(NAME, guikv_attention)
AttentionMaskInterface.register(NAME, no_mask)
