"""A fast training forward over the parameters of a transformers Qwen2.5-VL.

Same mathematics as the transformers model, arranged for a CPU: all screens of a batch at once,
attention windows as a batch dimension instead of a Python loop, matrix products in bfloat16 with
float32 weights and residuals. A test pins it to the transformers forward. All screens are
SIDE x SIDE, so that the window order and the rotary tables are constants.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch._inductor import config as inductor_config
from torch.nn import functional
from transformers import Qwen2_5_VLForConditionalGeneration

from eval.nano.training.chat import IDS
from eval.nano.training.model import MEAN, STD, WINDOW
from eval.nano.training.screens import CELL, GRID, PATCH, SIDE, TOKENS

NEGATIVE = -1e4


def rms_norm(x: Tensor, weight: Tensor, dtype: torch.dtype) -> Tensor:
    """RMS norm over the last axis in float32, returned in `dtype`."""
    x = x.float()
    return (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * weight).to(dtype)


def linear(x: Tensor, layer: Any) -> Tensor:
    """A linear layer computed in the dtype of `x`."""
    bias = getattr(layer, "bias", None)
    return functional.linear(x, layer.weight.to(x.dtype), None if bias is None else bias.to(x.dtype))


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding: x (..., heads, dim), cos and sin broadcastable (..., 1, dim)."""
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), -1)
    return (x.float() * cos + turned.float() * sin).to(x.dtype)


def gated_mlp(y: Tensor, mlp: Any) -> Tensor:
    """SwiGLU MLP on (..., hidden)."""
    return linear(functional.silu(linear(y, mlp.gate_proj)) * linear(y, mlp.up_proj), mlp.down_proj)


