"""Models: one adapter per architecture, and the loader that finds the right one."""

from __future__ import annotations

from guikv.errors import ModelError
from guikv.models.base import Adapter, Shape
from guikv.models.load import ARCHITECTURES, SHIPPED, dialect_of, load_model, version_of
from guikv.models.memory import Demand
from guikv.models.qwen2_5_vl import Qwen25VL
from guikv.models.qwen3_vl import Qwen3VL

__all__ = [
    "ARCHITECTURES",
    "SHIPPED",
    "Adapter",
    "Demand",
    "ModelError",
    "Qwen3VL",
    "Qwen25VL",
    "Shape",
    "dialect_of",
    "load_model",
    "version_of",
]
