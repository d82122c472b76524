"""Configuration of nano: geometry of the screen, the Qwen2.5-VL config, and the checkpoint folder."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from eval.nano.training.geometry import MEAN, MERGE, PATCH, STD, WINDOW
from eval.nano.training.tokenizer import SPECIAL, VOCAB_SIZE, save_tokenizer
from guikv.files import make_folder, replace_file, replacing

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


def save_checkpoint(model: Qwen2_5_VLForConditionalGeneration, folder: Path) -> None:
    """Write the plain checkpoint folder: configs, tokenizer, prompt, and the weights as fp16."""
    make_folder(folder)
    config = model.config.to_dict()
    config["dtype"] = "float16"
    # Where a checkpoint was trained further from is a path of that machine.
    config["_name_or_path"] = ""
    replace_file(folder / "config.json", (json.dumps(config, indent=2, sort_keys=True) + "\n").encode())
    generation = {
        "eos_token_id": IDS["<|im_end|>"],
        "pad_token_id": IDS["<|endoftext|>"],
        "do_sample": False,
        "max_new_tokens": 48,
    }
    replace_file(folder / "generation_config.json", (json.dumps(generation, indent=2) + "\n").encode())
    replace_file(folder / "preprocessor_config.json", (json.dumps(preprocessor_config(), indent=2) + "\n").encode())
    replace_file(folder / "prompt.txt", PROMPT.encode())
    save_tokenizer(folder)
    state = {
        n: p.detach().to(torch.float16).contiguous() for n, p in model.state_dict().items() if n != "lm_head.weight"
    }
    with replacing(folder / "model.safetensors") as file:
        save_file(state, file.name, metadata={"format": "pt"})
