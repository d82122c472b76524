"""Gold episodes on disk: pictures of every step, what stood on them, and the right action.

A folder holds one `TASK.jsonl` per task and the PNG files it names. The folder is made by code outside
this package (a real browser); nothing here starts one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.nano.training import chat
from eval.nano.training.labels import click_point
from eval.nano.training.pages import box_of, element_of
from eval.nano.training.screens import Element


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
