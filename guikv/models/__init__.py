"""Models: one adapter per architecture, and the loader that finds the right one."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from guikv.errors import ModelError
from guikv.models.base import Adapter, Shape
from guikv.models.qwen2_5_vl import Qwen25VL
from guikv.nano import WEIGHTS

ARCHITECTURES: dict[str, type[Qwen25VL]] = {"qwen2_5_vl": Qwen25VL}

SHIPPED: dict[str, Path] = {"nano": WEIGHTS}

_SPECIAL = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def load_model(name_or_path: str, device: str = "auto", dtype: str = "auto", attention: str = "auto") -> Adapter:
    """Load a checkpoint: `nano`, a folder, or a name on the model hub.

    device: auto takes CUDA when there is one. dtype: auto takes bfloat16 on CUDA and float32 on a CPU.
    attention: sdpa (PyTorch's own), flash (flash-attn), or auto: flash-attn on CUDA where it can be imported.
    Raises ModelError when it does not exist, is damaged, or has an architecture without an adapter.
    """
    path = str(SHIPPED.get(name_or_path, name_or_path))
    place = _device(device)
    kind = _dtype(dtype, place)
    config = _config(path)
    adapter_class = ARCHITECTURES.get(config.model_type)
    if adapter_class is None:
        known = ", ".join(ARCHITECTURES)
        raise ModelError(f"{name_or_path}: no adapter for the architecture {config.model_type!r} (there is: {known})")
    vision = _vision_attention(attention, place, kind)
    try:
        model = adapter_class.model_class.from_pretrained(
            path,
            config=config,
            dtype=kind,
            attn_implementation={"vision_config": vision, "text_config": "sdpa"},
        ).to(place)
        tokenizer = AutoTokenizer.from_pretrained(path)
        processor = Qwen2VLImageProcessorPil.from_pretrained(path)
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError) as error:
        raise ModelError(f"{name_or_path} could not be loaded: {_first_line(error)}") from error
    missing = [token for token in _SPECIAL if token not in tokenizer.get_vocab()]
    if missing:
        raise ModelError(f"{name_or_path}: its tokenizer lacks {', '.join(missing)}")
    return adapter_class(model, tokenizer, processor, name=name_or_path, path=path)


def _config(path: str) -> Any:
    folder = Path(path)
    looks_local = folder.is_absolute() or path.startswith((".", "~")) or "/" not in path
    if looks_local and not (folder / "config.json").is_file():
        shipped = ", ".join(SHIPPED)
        raise ModelError(f"there is no model at {path!r}: give a folder with a config.json, a hub name, or: {shipped}")
    try:
        return AutoConfig.from_pretrained(path)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path} could not be read as a model: {_first_line(error)}") from error


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"unknown device {name!r}: use auto, cpu, cuda or cuda:N") from error
    if place.type == "cuda" and not torch.cuda.is_available():
        raise ModelError(f"device {name!r} was asked for, but PyTorch sees no CUDA device")
    return place


def _vision_attention(name: str, device: torch.device, dtype: torch.dtype) -> str:
    """Name that transformers knows for the vision tower's attention; the decoder's finds flash-attn by itself."""
    if name not in ("auto", "sdpa", "flash"):
        raise ModelError(f"unknown attention {name!r}: use auto, sdpa or flash")
    usable = find_spec("flash_attn") is not None and device.type == "cuda" and dtype != torch.float32
    if name == "flash" and not usable:
        raise ModelError("attention 'flash' needs CUDA, half precision and the extra: pip install 'guikv[flash]'")
    return "flash_attention_2" if usable and name != "sdpa" else "sdpa"


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if name not in _DTYPES:
        raise ModelError(f"unknown dtype {name!r}: use auto, {', '.join(_DTYPES)}")
    return _DTYPES[name]


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


__all__ = ["ARCHITECTURES", "SHIPPED", "Adapter", "ModelError", "Qwen25VL", "Shape", "load_model"]
