"""Models with random weights in the real architecture: for tests and benchmarks where no checkpoint is at hand."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from guikv.models.qwen2_5_vl import Qwen25VL
from guikv.nano.tokenizer import SPECIAL


@dataclass(frozen=True)
class Sizes:
    """Size of a random Qwen2.5-VL. `head_dim` is hidden / heads; the vision tower has one head per 16 channels."""

    hidden: int = 128
    layers: int = 3
    heads: int = 4
    kv_heads: int = 2
    intermediate: int = 192
    vision_hidden: int = 32
    vision_layers: int = 2
    vision_intermediate: int = 48
    max_pixels: int = 28 * 28 * 4096


TINY = Sizes()


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, plus the family's special tokens: encodes anything, exactly."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
    return fast


def random_model(sizes: Sizes = TINY, seed: int = 0, dtype: torch.dtype = torch.float32) -> Qwen25VL:
    """A Qwen2.5-VL of these sizes with random weights, on the CPU, with a byte tokenizer."""
    tokenizer = byte_tokenizer()
    number = tokenizer.convert_tokens_to_ids
    pairs = sizes.hidden // sizes.heads // 2
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": sizes.hidden,
            "intermediate_size": sizes.intermediate,
            "num_hidden_layers": sizes.layers,
            "num_attention_heads": sizes.heads,
            "num_key_value_heads": sizes.kv_heads,
            "max_position_embeddings": 131_072,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [pairs // 4, pairs * 3 // 8, pairs - pairs // 4 - pairs * 3 // 8],
            },
            "eos_token_id": number("<|im_end|>"),
            "pad_token_id": number("<|endoftext|>"),
            "bos_token_id": None,
            "tie_word_embeddings": True,
        },
        vision_config={
            "depth": sizes.vision_layers,
            "hidden_size": sizes.vision_hidden,
            "intermediate_size": sizes.vision_intermediate,
            "num_heads": max(1, sizes.vision_hidden // 16 if sizes.vision_hidden < 256 else sizes.vision_hidden // 64),
            "out_hidden_size": sizes.hidden,
            "fullatt_block_indexes": [sizes.vision_layers - 1],
            "window_size": 112,
        },
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(config).to(dtype)
    processor = Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=sizes.max_pixels)
    return Qwen25VL(model, tokenizer, processor, name="random")
