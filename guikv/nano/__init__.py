"""nano: the weights of a true Qwen2.5-VL of a few million parameters, trained from scratch on 280x280 screens."""

from __future__ import annotations

from pathlib import Path

WEIGHTS: Path = Path(__file__).resolve().parent / "weights"
"""Folder of the shipped checkpoint, loadable with `from_pretrained`."""

SPECIAL: tuple[str, ...] = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
    "<|image_pad|>", "<|video_pad|>", "<|box_start|>", "<|box_end|>",
)  # fmt: skip
"""The special tokens of its family, in the order in which its vocabulary begins. They stand here because this module is
free of heavy imports."""

__all__ = ["SPECIAL", "WEIGHTS"]