def vision_block(
    x: Tensor, block: Any, cos: Tensor, sin: Tensor, heads: int, window: int, dtype: torch.dtype
) -> Tensor:
    """One vision block on x (screens, patches, hidden); `window` patches attend to each other."""
    n, t, width = x.shape
    qkv = linear(rms_norm(x, block.norm1.weight, dtype), block.attn.qkv).view(n, t, 3, heads, width // heads)
    q = rotate(qkv[:, :, 0], cos, sin) * (width // heads) ** -0.5
    k = rotate(qkv[:, :, 1], cos, sin)
    q, k, v = (z.reshape(-1, window, heads, width // heads).transpose(1, 2) for z in (q, k, qkv[:, :, 2]))
    weights = torch.softmax((q @ k.transpose(-1, -2)).float(), -1).to(dtype)
    mixed = (weights @ v).transpose(1, 2).reshape(n, t, width)
    x = x + linear(mixed, block.attn.proj)
    return x + gated_mlp(rms_norm(x, block.norm2.weight, dtype), block.mlp)


def decoder_layer(
    x: Tensor, layer: Any, cos: Tensor, sin: Tensor, mask: Tensor, heads: int, kv: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """One decoder layer on x (batch, length, hidden) -> x and scores (batch, kv, group, length, length)."""
    b, t, width = x.shape
    attn, dim, group = layer.self_attn, width // heads, heads // kv
    y = rms_norm(x, layer.input_layernorm.weight, dtype)
    q = rotate(linear(y, attn.q_proj).view(b, t, heads, dim), cos, sin) * dim**-0.5
    k = rotate(linear(y, attn.k_proj).view(b, t, kv, dim), cos, sin).transpose(1, 2)
    v = linear(y, attn.v_proj).view(b, t, kv, dim).transpose(1, 2)
    q = q.view(b, t, kv, group, dim).permute(0, 2, 3, 1, 4).reshape(b, kv, group * t, dim)
    scores = (q @ k.transpose(-1, -2)).view(b, kv, group, t, t).float() + mask
    weights = torch.softmax(scores, -1).to(dtype).view(b, kv, group * t, t)
    mixed = (weights @ v).view(b, kv, group, t, dim).permute(0, 3, 1, 2, 4).reshape(b, t, width)
    x = x + linear(mixed, attn.o_proj)
    return x + gated_mlp(rms_norm(x, layer.post_attention_layernorm.weight, dtype), layer.mlp), scores


@dataclass
class Decoded:
    """What the decoder's pass leaves for the losses."""

    hidden: Tensor
    """Normed final states (batch, length, hidden), float32."""
    layers: list[Tensor] = field(default_factory=list)
    """Residual stream after each layer."""
    scores: list[Tensor] = field(default_factory=list)
    """Masked attention scores of each layer (batch, kv, group, length, length)."""


def _window_order() -> Tensor:
    """Image token order in which the tokens of one attention window are neighbours (TOKENS,)."""
    per = WINDOW // CELL
    grid = torch.arange(TOKENS).view(GRID // per, per, GRID // per, per)
    return grid.permute(0, 2, 1, 3).reshape(-1)


class FastForward:
    """Functional forward passes over `model`'s own parameters."""

    def __init__(
        self, model: Qwen2_5_VLForConditionalGeneration, dtype: torch.dtype = torch.bfloat16, compiled: bool = False
    ):
        self.model, self.dtype = model, dtype
        self.device = model.lm_head.weight.device
        self.visual, self.text = model.model.visual, model.model.language_model
        vision = model.config.vision_config
        self.full = set(vision.fullatt_block_indexes)
        self.vision_heads = vision.num_heads
        self.heads = model.config.text_config.num_attention_heads
        self.kv = model.config.text_config.num_key_value_heads
        self.order = _window_order()
        self.restore = torch.argsort(self.order)
        self.window = (WINDOW // PATCH) ** 2
        rows = torch.arange(SIDE // PATCH).view(-1, 1).expand(-1, SIDE // PATCH)
        angles = torch.cat(
            [self._patch_order(z)[:, None] * self.visual.rotary_pos_emb.inv_freq.cpu() for z in (rows, rows.T)], -1
        )
        angles = torch.cat([angles, angles], -1)[:, None].to(self.device)
        self.cos, self.sin = angles.cos(), angles.sin()
        scale = (1 / (255 * torch.tensor(STD))).repeat_interleave(PATCH * PATCH)
        shift = (-torch.tensor(MEAN) / torch.tensor(STD)).repeat_interleave(PATCH * PATCH)
        self.scale, self.shift = scale.to(self.device), shift.to(self.device)
        self.sections = list(model.config.text_config.rope_parameters["mrope_section"])
        self.inv_freq = self.text.rotary_emb.inv_freq.to(self.device)
        self.vision_block = vision_block
        if compiled:
            # Generated loops then follow torch.set_num_threads instead of fixing the count.
            inductor_config.cpp.dynamic_threads = True
            self.vision_block = torch.compile(vision_block, dynamic=False)

    def _patch_order(self, grid: Tensor) -> Tensor:
        """A per-patch grid (20, 20) in the tower's order: window by window, four patches a token."""
        merged = grid.reshape(GRID, 2, GRID, 2).permute(0, 2, 1, 3).reshape(TOKENS, 4)
        return merged[self.order].reshape(-1)

    def see(self, patches: Tensor) -> Tensor:
        """Patches uint8 (screens, 400, 588) in processor order -> image tokens (screens, 100, hidden)."""
        n, patches = patches.shape[0], patches.to(self.device)
        x = (patches.float() * self.scale + self.shift).to(self.dtype)
        kernel = self.visual.patch_embed.proj.weight.sum(2).flatten(1)
        x = functional.linear(x, kernel.to(self.dtype)).float()
        x = x.view(n, TOKENS, 4, -1)[:, self.order].reshape(n, TOKENS * 4, -1)
        for i, block in enumerate(self.visual.blocks):
            window = x.shape[1] if i in self.full else self.window
            x = self.vision_block(x, block, self.cos, self.sin, self.vision_heads, window, self.dtype)
        merger = self.visual.merger
        y = rms_norm(x, merger.ln_q.weight, self.dtype).view(n, TOKENS, -1)
        return linear(functional.gelu(linear(y, merger.mlp[0])), merger.mlp[2]).float()[:, self.restore]

    def decode(self, ids: Tensor, positions: Tensor, image: Tensor) -> Decoded:
        """ids (batch, length), positions (3, batch, length), image (count, hidden) in reading order.

        `image` holds one row for each <|image_pad|> in `ids`; rows of blank cells may be left out
        together with their ids, since the positions are given explicitly. Right padding is enough:
        the mask is causal.
        """
        x = self.text.embed_tokens(ids)
        x = x.masked_scatter((ids == IDS["<|image_pad|>"])[..., None], image)
        angles = positions[..., None].float() * self.inv_freq
        angles = torch.cat([z[i % 3] for i, z in enumerate(angles.split(self.sections, -1))], -1)
        angles = torch.cat([angles, angles], -1)[:, :, None]
        cos, sin = angles.cos(), angles.sin()
        length = ids.shape[1]
        mask = torch.full((length, length), NEGATIVE, device=self.device).triu(1)
        out = Decoded(x)
        for layer in self.text.layers:
            x, scores = decoder_layer(x, layer, cos, sin, mask, self.heads, self.kv, self.dtype)
            out.layers.append(x)
            out.scores.append(scores)
        out.hidden = rms_norm(x, self.text.norm.weight, torch.float32)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        """Next-token logits (..., vocab) of normed states."""
        return functional.linear(hidden, self.model.lm_head.weight)
