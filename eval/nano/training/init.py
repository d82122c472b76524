"""Starting weights that make learning from scratch quick: frequencies, copying and matching.

None of this changes the architecture; it only chooses where training starts.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import Qwen2_5_VLForConditionalGeneration

from eval.nano.training.config import HEADS, HIDDEN, KV_HEADS, MEAN, PATCH, STD, nano_config
from eval.nano.training.labels import to_patches
from eval.nano.training.screens import dense_words

EMBED_NORM = 4.0
"""Length of every token embedding; the read-out of words from image tokens relies on it."""
HEAD_DIM = HIDDEN // HEADS


def _embeddings(count: int) -> Tensor:
    """(count, HIDDEN) of length EMBED_NORM: the first HIDDEN orthonormal, the others random directions."""
    basis, _ = torch.linalg.qr(torch.randn(HIDDEN, HIDDEN))
    rest = torch.nn.functional.normalize(torch.randn(count - HIDDEN, HIDDEN), dim=-1)
    return torch.cat([basis, rest]) * EMBED_NORM


def _cosine_filters(count: int) -> Tensor:
    """(count, 3, PATCH, PATCH): brightness cosines of low frequency, and flat colour differences."""
    axis = (torch.arange(PATCH) + 0.5) * math.pi / PATCH
    orders = sorted(((u, v) for u in range(PATCH) for v in range(PATCH)), key=lambda p: (p[0] ** 2 + p[1] ** 2, p))
    waves = torch.stack([torch.cos(u * axis)[:, None] * torch.cos(v * axis)[None] for u, v in orders[: count - 2]])
    grey = waves[:, None] * torch.tensor([0.3, 0.59, 0.11])[None, :, None, None]
    flat = torch.ones(1, PATCH, PATCH)
    colour = torch.stack([torch.cat([flat, -flat, 0 * flat]), torch.cat([flat, flat, -2 * flat])])
    return torch.cat([grey, colour])


def _patch_filters(count: int) -> Tensor:
    """Cosine filters scaled to unit variance on sample screens, halved for the doubled frame."""
    rng = random.Random(1)
    patches = np.concatenate([to_patches(dense_words(rng, i / 40).pixels) for i in range(40)])
    x = torch.from_numpy(patches).float().view(-1, 3, PATCH, PATCH) / 255
    x = (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    filters = _cosine_filters(count)
    spread = (x.flatten(1) @ filters.flatten(1).T).std(0)
    return (filters / spread[:, None, None, None])[:, :, None].repeat(1, 1, 2, 1, 1) / 2


def _start_attention(attn: Any, layer: int) -> None:
    """Copying values, a previous-token head in the first layer, content matching in the next two."""
    group = HEADS // KV_HEADS
    basis, _ = torch.linalg.qr(torch.randn(HIDDEN, HIDDEN))
    values = basis[: KV_HEADS * HEAD_DIM]
    attn.v_proj.weight.copy_(values)
    for head in range(HEADS):
        kv = head // group
        back = values[kv * HEAD_DIM : (kv + 1) * HEAD_DIM].T
        attn.o_proj.weight[:, head * HEAD_DIM : (head + 1) * HEAD_DIM] = 0.4 * back
    if layer == 0:
        frequencies = 500.0 ** (-torch.arange(HEAD_DIM // 2) / (HEAD_DIM // 2))
        pairs = torch.arange(12)
        keys, queries = attn.k_proj.bias.view(KV_HEADS, HEAD_DIM), attn.q_proj.bias.view(HEADS, HEAD_DIM)
        keys[-1, pairs] = 1.0
        queries[-1, pairs] = 6.0 * frequencies[pairs].cos()
        queries[-1, pairs + HEAD_DIM // 2] = -6.0 * frequencies[pairs].sin()
    elif layer in (1, 2):
        slow = torch.arange(HEAD_DIM // 2 - 12, HEAD_DIM // 2)
        dims = torch.cat([slow, slow + HEAD_DIM // 2])
        match, _ = torch.linalg.qr(torch.randn(HIDDEN, HIDDEN))
        for kv in range(KV_HEADS):
            rows = match[kv * len(dims) : (kv + 1) * len(dims)]
            attn.k_proj.weight[kv * HEAD_DIM + dims] = rows
            attn.q_proj.weight[kv * group * HEAD_DIM + dims] = 2.5 * rows


@torch.no_grad()
def new_model(seed: int) -> Qwen2_5_VLForConditionalGeneration:
    """A nano with its starting weights, the same for the same seed."""
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(nano_config())
    vision, text = model.model.visual, model.model.language_model
    for name, p in model.named_parameters():
        depth = len(vision.blocks) if "visual" in name else len(text.layers)
        if p.ndim >= 2 and "embed_tokens" not in name:
            last = any(part in name for part in ("o_proj", "down_proj", "attn.proj"))
            p.normal_(0, p[0].numel() ** -0.5 / (math.sqrt(2 * depth) if last else 1.0))
        elif name.endswith("bias"):
            p.zero_()
    vision.patch_embed.proj.weight.copy_(_patch_filters(vision.patch_embed.proj.weight.shape[0]))
    text.embed_tokens.weight.copy_(_embeddings(text.embed_tokens.weight.shape[0]))
    text.norm.weight.fill_(0.3)
    for number, layer in enumerate(text.layers):
        _start_attention(layer.self_attn, number)
    return model
