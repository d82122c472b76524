"""Models with random weights in the real architectures: for tests and benchmarks where no checkpoint is at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from guikv.models.qwen2_5_vl import Qwen25VL
from guikv.models.qwen3_vl import Qwen3VL
from guikv.nano import SPECIAL

DIALECT = "ui_tars"
"""A model that speaks nothing is asked in the dialect that the shipped model speaks."""


@dataclass(frozen=True)
class Sizes:
    """Size of a random model. What is 0 or empty follows from the rest.

    head_dim: hidden / heads by default; vision_heads: one per 16 channels, or per 64 in towers of 256 and more;
    vocabulary: the byte tokenizer's; marks: vision blocks with full attention (Qwen2.5-VL, by default the last) or
    with deepstack features (Qwen3-VL, by default all but the last)
    """

    hidden: int = 128
    layers: int = 3
    heads: int = 4
    kv_heads: int = 2
    intermediate: int = 192
    vision_hidden: int = 32
    vision_layers: int = 2
    vision_intermediate: int = 48
    max_pixels: int = 28 * 28 * 4096
    head_dim: int = 0
    vision_heads: int = 0
    vocabulary: int = 0
    marks: tuple[int, ...] = ()
    tied: bool = True


TINY = Sizes()
TINY_QWEN3 = Sizes(vision_layers=3, head_dim=24, max_pixels=32 * 32 * 4096)

QWEN25_7B = Sizes(
    hidden=3584,
    layers=28,
    heads=28,
    kv_heads=4,
    intermediate=18_944,
    vision_hidden=1280,
    vision_layers=32,
    vision_intermediate=3420,
    vision_heads=16,
    vocabulary=152_064,
    marks=(7, 15, 23, 31),
    max_pixels=12_845_056,
    tied=False,
)
"""Qwen2.5-VL-7B and UI-TARS-1.5-7B."""
QWEN3_8B = Sizes(
    hidden=4096,
    layers=36,
    heads=32,
    kv_heads=8,
    intermediate=12_288,
    vision_hidden=1152,
    vision_layers=27,
    vision_intermediate=4304,
    vision_heads=16,
    vocabulary=151_936,
    marks=(8, 16, 24),
    max_pixels=16_777_216,
    tied=False,
)
"""Qwen3-VL-8B."""


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, plus the family's special tokens: encodes anything, exactly."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
    return fast


def random_model(
    sizes: Sizes = TINY, seed: int = 0, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> Qwen25VL:
    """A Qwen2.5-VL of these sizes with random weights and a byte tokenizer."""
    tokenizer = byte_tokenizer()
    head = sizes.head_dim or sizes.hidden // sizes.heads
    rope = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": _sections(head)}
    config = Qwen2_5_VLConfig(
        text_config={**_text(sizes, tokenizer), "rope_parameters": rope},
        vision_config={
            **_vision(sizes),
            "fullatt_block_indexes": list(sizes.marks or [sizes.vision_layers - 1]),
            "window_size": 112,
        },
        **_tokens(sizes, tokenizer),
    )
    model = _build(Qwen2_5_VLForConditionalGeneration, config, seed, dtype, device)
    processor = Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=sizes.max_pixels)
    adapter = Qwen25VL(model, tokenizer, processor, name="random")
    adapter.dialect = DIALECT
    return adapter


def random_qwen3(
    sizes: Sizes = TINY_QWEN3, seed: int = 0, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> Qwen3VL:
    """A Qwen3-VL of these sizes with random weights and a byte tokenizer."""
    tokenizer = byte_tokenizer()
    head = sizes.head_dim or sizes.hidden // sizes.heads
    rope = {
        "rope_type": "default",
        "rope_theta": 5_000_000.0,
        "mrope_section": _sections(head),
        "mrope_interleaved": True,
    }
    config = Qwen3VLConfig(
        text_config={**_text(sizes, tokenizer), "head_dim": head, "rope_parameters": rope},
        vision_config={
            **_vision(sizes),
            "patch_size": 16,
            "num_position_embeddings": 2304,
            "deepstack_visual_indexes": list(sizes.marks or range(sizes.vision_layers - 1)),
        },
        **_tokens(sizes, tokenizer),
    )
    model = _build(Qwen3VLForConditionalGeneration, config, seed, dtype, device)
    processor = Qwen2VLImageProcessorPil(
        patch_size=16,
        min_pixels=32 * 32,
        max_pixels=sizes.max_pixels,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )
    adapter = Qwen3VL(model, tokenizer, processor, name="random")
    adapter.dialect = DIALECT
    return adapter


def _build(kind: Any, config: Any, seed: int, dtype: torch.dtype, device: str) -> Any:
    """The model, made where it will stay: real sizes in float32 on a CPU would need several times the memory."""
    torch.manual_seed(seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            return kind(config)
    finally:
        torch.set_default_dtype(before)


def _sections(head: int) -> list[int]:
    pairs = head // 2
    return [pairs // 4, pairs * 3 // 8, pairs - pairs // 4 - pairs * 3 // 8]


def _text(sizes: Sizes, tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    number = tokenizer.convert_tokens_to_ids
    return {
        "vocab_size": sizes.vocabulary or len(tokenizer),
        "hidden_size": sizes.hidden,
        "intermediate_size": sizes.intermediate,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
        "max_position_embeddings": 131_072,
        "eos_token_id": number("<|im_end|>"),
        "pad_token_id": number("<|endoftext|>"),
        "bos_token_id": None,
        "tie_word_embeddings": sizes.tied,
    }


def _vision(sizes: Sizes) -> dict[str, Any]:
    per_head = 16 if sizes.vision_hidden < 256 else 64
    return {
        "depth": sizes.vision_layers,
        "hidden_size": sizes.vision_hidden,
        "intermediate_size": sizes.vision_intermediate,
        "num_heads": sizes.vision_heads or max(1, sizes.vision_hidden // per_head),
        "out_hidden_size": sizes.hidden,
    }


def _tokens(sizes: Sizes, tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    number = tokenizer.convert_tokens_to_ids
    return {
        "image_token_id": number("<|image_pad|>"),
        "video_token_id": number("<|video_pad|>"),
        "vision_start_token_id": number("<|vision_start|>"),
        "vision_end_token_id": number("<|vision_end|>"),
        "tie_word_embeddings": sizes.tied,
    }
