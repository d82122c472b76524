"""Trajectories of WebVoyager: a folder for each task, with `interact_messages.json` and `screenshot1.png` and on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from eval.benchmarks.base import Source, Step, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.pictures import Picture
from eval.benchmarks.reading import check, inside, read_items
from eval.benchmarks.source import check_splits, chosen_options
from eval.benchmarks.webvoyager.records import MessageRecord, read_reply

MESSAGES = "interact_messages.json"
_ASKED = ("Now given a task:", "Please interact with ", " and get the answer")
"""What stands before a task, between it and its address, and behind that."""


def trajectories(source: Source) -> Iterator[Trajectory]:
    """Recorded tasks by name. `source.path` is a task's folder or one of many; its splits are the sites.

    A task `taskGitHub--0` is of the site GitHub. With a folder of images, it holds the tasks' folders.
    Raises ConfigError for options and sites that are not there, and DataError.
    """
    chosen_options("webvoyager", source)
    folders = _folders(source.path)
    sites = sorted({_site(folder.name) for folder in folders})
    check_splits(source.splits, sites, "site")
    for folder in folders:
        if not source.splits or _site(folder.name) in source.splits:
            with source.skipping_bad():
                yield _trajectory(folder, source.images)


def _folders(path: Path) -> list[Path]:
    """Folders of tasks. Raises DataError where there is none."""
    path = path.resolve()
    if (path / MESSAGES).is_file():
        return [path]
    try:
        found = [path / name for name in sorted(os.listdir(path)) if (path / name / MESSAGES).is_file()]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if not found:
        raise DataError(f"{path} holds no folder with {MESSAGES}")
    return found


def _site(name: str) -> str:
    return name.removeprefix("task").partition("--")[0]


def _trajectory(folder: Path, images: Path | None) -> Trajectory:
    file = folder / MESSAGES
    pictures = folder if images is None or images.resolve() == folder else inside(images, folder.name, str(file))
    messages = [check(MessageRecord, item, f"{file} record {i}") for i, item in enumerate(read_items(file))]
    goal, url = _task(messages, file)
    steps = tuple(_steps(messages, file, pictures, url))
    if not steps:
        raise DataError(f"{file} holds no reply with an action")
    return Trajectory(folder.name, goal, steps, _site(folder.name), str(file))


def _task(messages: list[MessageRecord], file: Path) -> tuple[str, str]:
    """What was asked for, and the site's address, from the first of the user's messages. Raises DataError."""
    asked = next((i for i, message in enumerate(messages) if message.role == "user"), 0)
    text = messages[asked].text if messages else ""
    before, between, behind = _ASKED
    goal, found, rest = text.partition(before)[2].partition(between)
    url, ends, _ = rest.partition(behind)
    if not (found and ends and goal.strip()):
        raise DataError(f"{file} record {asked}: content: there is no task in it")
    return goal.strip(), url.strip()


def _steps(messages: list[MessageRecord], file: Path, pictures: Path, url: str) -> Iterator[Step]:
    """Replies that were carried out. A refused one is none, and the next sees the same screenshot again.

    Of the last reply nobody says whether it was refused: without an action it is none either.
    """
    number = shown = 0
    fresh = True
    for index, message in enumerate(messages):
        if message.role != "assistant":
            fresh = not message.refuses
            continue
        number += 1
        shown = number if fresh else shown
        if index + 1 < len(messages) and messages[index + 1].refuses:
            continue
        where = f"{file} record {index}"
        reply = read_reply(message.text)
        if reply is None and index + 1 == len(messages):
            return
        if reply is None:
            raise DataError(f"{where}: content: no action of WebVoyager in {message.text[-60:]!r}")
        thought, gold = reply
        name = f"screenshot{shown}.png"
        picture = Picture(name, pictures / name, where=where)
        yield Step(str(number), (picture,), gold, gold.action, thought=thought, facts={"url": url}, where=where)
