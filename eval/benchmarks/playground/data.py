"""Folders that `python -m envs.playground.episodes` wrote, as trajectories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from eval.benchmarks.base import Source, Step, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.pictures import Picture
from eval.benchmarks.playground.records import ActionRecord, EpisodeRecord
from eval.benchmarks.reading import check, inside, read_lines

SEEDS_OF_A_SPLIT = 1000


def trajectories(source: Source) -> Iterator[Trajectory]:
    """Episodes by task and seed; their split is the seed's thousand, so that runs of seeds can be told apart."""
    files = sorted(source.path.glob("*.jsonl")) if source.path.is_dir() else [source.path]
    if not files:
        raise DataError(f"{source.path} holds no episodes: python -m envs.playground.episodes writes some")
    for file in files:
        for number, data in read_lines(file, source.skipping_bad):
            with source.skipping_bad():
                where = f"{file.name} line {number}"
                record = check(EpisodeRecord, data, where)
                split = str(record.seed // SEEDS_OF_A_SPLIT * SEEDS_OF_A_SPLIT)
                if not source.splits or split in source.splits or record.task in source.splits:
                    yield _trajectory(record, split, source.images or file.parent, where)


def _trajectory(record: EpisodeRecord, split: str, images: Path, where: str) -> Trajectory:
    steps = []
    for number, step in enumerate(record.steps):
        action, gold = step.action, step.action.gold
        picture = Picture(step.file, inside(images, step.file, where), where=where)
        facts = {"task": record.task, "chance": record.chance}
        steps.append(Step(str(number), (picture,), gold, gold.type, thought=_thought(action), facts=facts, where=where))
    return Trajectory(f"{record.task}-{record.seed}", record.goal, tuple(steps), split, where)


def _thought(action: ActionRecord) -> str:
    """As the shipped model was taught to think: the words that matter."""
    match action.type:
        case "click":
            return action.word
        case "type":
            return f"{action.field} {action.text}"
        case _:
            return "down"
