"""Running the study: one CSV row per finished cell, so that a run that was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from eval.bench.rows import append_row, read_all
from eval.study.episodes import Episode, load_groups
from eval.study.play import Held, Played, Player
from eval.study.presets import Cell, Series
from guikv.files import make_folder
from guikv.models.base import Adapter

CSV = "policies.csv"
VISION_BYTES = 2**30
"""Bytes of features that stay in memory: every cell sees the same screens (100 kB each on nano)."""


@dataclass(frozen=True)
class Row:
    """One cell's outcome.

    budget: percent; n: episodes; success: share of them; steps: mean steps that were played
    kv_bytes, kv_bytes_full: mean per step, of the session and of the stateless full cache
    past_bytes, past_bytes_full: the same of what stands before the newest screenshot, from the second step on
    chance: mean over the episodes; outcomes: 1 or 0 for every episode in the order of the seeds
    weights: of which model; rows of other weights are never mixed
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
    def key(self) -> tuple[str, ...]:
        """As `Cell.key` has it."""
        return (
            self.task,
            self.policy,
            self.options,
            f"{self.budget:g}",
            self.moment,
            self.window,
            str(self.group),
        )


def read_rows(path: Path, weights: str) -> dict[tuple[str, ...], Row]:
    """Rows by key, of these weights only, the last one where there are two. Raises RowsError."""
    return {row.key: row for row in read_all(path, Row) if row.weights == weights}


def weights_of(adapter: Adapter) -> str:
    """Eight digits that tell models apart."""
    return adapter.fingerprint[:8]


def run_cells(
    cells: Iterable[Cell],
    player: Player,
    folder: Path,
    out: Path,
    groups: int,
    limit: int,
    report: Callable[[Cell, Row | None, bool], None] = lambda cell, row, fresh: None,
) -> dict[tuple[str, ...], Row]:
    """Play every cell that `out` does not have yet and return all rows.

    report: called after each cell with its row (None where no episode is long enough) and whether it was played now.
    Raises EpisodesError and RowsError.
    """
    make_folder(out)
    path, weights = out / CSV, weights_of(player.adapter)
    player.adapter.vision_cache.limit = max(player.adapter.vision_cache.limit, VISION_BYTES)
    rows = read_rows(path, weights)
    loaded: dict[int, list[list[Episode]]] = {}
    task = ""
    for cell in cells:
        if cell.task != task:
            task, loaded = cell.task, {}
        longer = cell.arm.history if cell.arm.only_longer else 0
        if longer not in loaded:
            loaded[longer] = load_groups(folder, task, groups, limit, longer)
        episodes = loaded[longer][cell.group]
        row = rows.get(cell.key)
        fresh = bool(episodes) and (row is None or row.n != len(episodes))
        if fresh:
            row = play_cell(cell, episodes, player, weights)
            append_row(path, row)
            rows[cell.key] = row
        report(cell, row, fresh)
    return rows


def play_cell(cell: Cell, episodes: list[Episode], player: Player, weights: str) -> Row:
    """Play the episodes of one cell."""
    cache = cell.cache
    plays = [player.play(episode, cache) for episode in episodes]
    won = [len(p) == len(e.steps) and p[-1].right for p, e in zip(plays, episodes, strict=True)]
    lengths = [len(e.steps) for e in episodes]
    s = cell.arm.series
    return Row(
        task=cell.task,
        policy=s.policy,
        options=s.options,
        budget=cell.budget,
        moment=s.moment,
        window=s.window,
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
