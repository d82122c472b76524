"""A tiny model of every architecture, with random weights in float32."""

from __future__ import annotations

from pathlib import Path

from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model, random_qwen3
from tests.guikv import hybrid_checkpoint, opencua_checkpoint
from tests.guikv.opencua_reference import Sizes, random_weights

ARCHITECTURES = ("qwen2_5_vl", "qwen3_vl", "opencua", "qwen3_5", "qwen3_5_moe")


def tiny(name: str, folder: Path) -> Adapter:
    """The model; where it has to be loaded, its checkpoint is written into `folder`."""
    if name == "qwen2_5_vl":
        return random_model()
    if name == "qwen3_vl":
        return random_qwen3()
    if name == "opencua":
        opencua_checkpoint.write(folder, Sizes(), random_weights(Sizes()))
    else:
        hybrid_checkpoint.write(folder, experts=name == "qwen3_5_moe")
    return load_model(str(folder), device="cpu", dtype="float32", pack_weights=False)
