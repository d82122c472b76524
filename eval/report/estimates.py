"""Averages over steps and seeds, with intervals by bootstrap over trajectories and seeds.

The same trajectories and seeds are drawn for every cell, so the difference of two cells is paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from eval.metrics.measures import RESAMPLES, SEED, Measure, Parts, Scored, drawn, mean_over_groups

Runs = Sequence[Sequence[Sequence[Scored]]]
"""Seed → trajectory → rows. Every seed has the same trajectories in the same order."""


@dataclass(frozen=True)
class Estimate:
    """A number with the bounds of its 95 % interval. count: of what the mean is, over all seeds; resamples: [draws]"""

    value: float
    low: float
    high: float
    count: float
    resamples: np.ndarray = field(repr=False, compare=False)

    @property
    def bounds(self) -> tuple[float, float, float]:
        """The number, and the ends of its interval."""
        return self.value, self.low, self.high

    @property
    def numbers(self) -> dict[str, float]:
        """For JSON."""
        return {"value": self.value, "low": self.low, "high": self.high, "count": self.count}


@dataclass(frozen=True)
class Bootstrap:
    """Draws of `trajectories` trajectories: the number of times each is in a resample, [draws, trajectories]."""

    trajectories: int
    resamples: int = RESAMPLES

    def measure(self, measure: Measure, runs: Runs) -> Estimate | None:
        """The mean over seeds of a measure; None where no row has anything for it."""
        names, sums = _sums(measure, runs)
        return self._estimate(sums) if names else None

    def by_group(self, measure: Measure, runs: Runs) -> dict[str, Estimate]:
        """The same for each group on its own, by the group's name."""
        names, sums = _sums(measure, runs)
        found = {name: self._estimate(sums[:, :, [place]]) for place, name in enumerate(names)}
        return {name: estimate for name, estimate in found.items() if estimate is not None}

    def _estimate(self, sums: np.ndarray) -> Estimate | None:
        """sums: [seeds, trajectories, groups, 2], numerators and denominators."""
        if not sums[..., 1].any():
            return None
        draws, weights = drawn(self.trajectories, self.resamples), _seeds(len(sums), self.resamples)
        whole = np.nanmean([mean_over_groups(run.sum(0)[None])[0] for run in sums])
        each = np.stack([mean_over_groups(np.tensordot(draws, run, axes=(1, 0))) for run in sums], axis=1)
        there = ~np.isnan(each)
        weight = np.where(there, weights, 0.0).sum(1)
        total = np.where(there, each, 0.0) * weights
        resampled = np.where(weight > 0, total.sum(1) / np.where(weight > 0, weight, 1.0), np.nan)
        low, high = np.nanpercentile(resampled, [2.5, 97.5])
        return Estimate(float(whole), float(low), float(high), float(sums[..., 1].sum()), resampled)


def difference(one: Estimate, other: Estimate) -> Estimate:
    """`one` - `other`, paired by the draws."""
    resampled = one.resamples - other.resamples
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return Estimate(one.value - other.value, float(low), float(high), one.count, resampled)


def ratio(name: str, above: str, below: str) -> Measure:
    """The ratio of two sums."""

    def parts(rows: Sequence[Scored]) -> Parts:
        return {"all": (sum(row.scores[above] for row in rows), sum(row.scores[below] for row in rows))}

    return Measure(name, parts)


def _sums(measure: Measure, runs: Runs) -> tuple[list[str], np.ndarray]:
    """Groups, and [seeds, trajectories, groups, 2], numerators and denominators."""
    contributions = [[measure.parts(rows) for rows in run] for run in runs]
    names = sorted({name for run in contributions for one in run for name in one})
    nothing = (0.0, 0.0)
    sums = [[[one.get(name, nothing) for name in names] for one in run] for run in contributions]
    return names, np.array(sums, float)


@lru_cache(maxsize=8)
def _seeds(count: int, resamples: int) -> np.ndarray:
    """The share of each seed, [draws, seeds]."""
    return np.random.default_rng(SEED + 1).multinomial(count, [1 / count] * count, size=resamples) / count
