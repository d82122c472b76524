"""nano in numbers: its screens, its size, and how a screen is made ready for it. Free of heavy imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eval.nano.training.tokenizer import VOCAB_SIZE
from guikv.nano import SPECIAL

if TYPE_CHECKING:
    from transformers import Qwen2_5_VLConfig

SIDE = 280
"""Screens are SIDE x SIDE pixels."""
PATCH = 14
MERGE = 2
CELL = PATCH * MERGE
"""One image token covers a CELL x CELL square."""
GRID = SIDE // CELL
TOKENS = GRID * GRID
"""Image tokens of one screen (100)."""
PATCHES = (SIDE // PATCH) ** 2
WINDOW = 140
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)

HIDDEN = 256
HEADS, KV_HEADS = 4, 2
PROMPT = "Task: {instruction}"

IDS: dict[str, int] = {name: i for i, name in enumerate(SPECIAL)}
"""Special token name -> id."""


def nano_config() -> Qwen2_5_VLConfig:
    """The architecture: a windowed vision tower and a grouped-query decoder with M-RoPE.

    `rope_theta` is small and `mrope_section` gives the columns most of the frequencies: with the
    family's values a 10x10 grid would hardly rotate the width axis of a 64-wide head.
    """
    from transformers import Qwen2_5_VLConfig

    rope = {"rope_type": "default", "rope_theta": 500.0, "mrope_section": [1, 8, 23]}
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": VOCAB_SIZE,
            "hidden_size": HIDDEN,
            "intermediate_size": 512,
            "num_hidden_layers": 4,
            "num_attention_heads": HEADS,
            "num_key_value_heads": KV_HEADS,
            "max_position_embeddings": 8192,
            "rms_norm_eps": 1e-6,
            "rope_parameters": rope,
            "bos_token_id": None,
            "eos_token_id": IDS["<|im_end|>"],
            "pad_token_id": IDS["<|endoftext|>"],
            "tie_word_embeddings": True,
        },
        vision_config={
            "depth": 4,
            "hidden_size": 128,
            "intermediate_size": 384,
            "num_heads": 4,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": 2,
            "window_size": WINDOW,
            "out_hidden_size": HIDDEN,
            "fullatt_block_indexes": [1, 3],
            "rope_parameters": {"rope_type": "axial", "rope_theta": 100.0},
        },
        image_token_id=IDS["<|image_pad|>"],
        video_token_id=IDS["<|video_pad|>"],
        vision_start_token_id=IDS["<|vision_start|>"],
        vision_end_token_id=IDS["<|vision_end|>"],
        tie_word_embeddings=True,
        architectures=["Qwen2_5_VLForConditionalGeneration"],
    )


def preprocessor_config() -> dict[str, object]:
    """Image processor settings; a screen between 56 and 1120 pixels square keeps its own size."""
    return {
        "image_processor_type": "Qwen2VLImageProcessor",
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
        "do_convert_rgb": True,
        "rescale_factor": 1 / 255,
        "resample": 3,
        "patch_size": PATCH,
        "merge_size": MERGE,
        "temporal_patch_size": 2,
        "min_pixels": 3136,
        "max_pixels": 1254400,
        "image_mean": list(MEAN),
        "image_std": list(STD),
    }
