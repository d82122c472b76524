"""Screens rendered by a real browser, from a folder of PNG files and a pages.jsonl.

Each line of pages.jsonl has `file` and `elements` (`word`, `kind`, `box`, `text_box` in pixels);
`goal`, `word`, `kind` and `box` name the task of the page. The folder is made by code outside this
package; nothing here starts a browser.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.pictures import read_picture
from eval.nano.training.geometry import SIDE
from eval.nano.training.screens import Box, Element, Screen


@dataclass(frozen=True)
class RenderedPage:
    """One line of pages.jsonl; the picture is read on demand."""

    path: Path
    goal: str
    word: str
    kind: str
    box: Box
    elements: tuple[Element, ...]

    def screen(self) -> Screen:
        """Decode the picture."""
        return Screen(load_pixels(self.path), self.elements)


def load_pixels(path: Path) -> NDArray[np.uint8]:
    """Pixels (SIDE, SIDE, 3) of a PNG file. Raises ValueError for another size."""
    pixels = np.asarray(read_picture(path))
    if pixels.shape != (SIDE, SIDE, 3):
        raise ValueError(f"{path} is {pixels.shape}, not a {SIDE}x{SIDE} screen")
    return pixels


def box_of(values: Sequence[float]) -> Box:
    """Pixels of a box, rounded."""
    x0, y0, x1, y1 = (round(v) for v in values)
    return x0, y0, x1, y1


def element_of(item: dict[str, Any]) -> Element:
    """An element as the pages' harness lists it."""
    box = box_of(item["box"])
    return Element(item["kind"], item["word"], box, box_of(item.get("text_box") or item["box"]))


def load_pages(folder: Path, limit: int | None = None) -> list[RenderedPage]:
    """Pages of a folder in file order; lines without a named control are left out."""
    pages = []
    with (folder / "pages.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            if item.get("box") is None:
                continue
            elements = tuple(element_of(e) for e in item["elements"])
            pages.append(
                RenderedPage(
                    folder / item["file"],
                    item["goal"],
                    item["word"],
                    item["kind"],
                    box_of(item["box"]),
                    elements,
                )
            )
            if limit is not None and len(pages) >= limit:
                break
    return pages
