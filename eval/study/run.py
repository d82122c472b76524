"""Playing the study's cells: one row each, so that a study that was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import mean

import torch

from agent.assemble import load_adapter, make_dialect
from agent.config import Config
from eval.study.episodes import Episode, load_groups
from eval.study.play import Held, Played, StoredPlayer
from eval.study.presets import Series, StudyCell, cell_key
from eval.sweep.events import Event, RowMade, Stopping, going_on
from eval.sweep.jobs import ALONE, JobRow, Key, finish_jobs
from eval.sweep.workers import Workers, shares_gpus
from guikv.models import version_of

ROWS = "policies.jsonl"
VISION_BYTES = 2**30
"""Bytes of features that stay in memory: every cell sees the same screens (100 kB each on nano)."""


class StudyRow(JobRow):
    """One cell's outcome.

    budget: percent; n: episodes; success: share of them; steps: mean steps that were played
    kv_bytes, kv_bytes_full: mean per step, of the session and of the stateless full cache
    past_bytes, past_bytes_full: the same of what stands before the newest screenshot, from the second step on
    chance: mean over the episodes; outcomes: 1 or 0 for every episode in the order of the seeds
    weights: of which checkpoint
    """

    task: str
    policy: str
    options: str
    budget: float
    moment: str
    window: str
    group: int
    n: int
    success: float
    kv_bytes: float
    kv_bytes_full: float
    past_bytes: float
    past_bytes_full: float
    steps: float
    chance: float
    outcomes: str
    weights: str

    @property
    def series(self) -> Series:
        return Series(self.policy, self.options, self.moment, self.window)

    @property
    def key(self) -> Key:
        return cell_key(self.task, self.series, self.budget, self.group)


class StudyPlayer:
    """Plays cells on stored episodes with one model, which is loaded when the first cell needs it.

    folder, groups, limit: as `load_groups` has them; threads: of the CPU, 0 for as many as there are
    """

    def __init__(
        self, config: Config, folder: Path, groups: int, limit: int, threads: int = 0, stopping: Stopping = going_on
    ) -> None:
        self._config, self._folder, self._groups, self._limit = config, folder, groups, limit
        self._threads = threads
        self._player: StoredPlayer | None = None
        self._loaded: dict[tuple[str, int], list[list[Episode]]] = {}

    def play(self, cell: StudyCell) -> Iterator[Event]:
        """The cell's row; none where no episode is long enough. Raises EpisodesError and the model's errors."""
        longer = cell.arm.history if cell.arm.only_longer else 0
        where = (cell.task, longer)
        if where not in self._loaded:
            if not any(task == cell.task for task, _ in self._loaded):
                self._loaded.clear()
            self._loaded[where] = load_groups(self._folder, cell.task, self._groups, self._limit, longer)
        episodes = self._loaded[where][cell.group]
        if episodes:
            yield RowMade(play_cell(cell, episodes, self._ready(), version_of(self._config.model.name)))

    def close(self) -> None:
        """There is nothing to end."""

    def _ready(self) -> StoredPlayer:
        if self._player is None:
            if self._threads:
                torch.set_num_threads(self._threads)
            adapter = load_adapter(self._config)
            adapter.vision_cache.limit = max(adapter.vision_cache.limit, VISION_BYTES)
            self._player = StoredPlayer(adapter, make_dialect(self._config, adapter))
        return self._player


def run_cells(
    cells: Iterable[StudyCell],
    config: Config,
    folder: Path,
    out: Path,
    groups: int,
    limit: int,
    workers: Workers = ALONE,
    threads: int = 0,
    tell: Callable[[StudyRow, bool], None] = lambda row, fresh: None,
) -> dict[Key, StudyRow]:
    """Play every cell that `out` does not have yet and return the rows of all, in the order of the cells.

    tell: hears of each row, and whether it was played now. Raises EpisodesError and what `finish_jobs` raises.
    """
    jobs: dict[Key, StudyCell] = {cell.key: cell for cell in cells}
    version = version_of(config.model.name)
    settings = {"version": version, "episodes": str(folder.absolute()), "groups": groups, "limit": limit}
    make = partial(StudyPlayer, config, folder.absolute(), groups, limit, threads)
    rows = finish_jobs(jobs, StudyRow, make, out / ROWS, settings, workers, shares_gpus(config), tell=tell)
    return {key: rows[key] for key in jobs if key in rows}


def play_cell(cell: StudyCell, episodes: list[Episode], player: StoredPlayer, weights: str) -> StudyRow:
    """Play the episodes of one cell."""
    cache = cell.cache
    plays = [player.play(episode, cache) for episode in episodes]
    won = [len(p) == len(e.steps) and p[-1].right for p, e in zip(plays, episodes, strict=True)]
    lengths = [len(e.steps) for e in episodes]
    return StudyRow(
        task=cell.task,
        budget=cell.budget,
        **asdict(cell.arm.series),
        group=cell.group,
        n=len(episodes),
        success=mean(won),
        kv_bytes=mean_of_steps(plays, lengths, lambda held: held.kv),
        kv_bytes_full=mean_of_steps(plays, lengths, lambda held: held.full_kv),
        past_bytes=mean_of_steps(plays, lengths, lambda held: held.past, first=1),
        past_bytes_full=mean_of_steps(plays, lengths, lambda held: held.full_past, first=1),
        steps=mean(len(p) for p in plays),
        chance=mean(e.chance for e in episodes),
        outcomes="".join(str(int(w)) for w in won),
        weights=weights,
    )


def mean_of_steps(plays: list[list[Played]], lengths: list[int], what: Callable[[Held], int], first: int = 0) -> float:
    """Mean over the steps from `first` on, each step number counting as often as the whole episodes have it.

    Episodes that fail early would otherwise make a memory look larger or smaller than it is. Step numbers that
    nobody reached are left out; 0 when that leaves none.
    """
    total = weight = 0.0
    for number in range(first, max(lengths)):
        reached = [what(p[number].held) for p in plays if len(p) > number]
        if reached:
            due = sum(length > number for length in lengths)
            total, weight = total + due * mean(reached), weight + due
    return total / weight if weight else 0.0
