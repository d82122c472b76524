"""Screens and episodes on disk, as a real browser made them: pictures, what stood on them, and the right action.

A folder of pages holds PNG files and a pages.jsonl, each line with `file` and `elements` (`word`, `kind`, `box`,
`text_box` in pixels); `goal`, `word`, `kind` and `box` name the page's task. A folder of episodes holds one
`TASK.jsonl` per task and the PNG files that it names. `envs.playground.render` and `.episodes` make such folders;
nothing here starts a browser.
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
from eval.nano.training import chat
from eval.nano.training.config import SIDE
from eval.nano.training.labels import click_point
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
    """A task's goal and the steps that reach it."""

    task: str
    seed: int
    goal: str
    steps: tuple[StoredStep, ...]


def load_episodes(folder: Path, task: str) -> list[StoredEpisode]:
    """Episodes of a task in file order; none when the folder has no such task."""
    path = folder / f"{task}.jsonl"
    if not path.exists():
        return []
    episodes = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            steps = tuple(
                StoredStep(folder / s["file"], tuple(element_of(e) for e in s["elements"]), s["action"])
                for s in item["steps"]
            )
            episodes.append(StoredEpisode(item["task"], item["seed"], item["goal"], steps))
    return episodes


def load_screens(folder: Path, goal: str) -> list[StoredStep]:
    """First screens of pages with that goal in a folder of rendered pages; their action is empty."""
    screens = []
    with (folder / "pages.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            if item["goal"] == goal:
                screens.append(StoredStep(folder / item["file"], tuple(map(element_of, item["elements"])), {}))
    return screens


def reply_of(action: dict[str, Any], target: Element | None) -> str:
    """What nano is to say for an action. Raises ValueError for one that it has no words for."""
    if action["type"] == "click" and target is not None:
        return chat.click_reply(target.word, *click_point(target))
    if action["type"] == "type":
        return chat.type_reply(action["field"], action["text"])
    if action["type"] == "scroll":
        return chat.scroll_reply()
    raise ValueError(f"no reply for the action {action}")
