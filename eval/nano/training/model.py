"""nano's architecture, and starting weights that make learning from scratch quick: frequencies, copying, matching.

The starting weights do not change the architecture; they only choose where training starts.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from eval.nano.training.chat import IDS, VOCAB_SIZE
from eval.nano.training.samples import to_patches
from eval.nano.training.screens import MERGE, PATCH, dense_words

WINDOW = 140
"""Pixels along the side of an attention window."""
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
HIDDEN = 256
HEADS, KV_HEADS = 4, 2
HEAD_DIM = HIDDEN // HEADS
EMBED_NORM = 4.0
"""Length of every token embedding; the read-out of words from image tokens relies on it."""


def nano_config() -> Qwen2_5_VLConfig:
    """The architecture: a windowed vision tower and a grouped-query decoder with M-RoPE.

    `rope_theta` is small and `mrope_section` gives the columns most of the frequencies: with the
    family's values a 10x10 grid would hardly rotate the width axis of a 64-wide head.
    """
    rope = {"rope_type": "default", "rope_theta": 500.0, "mrope_section": [1, 8, 23]}
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": VOCAB_SIZE, "hidden_size": HIDDEN, "intermediate_size": 512, "num_hidden_layers": 4,
            "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "max_position_embeddings": 8192,
            "rms_norm_eps": 1e-6, "rope_parameters": rope, "bos_token_id": None, "eos_token_id": IDS["<|im_end|>"],
            "pad_token_id": IDS["<|endoftext|>"], "tie_word_embeddings": True,
        },
        vision_config={
            "depth": 4, "hidden_size": 128, "intermediate_size": 384, "num_heads": 4, "patch_size": PATCH,
            "spatial_merge_size": MERGE, "temporal_patch_size": 2, "window_size": WINDOW, "out_hidden_size": HIDDEN,
            "fullatt_block_indexes": [1, 3], "rope_parameters": {"rope_type": "axial", "rope_theta": 100.0},
        },
        image_token_id=IDS["<|image_pad|>"],
        video_token_id=IDS["<|video_pad|>"],
        vision_start_token_id=IDS["<|vision_start|>"],
        vision_end_token_id=IDS["<|vision_end|>"],
        tie_word_embeddings=True,
        architectures=["Qwen2_5_VLForConditionalGeneration"],
    )  # fmt: skip


def preprocessor_config() -> dict[str, object]:
    """Image processor settings; a screen between 56 and 1120 pixels square keeps its own size."""
    return {
        "image_processor_type": "Qwen2VLImageProcessor",
        "do_resize": True, "do_rescale": True, "do_normalize": True, "do_convert_rgb": True,
        "rescale_factor": 1 / 255, "resample": 3, "patch_size": PATCH, "merge_size": MERGE, "temporal_patch_size": 2,
        "min_pixels": 3136, "max_pixels": 1254400, "image_mean": list(MEAN), "image_std": list(STD),
    }  # fmt: skip


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
