"""Device, precision and attention: what a user asks for, in PyTorch's and transformers' terms."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from guikv.errors import ModelError

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(name: str) -> torch.device:
    """auto: CUDA when there is one. Raises ModelError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"unknown device {name!r}: use auto, cpu, cuda or cuda:N") from error
    if place.type == "cuda" and not torch.cuda.is_available():
        raise ModelError(f"device {name!r} was asked for, but PyTorch sees no CUDA device")
    return place


def vision_attention(name: str, device: torch.device, dtype: torch.dtype) -> str:
    """Name that transformers knows for the vision tower's attention; the decoder's finds flash-attn by itself.

    Raises ModelError.
    """
    if name not in ("auto", "sdpa", "flash"):
        raise ModelError(f"unknown attention {name!r}: use auto, sdpa or flash")
    usable = flash_usable(device, dtype)
    if name == "flash" and not usable:
        raise ModelError("attention 'flash' needs CUDA, half precision and the extra: pip install 'guikv[flash]'")
    return "flash_attention_2" if usable and name != "sdpa" else "sdpa"


def flash_usable(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether flash-attn can be used: on CUDA, in half precision, where it is installed."""
    half = dtype in (torch.float16, torch.bfloat16)
    return half and device.type == "cuda" and find_spec("flash_attn") is not None


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """auto: bfloat16 on CUDA, float32 on a CPU. Raises ModelError."""
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if name not in _DTYPES:
        raise ModelError(f"unknown dtype {name!r}: use auto, {', '.join(_DTYPES)}")
    return _DTYPES[name]
