"""From the published files to trajectories of one step: a picture, an instruction, a box.

ScreenSpot-v2 has three files, one for each platform, and its pictures in a folder of their own. ScreenSpot-Pro has a
file for each application and system, and pictures of whole high-resolution screens.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.benchmarks.base import Source, Step, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.pictures import Picture
from eval.benchmarks.reading import check, inside, json_files, read_items
from eval.benchmarks.screenspot.records import Four, ProRecord, SizedRecord, V2Record, as_size, target
from eval.benchmarks.source import check_splits, chosen_options

PLATFORMS = ("mobile", "desktop", "web")
V2_IMAGES = "screenspotv2_image"
"""The folder that the published archive makes."""
GROUPS = ("CAD", "Creative", "Dev", "OS", "Office", "Scientific")
LANGUAGES = ("en", "cn")
PRO_ANNOTATIONS, PRO_IMAGES = "annotations", "images"
"""Folders of the published data set, beside each other."""


def v2_trajectories(source: Source) -> Iterator[Trajectory]:
    """Records as trajectories of one step, by platform, in the order of the files.

    `source.path` is the folder of the three files or one of them, of either publisher; its splits are the platforms.
    Raises ConfigError for options, and DataError.
    """
    check_splits(source.splits, PLATFORMS, "platform")
    chosen_options("screenspot_v2", source)
    images = source.images or _v2_images(source.path)
    for platform, file in _v2_files(source):
        for index, data in enumerate(read_items(file, source.skipping_bad)):
            with source.skipping_bad():
                yield _v2_trajectory(data, platform, index, file, images)


def _v2_files(source: Source) -> list[tuple[str, Path]]:
    if source.path.is_dir():
        wanted = [p for p in PLATFORMS if not source.splits or p in source.splits]
        files = [(p, source.path / f"screenspot_{p}_v2.json") for p in wanted]
        missing = next((file for _, file in files if not file.is_file()), None)
        if missing is not None:
            raise DataError(f"{missing} is missing: name the platforms that are there, as in --splits web")
        return files
    platform = next((p for p in PLATFORMS if p in source.path.name), None)
    if platform is None:
        raise DataError(f"{source.path}: the name must say the platform, {', '.join(PLATFORMS)}")
    return [] if source.splits and platform not in source.splits else [(platform, source.path)]


def _v2_images(path: Path) -> Path:
    folder = path if path.is_dir() else path.parent
    return folder / V2_IMAGES if (folder / V2_IMAGES).is_dir() else folder


def _v2_trajectory(data: Any, platform: str, index: int, file: Path, images: Path) -> Trajectory:
    where = f"{file} record {index}"
    if isinstance(data, dict) and "img_size" in data:
        sized = check(SizedRecord, data, where)
        name, goal, kind, origin = sized.img_filename, sized.instruction, sized.ui_type, sized.platform
        gold = target(sized.bbox, sized.img_size, where)
    else:
        plain = check(V2Record, data, where)
        name, goal, kind, origin = plain.img_filename, plain.instruction, plain.data_type, plain.data_source
        gold = target(_corners(plain.bbox), None, where)
    picture = Picture(name, inside(images, name, where), stated=as_size(gold.size), where=where)
    facts = {"platform": platform, "type": kind, "source": origin}
    step = Step(name, (picture,), gold, kind, facts=facts, where=where)
    return Trajectory(f"{platform}-{index}", goal, (step,), platform, where)


def _corners(box: Four) -> Four:
    x, y, width, height = box
    return x, y, x + width, y + height


def pro_trajectories(source: Source) -> Iterator[Trajectory]:
    """Records as trajectories of one step, file by file by name.

    `source.path` is the data set's folder, its folder of annotations, or one file of them; its splits are the groups.
    The option `language` is en or cn. Raises ConfigError for other options and groups, and DataError.
    """
    check_splits(source.splits, GROUPS, "group")
    language = chosen_options("screenspot_pro", source, {"language": LANGUAGES})["language"]
    files, folder = _pro_files(source.path)
    images = source.images or folder.parent / PRO_IMAGES
    for file in files:
        for index, data in enumerate(read_items(file, source.skipping_bad)):
            with source.skipping_bad():
                where = f"{file} record {index}"
                trajectory = _pro_trajectory(data, language, f"{file.stem}-{index}", images, where)
                if not source.splits or trajectory.split in source.splits:
                    yield trajectory


def _pro_files(path: Path) -> tuple[list[Path], Path]:
    """The annotation files and their folder. Raises DataError."""
    if not path.is_dir():
        return [path], path.parent
    folder = path / PRO_ANNOTATIONS if (path / PRO_ANNOTATIONS).is_dir() else path
    return json_files(folder), folder


def _pro_trajectory(data: Any, language: str, name: str, images: Path, where: str) -> Trajectory:
    record = check(ProRecord, data, where)
    goal = record.instruction if language == "en" else record.instruction_cn
    if not goal:
        raise DataError(f"{where}: instruction_cn: this copy of the data has no Chinese instruction")
    gold = target(record.bbox, record.img_size, where)
    path = inside(images, record.img_filename, where)
    picture = Picture(record.img_filename, path, stated=as_size(record.img_size), where=where)
    facts = {
        "group": record.group,
        "application": record.application,
        "platform": record.platform,
        "type": record.ui_type,
        "language": language,
    }
    step = Step(record.id, (picture,), gold, record.ui_type, facts=facts, where=where)
    return Trajectory(name, goal, (step,), record.group, where)
