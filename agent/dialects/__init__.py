"""Dialects by name. A model adapter names the one it speaks."""

from __future__ import annotations

from collections.abc import Callable

from agent.dialects.base import Dialect, Parsed
from agent.dialects.ui_tars.dialect import UiTars

DIALECTS: dict[str, Callable[..., Dialect]] = {"ui_tars": UiTars.make}

__all__ = ["DIALECTS", "Dialect", "Parsed", "UiTars"]
