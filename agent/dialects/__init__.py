"""Dialects: how model families are addressed and how their answers are read."""

from agent.dialects.base import Dialect, Eyes, Family, Options, Parsed
from agent.dialects.opencua import OpenCUA
from agent.dialects.qwen.dialect import Qwen
from agent.dialects.registry import DIALECTS, dialect_names, find_family, make_dialect
from agent.dialects.ui_tars import UiTars

__all__ = [
    "DIALECTS",
    "Dialect",
    "Eyes",
    "Family",
    "OpenCUA",
    "Options",
    "Parsed",
    "Qwen",
    "UiTars",
    "dialect_names",
    "find_family",
    "make_dialect",
]
