"""Episodes of AITZ: a JSON file each, their screenshots beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from eval.benchmarks.aitz.gold import AitzGold, Kind
from eval.benchmarks.aitz.records import StepRecord
from eval.benchmarks.base import Source, Step, Trajectory, in_order
from eval.benchmarks.errors import DataError
from eval.benchmarks.pictures import Picture
from eval.benchmarks.reading import check, inside, read_items
from eval.benchmarks.source import check_splits, chosen_options

SUBSETS = ("general", "google_apps", "install", "single", "web_shopping")


def trajectories(source: Source) -> Iterator[Trajectory]:
    """Episodes, by folder and name. `source.path` is a file or any folder above; its splits are the subsets.

    Without a folder of images they lie beside the file; with one, in it by `image_path` or by their mere name.
    Raises ConfigError for options and unknown subsets, and DataError.
    """
    chosen_options("aitz", source)
    check_splits(source.splits, SUBSETS, "subset")
    seen: set[str] = set()
    for file in _files(source.path):
        with source.skipping_bad():
            trajectory = _trajectory(file, source.images)
            if trajectory.id in seen:
                raise DataError(f"{file}: episode_id: the episode {trajectory.id} is there twice")
            seen.add(trajectory.id)
            if not source.splits or trajectory.split in source.splits:
                yield trajectory


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    some = False
    for folder, inner, names in os.walk(path):
        inner.sort()
        for name in sorted(names):
            if name.endswith(".json") and not name.startswith("."):
                some = True
                yield Path(folder) / name
    if not some:
        raise DataError(f"{path} holds no *.json")


def _trajectory(file: Path, images: Path | None) -> Trajectory:
    records = [check(StepRecord, item, f"{file} record {index}") for index, item in enumerate(read_items(file))]
    if not records:
        raise DataError(f"{file} holds no steps")
    first = records[0]
    keys: set[int] = set()
    for index, record in enumerate(records):
        if record.episode_id != first.episode_id:
            raise DataError(f"{file} record {index}: episode_id: {record.episode_id} among {first.episode_id}")
        if record.step_id in keys:
            raise DataError(f"{file} record {index}: step_id: {record.step_id} is there twice")
        keys.add(record.step_id)
    subset = first.image_path.split("/")[0]
    steps = tuple(_step(record, f"{file} record {i}", file, images) for i, record in enumerate(records))
    steps, notes = in_order(steps, [record.step_id for record in records], "step_id", str(file))
    lengths = {record.episode_length for record in records if record.episode_length is not None}
    for length in sorted(lengths - {len(records)}):
        notes += (f"{file}: episode_length: it is {length}, but there are {len(records)} steps",)
    return Trajectory(f"{subset}-{first.episode_id}", first.instruction, steps, subset, str(file), notes)


def _step(record: StepRecord, where: str, file: Path, images: Path | None) -> Step:
    picture = Picture(record.image_path, _image(record.image_path, where, file, images), where=where)
    gold = _gold(record, where)
    return Step(
        str(record.step_id), (picture,), gold, gold.gesture.group, thought=record.coat_action_think, where=where
    )


def _image(name: str, where: str, file: Path, images: Path | None) -> Path:
    """Raises DataError for a name that leads out of the folder."""
    plain = inside(images or file.parent, name, where)
    beside = inside(images or file.parent, plain.name, where)
    if images is None:
        return beside
    return beside if beside.is_file() and not plain.is_file() else plain


def _gold(record: StepRecord, where: str) -> AitzGold:
    gesture = record.result_action_type == Kind.DUAL_POINT
    places = (("result_touch_yx", record.result_touch_yx), ("result_lift_yx", record.result_lift_yx))
    for field, point in places:
        # Fingers that leave the screen are recorded a little outside it.
        if gesture and not all(-0.5 <= number <= 1.5 for number in point):
            raise DataError(f"{where}: {field}: {list(point)} is not on the screen")
    touch, lift = ((x, y) for _, (y, x) in places)
    boxes = tuple((x, y, width, height) for y, x, height, width in record.ui_positions)
    return AitzGold(
        action=record.result_action_type, touch=touch, lift=lift, text=record.result_action_text, boxes=boxes
    )
