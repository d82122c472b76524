"""The published episodes: gs://gresearch/android_control, GZIP TFRecord files of tf.train.Example."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from envs.geometry import Size
from eval.benchmarks.androidcontrol.gold import Element
from eval.benchmarks.androidcontrol.records import Entry, PublishedEpisode
from eval.benchmarks.androidcontrol.tfrecord import Example, Forest, ProtoError, read_records
from eval.benchmarks.base import Source, Step, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.pictures import Picture
from eval.benchmarks.reading import check

_LISTS = ("screenshots", "accessibility_trees", "screenshot_widths", "screenshot_heights")


def episodes(source: Source, files: Sequence[Path], low: bool) -> Iterator[Entry]:
    """The episodes of the files in order. Raises DataError with file, record and field."""
    for path in files:
        with source.skipping_bad():
            for number, data in read_records(path):
                with source.skipping_bad():
                    where = f"{path} record {number}"
                    record = _record(data, where)
                    make = partial(_trajectory, record, low, f"{where} (episode {record.episode_id})")
                    yield Entry(record.episode_id, make)


def _record(data: bytes, where: str) -> PublishedEpisode:
    try:
        features = {entry.key: entry.value for entry in Example.FromString(data).features.feature}
    except ProtoError as error:
        raise DataError(f"{where} is no tf.train.Example") from error
    actions = (_json(text, f"{where}: actions.{i}") for i, text in enumerate(_texts(features, "actions", where)))
    return check(
        PublishedEpisode,
        {
            "episode_id": _one(_values(features, "episode_id"), f"{where}: episode_id"),
            "goal": _one(_texts(features, "goal", where), f"{where}: goal"),
            "actions": tuple(actions),
            "step_instructions": tuple(_texts(features, "step_instructions", where)),
            **{name: tuple(_values(features, name)) for name in _LISTS},
        },
        where,
    )


def _values(features: Mapping[str, Any], name: str) -> Sequence[Any]:
    feature = features.get(name)
    if feature is None:
        return ()
    return feature.bytes_list.value or feature.int64_list.value


def _one(values: Sequence[Any], where: str) -> Any:
    if len(values) != 1:
        raise DataError(f"{where}: there must be one value, not {len(values)}")
    return values[0]


def _texts(features: Mapping[str, Any], name: str, where: str) -> list[str]:
    texts = []
    for index, value in enumerate(_values(features, name)):
        if not isinstance(value, bytes):
            raise DataError(f"{where}: {name}.{index} is a number, not a text")
        try:
            texts.append(value.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise DataError(f"{where}: {name}.{index} is not UTF-8 text") from error
    return texts


def _json(text: str, where: str) -> Any:
    try:
        value = json.loads(text)
        # Half a surrogate pair can be read, but never written.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not whole JSON: {error}") from error


def _trajectory(record: PublishedEpisode, low: bool, where: str) -> Trajectory:
    steps = tuple(_step(record, index, low, f"{where} step {index}") for index in range(len(record.actions)))
    return Trajectory(str(record.episode_id), record.goal, steps, where=where)


def _step(record: PublishedEpisode, index: int, low: bool, where: str) -> Step:
    width, height = record.screenshot_widths[index], record.screenshot_heights[index]
    gold = record.actions[index].gold
    if gold.point is not None and (gold.point[0] > width or gold.point[1] > height):
        raise DataError(f"{where}: actions.{index}: the point {gold.point} is not on the screen of {width}x{height}")
    nodes = _nodes(record.accessibility_trees[index], width, height, f"{where}: accessibility_trees.{index}")
    name = f"{record.episode_id}/screenshot_{index}.png"
    picture = Picture(name, data=record.screenshots[index], stated=Size(width, height), where=where)
    gold = gold.model_copy(update={"screen": (width, height)}).with_nodes(nodes)
    thought = record.step_instructions[index]
    return Step(str(index), (picture,), gold, gold.action, note=thought if low else "", thought=thought, where=where)


def _nodes(data: bytes, width: int, height: int, where: str) -> list[Element]:
    """What of the tree counts: visible nodes on the screen.

    Those with a text or description as UGround's processed form keeps them (leaves, what is described, what scrolls);
    those without, where they are leaves or can be tapped, as targets that UGround has none for.
    """
    try:
        forest = Forest.FromString(data)
    except ProtoError as error:
        raise DataError(f"{where} is no AndroidAccessibilityForest") from error
    elements = []
    for window in forest.windows:
        for node in window.tree.nodes:
            rect = node.bounds_in_screen
            shown = rect.left < rect.right and rect.top < rect.bottom and rect.right > 0 and rect.bottom > 0
            if not (node.is_visible_to_user and shown and rect.left < width and rect.top < height):
                continue
            leaf = not node.child_ids
            if node.text or node.content_description:
                counts = leaf or bool(node.content_description) or node.is_scrollable
            else:
                counts = leaf or node.is_clickable
            if counts:
                box = (rect.left, rect.top, rect.right, rect.bottom)
                elements.append(Element(box=box, text=node.text, description=node.content_description))
    return elements
