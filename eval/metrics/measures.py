"""Averages over rows, with confidence intervals by bootstrap over trajectories.

Every average of the field has one shape: the mean over groups of (sum of numerators / sum of denominators). One group
is a micro mean; a group for each platform is ScreenSpot's macro mean; a trajectory that contributes (its own mean, 1)
makes a macro mean over tasks. So a trajectory's contribution is all that is needed of it, and resampling is cheap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

Parts = Mapping[str, tuple[float, float]]
"""Group → (numerator, denominator)."""

RESAMPLES = 1000
SEED = 0


@dataclass(frozen=True)
class Scored:
    """What the measures see of a row."""

    trajectory: str
    split: str
    kind: str
    scores: Mapping[str, float]
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Measure:
    """One reported number. `parts` is what one trajectory contributes; groups nobody contributes to do not count.

    help: what it is and whose rule it is, in one line
    """

    name: str
    parts: Callable[[Sequence[Scored]], Parts]
    help: str = ""


@dataclass(frozen=True)
class Value:
    """A measure over a set of rows; `low` and `high` bound 95 % of the resamples, `count` is the denominator."""

    name: str
    value: float
    low: float
    high: float
    count: float


def micro(name: str, score: str, help: str = "", only: Callable[[Scored], bool] | None = None) -> Measure:
    """The mean of a score over all rows that have it, or over those that pass `only`."""

    def parts(rows: Sequence[Scored]) -> Parts:
        values = [row.scores[score] for row in rows if score in row.scores and (only is None or only(row))]
        return {"all": (sum(values), float(len(values)))}

    return Measure(name, parts, help)


def macro(name: str, score: str, help: str = "", split: bool = False) -> Measure:
    """The mean over trajectories of their mean score; with `split`, the mean of that over the splits."""

    def parts(rows: Sequence[Scored]) -> Parts:
        values = [row.scores[score] for row in rows if score in row.scores]
        if not values:
            return {}
        return {rows[0].split if split else "all": (sum(values) / len(values), 1.0)}

    return Measure(name, parts, help)


def by_cell(name: str, score: str, cell: Callable[[Scored], str], help: str = "") -> Measure:
    """The unweighted mean over cells (platform and kind of target, for example) of the mean score in each."""

    def parts(rows: Sequence[Scored]) -> Parts:
        sums: dict[str, tuple[float, float]] = {}
        for row in rows:
            if score in row.scores:
                total, count = sums.get(cell(row), (0.0, 0.0))
                sums[cell(row)] = (total + row.scores[score], count + 1.0)
        return sums

    return Measure(name, parts, help)


def whole(name: str, score: str, help: str = "", only: Callable[[Scored], bool] | None = None) -> Measure:
    """The share of trajectories in which the score is 1 in every row that has it, and passes `only`."""

    def parts(rows: Sequence[Scored]) -> Parts:
        values = [row.scores[score] for row in rows if score in row.scores and (only is None or only(row))]
        return {"all": (float(all(value == 1.0 for value in values)), 1.0)} if values else {}

    return Measure(name, parts, help)


def of_kind(*kinds: str) -> Callable[[Scored], bool]:
    """For `only`: steps of these types."""
    return lambda row: row.kind in kinds


def evaluate(measures: Iterable[Measure], rows: Sequence[Scored], resamples: int = RESAMPLES) -> list[Value]:
    """Every measure that the rows have something for, in order."""
    by_trajectory: dict[tuple[str, str], list[Scored]] = {}
    for row in rows:
        by_trajectory.setdefault((row.split, row.trajectory), []).append(row)
    groups = list(by_trajectory.values())
    if not groups:
        return []
    draws = drawn(len(groups), resamples)
    values = []
    for measure in measures:
        found = _value(measure, groups, draws)
        if found is not None:
            values.append(found)
    return values


@lru_cache(maxsize=1)
def drawn(count: int, resamples: int) -> np.ndarray:
    """How often each of so many trajectories is drawn, [draws, trajectories].

    The same for all measures and, for equal data, all settings: their differences are paired.
    """
    return np.random.default_rng(SEED).multinomial(count, [1 / count] * count, size=resamples).astype(float)


def _value(measure: Measure, groups: list[list[Scored]], draws: np.ndarray) -> Value | None:
    contributions = [measure.parts(rows) for rows in groups]
    names = sorted({name for parts in contributions for name in parts})
    nothing = (0.0, 0.0)
    sums = np.array([[parts.get(name, nothing) for name in names] for parts in contributions], float)
    if not names or not sums[..., 1].any():
        return None
    whole = mean_over_groups(sums.sum(0)[None])[0]
    resampled = mean_over_groups(np.einsum("bt,tgk->bgk", draws, sums))
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return Value(measure.name, float(whole), float(low), float(high), float(sums[..., 1].sum()))


def mean_over_groups(sums: np.ndarray) -> np.ndarray:
    """[resamples, groups, 2] → [resamples]: mean over the groups that have a denominator."""
    above, below = sums[..., 0], sums[..., 1]
    there = below > 0
    ratios = np.where(there, above / np.where(there, below, 1.0), 0.0)
    count = there.sum(-1)
    return np.where(count > 0, ratios.sum(-1) / np.maximum(count, 1), np.nan)


def interval(successes: int, n: int) -> float:
    """Half width of the 95 % Wilson interval of a share, 0 to 1; n is at least 1."""
    z, p = 1.96, successes / n
    return z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
