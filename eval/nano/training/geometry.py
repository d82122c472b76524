"""Geometry of the screens that nano sees, free of heavy imports."""

from __future__ import annotations

SIDE = 280
"""Screens are SIDE x SIDE pixels."""
PATCH = 14
MERGE = 2
CELL = PATCH * MERGE
"""One image token covers a CELL x CELL square."""
GRID = SIDE // CELL
TOKENS = GRID * GRID
"""Image tokens of one screen (100)."""
PATCHES = (SIDE // PATCH) ** 2
WINDOW = 140
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
