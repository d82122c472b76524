"""Stored right episodes (as `envs.playground.episodes` writes them), read back for the study."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envs.pictures import read_picture
from eval.benchmarks.playground.gold import PlaygroundGold
from eval.benchmarks.playground.records import EpisodeRecord
from eval.live.plan import HELD_OUT
from guikv.content import Frame
from guikv.errors import GuikvError


class EpisodesError(GuikvError):
    """Stored episodes are missing, damaged, too few, or such that a model may have been trained on them."""


@dataclass(frozen=True)
class StudyStep:
    """What is on the screen, and the right thing to do there."""

    frame: Frame
    gold: PlaygroundGold


@dataclass(frozen=True)
class Episode:
    """chance: how often somebody succeeds who knows the rules and picks blindly."""

    task: str
    seed: int
    goal: str
    chance: float
    steps: tuple[StudyStep, ...]


def load_groups(folder: Path, task: str, groups: int, limit: int, longer_than: int = 0) -> list[list[Episode]]:
    """`groups` lists of equally many episodes, at most `limit` each, in the order of the seeds.

    longer_than: leave out episodes with so many steps or fewer. Empty lists when none is left.
    Raises EpisodesError.
    """
    path = folder / f"{task}.jsonl"
    if not path.is_file():
        command = f"python -m envs.playground.episodes --task {task} --seeds 60000:60060 --out {folder}"
        raise EpisodesError(f"there are no episodes of {task} in {folder}: make some with `{command}`")
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        chosen = sorted((x for x in lines if len(x["steps"]) > longer_than), key=lambda x: int(x["seed"]))
    except (ValueError, KeyError, TypeError) as error:
        raise EpisodesError(f"{path} is damaged ({error!r}): delete it and render the episodes again") from error
    if any(int(line["seed"]) >= HELD_OUT for line in chosen):
        raise EpisodesError(f"{path} has seeds from {HELD_OUT} on, which are for training: render lower ones")
    size = min(limit, len(chosen) // groups)
    if chosen and not size:
        raise EpisodesError(f"{path} has {len(chosen)} usable episodes, too few for {groups} groups: render more")
    parts = [chosen[g * size : (g + 1) * size] for g in range(groups)]
    return [[_episode(folder, line) for line in part] for part in parts]


def _episode(folder: Path, line: dict[str, Any]) -> Episode:
    try:
        record = EpisodeRecord.model_validate(line)
        frames = (Frame(read_picture(folder / step.file), number) for number, step in enumerate(record.steps))
        steps = tuple(StudyStep(frame, step.action.gold) for frame, step in zip(frames, record.steps, strict=True))
        return Episode(record.task, record.seed, record.goal, record.chance, steps)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EpisodesError(f"an episode in {folder} cannot be read ({error!r}): render it again") from error
