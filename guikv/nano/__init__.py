"""nano: a true Qwen2.5-VL of a few million parameters, trained from scratch on 280x280 screens.

Importing this package is cheap; torch and transformers are only imported by its modules.
"""

from __future__ import annotations

from pathlib import Path

WEIGHTS: Path = Path(__file__).resolve().parent / "weights"
"""Folder of the shipped checkpoint, loadable with `from_pretrained`."""

__all__ = ["WEIGHTS"]
