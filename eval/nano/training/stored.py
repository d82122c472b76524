"""Screens and episodes on disk, as a real browser made them: pictures, what stood on them, and the right action.

A folder of pages holds PNG files and a pages.jsonl, each line with `file` and `elements` (`word`, `kind`, `box`,
`text_box` in pixels); `goal`, `word`, `kind` and `box` name the page's task. A folder of episodes holds one
`TASK.jsonl` per task and the PNG files that it names. `envs.playground.render` and `.episodes` make such folders;
nothing here starts a browser.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.pictures import read_picture
from eval.nano.training.screens import SIDE, Box, Element, Screen


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


@dataclass(frozen=True)
class StoredStep:
    """One step: the picture, its elements, and the action as it was written to disk."""

    path: Path
    elements: tuple[Element, ...]
    action: dict[str, Any]

    @property
    def target(self) -> Element | None:
        """The control that the action clicks, or None when it does not click."""
        if self.action["type"] != "click":
            return None
        wanted = (self.action["kind"], self.action["word"], box_of(self.action["box"]))
        return next(e for e in self.elements if (e.kind, e.word, e.box) == wanted)


@dataclass(frozen=True)
class StoredEpisode:
    """A goal and the steps that reach it."""

    goal: str
    steps: tuple[StoredStep, ...]


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


def _elements(item: dict[str, Any]) -> tuple[Element, ...]:
    """What stands on a screen, as the pages' harness lists it."""
    return tuple(
        Element(e["kind"], e["word"], box_of(e["box"]), box_of(e.get("text_box") or e["box"])) for e in item["elements"]
    )


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def load_pages(folder: Path, limit: int | None = None) -> list[RenderedPage]:
    """Pages of a folder in file order, at most `limit`; lines without a named control are left out."""
    named = (item for item in _records(folder / "pages.jsonl") if item.get("box") is not None)
    return [
        RenderedPage(folder / i["file"], i["goal"], i["word"], i["kind"], box_of(i["box"]), _elements(i))
        for i in islice(named, limit)
    ]


def load_screens(folder: Path, goal: str) -> list[StoredStep]:
    """First screens of pages with that goal in a folder of rendered pages; their action is empty."""
    items = (item for item in _records(folder / "pages.jsonl") if item["goal"] == goal)
    return [StoredStep(folder / item["file"], _elements(item), {}) for item in items]


def load_episodes(folder: Path, task: str) -> list[StoredEpisode]:
    """Episodes of a task in file order; none when the folder has no such task."""
    path = folder / f"{task}.jsonl"
    return [
        StoredEpisode(e["goal"], tuple(StoredStep(folder / s["file"], _elements(s), s["action"]) for s in e["steps"]))
        for e in (_records(path) if path.exists() else ())
    ]
