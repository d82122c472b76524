"""From what the user names to trajectories: which files there are, of which form, and how their steps become tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby
from pathlib import Path

from eval.benchmarks.base import Source, Step, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.mind2web import blocks, parquet_files
from eval.benchmarks.mind2web.records import RecordedStep
from eval.benchmarks.source import check_splits, chosen_options

SPLITS = ("domain", "task", "website")
"""In the release's order, which its cumulative numbers need."""
HISTORIES = ("session", "text", "release")
"""session: a task is a trajectory, and what was done is in the session's history, gold or own.
text: every step stands alone, with the right steps before it told as text (the protocol of UGround and the release).
release: as `text`, with the release's defect M5: at a step without any before it the model is told the history of the
last step, of another task and perhaps split, that had one."""
HINT = "Typing and choosing need their element: click it and type in the same answer."
"""The prompts of UGround and the release say, in their own words and formats, that typing includes the click."""
_HINTS = ("none", "typing")


def trajectories(source: Source) -> Iterator[Trajectory]:
    """Tasks, split by split, of those that are there or asked for; each when the last of its steps was read.

    Raises DataError for bad data, and ConfigError for splits and options that there are not.
    """
    chosen = chosen_options("mind2web", source, {"history": HISTORIES, "hint": _HINTS})
    files = {split: _files(source.path, split) for split in _splits(source)}
    lacking = [split for split, found in files.items() if not found]
    if lacking and (source.splits or len(lacking) == len(files)):
        name = f"cross_{lacking[0]}_blocks.jsonl or test_{lacking[0]}*.parquet"
        raise DataError(f"{source.path} holds no {name}")
    # What is bad is told when the steps themselves are read.
    quiet = source if source.on_bad is None else replace(source, on_bad=lambda error: None)
    counts = {split: _count(quiet, found) for split, found in files.items() if found}
    recorded = chain.from_iterable(_recorded(source, files[split], split) for split in counts)
    told = as_told(recorded, chosen["history"], chosen["hint"] == "typing")
    for split, steps in groupby(told, key=lambda step: step.split):
        yield from _tasks(source, split, steps, counts[split], chosen["history"])


def as_told(steps: Iterable[RecordedStep], history: str, hint: bool = False) -> Iterator[RecordedStep]:
    """The steps, in the order of the files, with what is told of the steps before them. hint: the goal ends with it."""
    last: tuple[str, ...] = ()
    for step in steps:
        stale = last if history == "release" else ()
        last = step.previous or last
        previous = step.previous or stale
        told = "" if history == "session" or not previous else "Previous actions:\n" + "\n".join(previous)
        yield replace(step, told=told, goal=f"{step.goal}\n{HINT}" if hint else step.goal)


def _tasks(
    source: Source, split: str, steps: Iterable[RecordedStep], counts: Counter[str], history: str
) -> Iterator[Trajectory]:
    """The trajectories of a split: each as soon as its last step is there, for tasks may be interleaved.

    counts: task → number of its steps. Raises DataError for two steps of one name.
    """
    waiting: dict[str, list[RecordedStep]] = {}
    for step in steps:
        task = waiting.setdefault(step.task, [])
        task.append(step)
        if len(task) == counts[step.task]:
            yield from _task(source, waiting.pop(step.task), history)
    if waiting and source.on_bad is None:
        raise DataError(f"the files of {split} have changed while they were read")
    for task in waiting.values():
        yield from _task(source, task, history)


def _task(source: Source, steps: list[RecordedStep], history: str) -> Iterator[Trajectory]:
    by_key: dict[str, RecordedStep] = {}
    for step in steps:
        with source.skipping_bad():
            if step.key in by_key:
                raise DataError(f"{step.where}: action_uid: {step.key!r} is there twice in task {step.task!r}")
            by_key[step.key] = step
    ordered = sorted(by_key.values(), key=lambda step: step.index)
    first = ordered[0]
    name = f"{first.split}/{first.task}"
    if history == "session":
        yield Trajectory(name, first.goal, _steps(ordered, 1), first.split, first.where)
        return
    for made, step in zip(_steps(ordered, len(ordered)), ordered, strict=True):
        yield Trajectory(f"{name}/{step.key}", step.goal, (made,), step.split, step.where)


def _steps(recorded: Sequence[RecordedStep], parts: int) -> tuple[Step, ...]:
    """parts: trajectories that the task is cut into."""
    return tuple(
        Step(
            key=step.key,
            views=step.views,
            gold=step.gold,
            kind=step.gold.operation.lower(),
            note=step.told,
            facts={
                "task": step.task,
                "website": step.website,
                "domain": step.domain,
                "subdomain": step.subdomain,
                "step": step.index,
                "total_steps": step.total,
                "share": 1 / parts,
            },
            where=step.where,
        )
        for step in recorded
    )


def _splits(source: Source) -> tuple[str, ...]:
    """Names with and without the forms' prefixes are taken."""
    asked = {name.removeprefix("cross_").removeprefix("test_") for name in source.splits}
    check_splits(sorted(asked), SPLITS)
    return tuple(split for split in SPLITS if not asked or split in asked)


def _files(path: Path, split: str) -> list[Path]:
    """The split's file of blocks; else its parquet files, in the folder or in `data` as published; else nothing."""
    blocks = f"cross_{split}_blocks.jsonl"
    if path.is_file():
        return [path] if path.name == blocks or _is_parquet(path, split) else []
    if not path.is_dir():
        raise DataError(f"{path} is missing")
    if (path / blocks).is_file():
        return [path / blocks]
    for folder in (path, path / "data"):
        found = sorted(file for file in folder.glob(f"test_{split}*.parquet") if _is_parquet(file, split))
        if found:
            return found
    return []


def _is_parquet(path: Path, split: str) -> bool:
    return path.suffix == ".parquet" and path.name.startswith(f"test_{split}")


def _count(source: Source, files: list[Path]) -> Counter[str]:
    if files[0].suffix == ".parquet":
        return parquet_files.count_steps(source, files)
    return blocks.count_steps(source, files[0])


def _recorded(source: Source, files: list[Path], split: str) -> Iterator[RecordedStep]:
    if files[0].suffix == ".parquet":
        return parquet_files.read_steps(source, files, split)
    return blocks.read_steps(source, files[0], split)
