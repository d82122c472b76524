"""Per-cell supervision: which word stands in each image token, and where its element is clicked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eval.nano.training.config import CELL, GRID, PATCH, SIDE, TOKENS
from eval.nano.training.screens import Box, Element, Screen

BLANK = -1
"""Word label of a cell without a word."""
IGNORE = -100
"""Label of a cell that shows too little of a word to be asked for."""
STEP = 5
"""Click coordinates are multiples of STEP pixels."""
BINS = SIDE // STEP


def click_point(element: Element) -> tuple[int, int]:
    """The pixel to click: inside the box, as near to the word as a margin allows, on the STEP lattice.

    For a button that is the centre; for a long field it is the end next to its name, so that the
    answer is always local to the text that names the control.
    """
    point = []
    for axis in (0, 1):
        low, high = element.box[axis], element.box[axis + 2]
        middle = (element.text[axis] + element.text[axis + 2]) / 2
        margin = min((high - low) / 2, 30 if axis == 0 else 10)
        value = min(max(middle, low + margin), high - margin)
        point.append(min(max(STEP * round(value / STEP), 0), SIDE - STEP))
    return point[0], point[1]


def cells_of(box: Box) -> list[tuple[int, int, int]]:
    """(cell, overlap width, overlap height) of every cell that a box touches."""
    x0, y0, x1, y1 = box
    out = []
    for row in range(max(0, y0 // CELL), min(GRID - 1, (y1 - 1) // CELL) + 1):
        high = min(y1, (row + 1) * CELL) - max(y0, row * CELL)
        for col in range(max(0, x0 // CELL), min(GRID - 1, (x1 - 1) // CELL) + 1):
            out.append((row * GRID + col, min(x1, (col + 1) * CELL) - max(x0, col * CELL), high))
    return out


def clear_cells(text: Box) -> list[int]:
    """The cells that show enough of a word to be asked for it."""
    height = text[3] - text[1]
    return [cell for cell, wide, high in cells_of(text) if wide >= 8 and high >= 0.4 * height]


def cell_labels(screen: Screen, word_ids: dict[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Word token id per cell (TOKENS,) with BLANK and IGNORE, and click bins (TOKENS, 2) or -1."""
    words = np.full(TOKENS, BLANK, np.int64)
    clicks = np.full((TOKENS, 2), -1, np.int64)
    best = np.zeros(TOKENS, np.int64)
    for element in screen.elements:
        if element.word not in word_ids:
            continue
        height = element.text[3] - element.text[1]
        x, y = click_point(element)
        for cell, wide, high in cells_of(element.text):
            if wide * high <= best[cell]:
                continue
            best[cell] = wide * high
            clear = wide >= 8 and high >= 0.4 * height
            words[cell] = word_ids[element.word] if clear else IGNORE
            clicks[cell] = (x // STEP, y // STEP) if clear and element.kind != "text" else -1
    return words, clicks


def to_patches(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels (SIDE, SIDE, 3) -> patches (400, 588) in the processor's order, one temporal slice."""
    g = SIDE // PATCH
    x = pixels.reshape(g // 2, 2, PATCH, g // 2, 2, PATCH, 3).transpose(0, 3, 1, 4, 6, 2, 5)
    return np.ascontiguousarray(x).reshape(g * g, 3 * PATCH * PATCH)
