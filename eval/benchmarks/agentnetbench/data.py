"""From a folder of annotation files to trajectories.

Layout as published: DIR/<task>.json, one trajectory each, and DIR/images/<task>_<step>.png.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from envs.geometry import Size
from eval.benchmarks.agentnetbench.gold import NetGold, kind_of
from eval.benchmarks.agentnetbench.records import Monologue, StepRecord, TrajectoryRecord
from eval.benchmarks.base import Source, Step, Trajectory, in_order
from eval.benchmarks.errors import DataError
from eval.benchmarks.pictures import Picture
from eval.benchmarks.reading import check, inside, json_files, read_json
from eval.benchmarks.source import check_splits, chosen_options

IMAGES = "images"
NOT_A_TASK = "mapping"
"""Files whose names begin so lie beside the tasks."""
HISTORIES = ("thought", "instruction", "both")
"""What a step's recorded thought is: the annotated thought, the instruction that says the action in words, or both (the
authors' history named `thought` holds both)."""


def trajectories(source: Source) -> Iterator[Trajectory]:
    """All trajectories by file name, one file at a time. Raises DataError, and ConfigError for options and splits."""
    history = chosen_options("agentnetbench", source, {"history": HISTORIES})["history"]
    check_splits(source.splits, ())
    seen: dict[str, Path] = {}
    for path in _files(source.path):
        with source.skipping_bad():
            trajectory = _trajectory(path, source.images or path.parent / IMAGES, history)
            if trajectory.id in seen:
                raise DataError(f"{path}: task_id: {trajectory.id!r} is also the task of {seen[trajectory.id]}")
            seen[trajectory.id] = path
            yield trajectory


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = [file for file in json_files(path) if not file.name.startswith(NOT_A_TASK)]
    if not files:
        raise DataError(f"{path} holds no *.json beside the {NOT_A_TASK}s")
    return files


def _trajectory(path: Path, images: Path, history: str) -> Trajectory:
    record = check(TrajectoryRecord, read_json(path), str(path))
    known = next((size for size in (step.picture for step in record.steps) if size), None)
    meta = {"system": record.meta_info.system, "domain": record.meta_info.domain} if record.meta_info else {}
    steps: dict[str, Step] = {}
    for index, step in enumerate(record.steps):
        made = _step(step, index, f"{path} steps.{index}", images, history, step.picture or known)
        if made.key in steps:
            raise DataError(f"{path} steps.{index}.step_num: {made.key} is also the number of another step")
        facts = {**made.facts, **{name: value for name, value in meta.items() if value}}
        steps[made.key] = replace(made, facts=facts)
    ordered, notes = in_order(tuple(steps.values()), [step.step_num for step in record.steps], "step_num", str(path))
    return Trajectory(record.task_id, record.goal, ordered, where=str(path), notes=notes)


def _step(record: StepRecord, index: int, where: str, images: Path, history: str, size: Size | None) -> Step:
    gold = NetGold(
        actions=tuple(act.target for act in record.ground_truth_actions),
        alternatives=tuple(
            tuple(act.target for act in option) for option in record.alternative_options or () if option
        ),
        milestone=bool(record.milestone),
    )
    return Step(
        key=str(index if record.step_num is None else record.step_num),
        views=(Picture(record.image, inside(images, record.image, f"{where}.image"), stated=size, where=where),),
        gold=gold,
        kind=kind_of(gold.actions),
        thought=_thought(record.inner_monologue or Monologue(), history),
        facts={"milestone": gold.milestone, "first": gold.actions[0].kind},
        where=where,
    )


def _thought(monologue: Monologue, history: str) -> str:
    thought = (monologue.thought or "").strip()
    instruction = (monologue.low_level_instruction or "").strip()
    if history == "both":
        return "\n".join(part for part in (thought, instruction) if part)
    return thought or instruction if history == "thought" else instruction
