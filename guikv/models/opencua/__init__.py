"""OpenCUA (7B, 32B, 72B): Qwen2.5-VL's vision tower on a Qwen2 decoder with one-axis RoPE and its own tokenizer.

Its owners publish Python files beside the weights. None of them is run: the model is put together from transformers'
modules, and the tokenizer is built from the published data files.
"""

from __future__ import annotations

from guikv.models.opencua.adapter import OpenCUA
from guikv.models.opencua.model import OpenCUAConfig, OpenCUAForConditionalGeneration
from guikv.models.opencua.tokenizer import load_tokenizer

__all__ = ["OpenCUA", "OpenCUAConfig", "OpenCUAForConditionalGeneration", "load_tokenizer"]
