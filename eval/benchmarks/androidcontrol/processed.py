"""The two forms that others processed: UGround's single steps, and UI-S1's episodes, an episode a line.

UGround's files are 500_steps.json, and that of all test steps in the same form. A step stands alone there: its goal
tells what was done before (as UGround and the GUI-KV release show it). UI-S1's file is of the test split; it has the
boxes that count as the target, and no trees.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from envs.geometry import Point, Size
from eval.benchmarks.androidcontrol.gold import Element
from eval.benchmarks.androidcontrol.records import (
    AnnotatedEpisode,
    AnnotatedStep,
    Entry,
    NodeRecord,
    ProcessedStep,
    SwipeRecord,
)
from eval.benchmarks.base import Source, Step, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.pictures import Picture
from eval.benchmarks.reading import check, inside, read_items, read_lines

STEP_FILES = ("500_steps.json", "AndroidControl_processed_test_steps.json")
STEP_IMAGES = "AndroidControl_images"
"""The folder of UGround's archive."""
EPISODE_IMAGES = "images"
KNOWN_SCREENS = (Size(1080, 2400), Size(1440, 3120))
"""The screens in UI-S1's file, by its swipes: 446 episodes and 5."""
_DEEPEST = 100


def steps(source: Source, path: Path, images: Path, low: bool) -> Iterator[Entry]:
    """A trajectory of one step for every record. Raises DataError with file, record and field."""
    for index, data in enumerate(read_items(path, source.skipping_bad)):
        with source.skipping_bad():
            where = f"{path} record {index}"
            record = check(ProcessedStep, data, where)
            yield Entry(record.episode_id, partial(_single_step, record, images, low, where), single=True)


def episodes(source: Source, path: Path, images: Path, low: bool) -> Iterator[Entry]:
    """A trajectory for every line. Raises DataError with file, line and field."""
    for number, data in read_lines(path, source.skipping_bad):
        with source.skipping_bad():
            where = f"{path} line {number}"
            record = check(AnnotatedEpisode, data, where)
            yield Entry(record.episode_id, partial(_episode, record, data, images, low, where))


def _single_step(record: ProcessedStep, images: Path, low: bool, where: str) -> Trajectory:
    gold = record.action.gold.with_nodes(list(_nodes(record.accessibility_tree, f"{where}: accessibility_tree")))
    size = likely_screen([] if gold.point is None else [gold.point])
    picture = Picture(record.screenshot, inside(images, record.screenshot, where), stated=size, where=where)
    thought = record.step_instruction
    step = Step(
        str(record.step), (picture,), gold, gold.action, note=thought if low else "", thought=thought, where=where
    )
    goal = record.goal
    if record.previous_actions:
        goal += "\n\nPrevious actions:\n" + "\n".join(record.previous_actions)
    return Trajectory(f"{record.episode_id}_{record.step}", goal, (step,), where=where)


def _nodes(tree: list[Any], where: str, depth: int = 0) -> Iterator[Element]:
    """The nodes of a list that may hold further lists. Raises DataError."""
    if depth > _DEEPEST:
        raise DataError(f"{where} is nested too deeply")
    for index, data in enumerate(tree):
        place = f"{where}.{index}"
        if isinstance(data, list):
            yield from _nodes(data, place, depth + 1)
            continue
        node = check(NodeRecord, data, place)
        box = node.bbox_pixels
        corners = (box.x_min, box.y_min, box.x_max, box.y_max)
        yield Element(box=corners, text=node.text or "", description=node.content_description or "")


def _episode(record: AnnotatedEpisode, data: Any, images: Path, low: bool, where: str) -> Trajectory:
    size = _screen_of_episode(record, data, where)
    steps = tuple(
        _step(step, index, images, size, low, f"{where} step {index}") for index, step in enumerate(record.steps)
    )
    return Trajectory(str(record.episode_id), record.goal, steps, where=where)


def _screen_of_episode(record: AnnotatedEpisode, data: Any, where: str) -> Size:
    """All steps of an episode are of one device."""
    swipes = []
    for index, step in enumerate(data["steps"]):
        if step["action_content"]["action"] == "swipe":
            swipe = check(SwipeRecord, step["action_content"], f"{where} step {index}: action_content")
            swipes.append((swipe.coordinate, swipe.coordinate2))
    golds = (step.gold for step in record.steps)
    return swiped_screen(swipes) or likely_screen([gold.point for gold in golds if gold.point is not None])


def _step(record: AnnotatedStep, index: int, images: Path, size: Size, low: bool, where: str) -> Step:
    gold, thought = record.gold, record.step_instruction
    # Only the last part of the path is the name; the rest is a place on the authors' machine.
    name = PurePosixPath(record.screenshot.replace("\\", "/")).name
    picture = Picture(name, inside(images, name, f"{where}: screenshot"), stated=size, where=where)
    return Step(str(index), (picture,), gold, gold.action, note=thought if low else "", thought=thought, where=where)


def likely_screen(points: Sequence[Point]) -> Size:
    """The size of a screen whose picture is not there: the smallest known one that holds all the points, else one
    that just does.

    Boxes tell nothing: elements reach beyond the screen. Of the 451 episodes with swipes it is right for 449.
    """
    width = max((math.ceil(x) for x, _ in points), default=1)
    height = max((math.ceil(y) for _, y in points), default=1)
    fitting = (size for size in KNOWN_SCREENS if width <= size.width and height <= size.height)
    return next(fitting, Size(max(width, 1), max(height, 1)))


def swiped_screen(swipes: Sequence[tuple[Point, Point]]) -> Size | None:
    """The screen of UI-S1's swipes, which go from a quarter to three quarters of it or back; None without any."""
    if not swipes:
        return None
    (x1, y1), (x2, y2) = swipes[0]
    return Size(max(round(x1 + x2), 1), max(round(y1 + y2), 1))
