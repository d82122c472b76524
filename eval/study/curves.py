"""From rows to curves of success against bytes, and success at equal bytes with its interval."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from eval.metrics.measures import interval
from eval.study.presets import Series
from eval.study.run import StudyRow

Z = 1.96
"""Standard errors of a 95 % interval."""


@dataclass(frozen=True)
class Point:
    """One budget of one series on one task, all groups together.

    fraction, past: bytes by those of the stateless full cache, of everything and of what precedes the newest
    screenshot (NaN where there is none); outcomes: 1 or 0 for every episode, in the order of the seeds
    """

    budget: float
    fraction: float
    past: float
    outcomes: tuple[int, ...]
    chance: float

    @property
    def success(self) -> float:
        return sum(self.outcomes) / len(self.outcomes)

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(sum(self.outcomes), len(self.outcomes))


Curve = tuple[Point, ...]
"""Points by rising bytes."""
Curves = dict[Series, dict[str, Curve]]
"""Series → task → curve."""


@dataclass(frozen=True)
class Estimate:
    """A mean with the half width of its 95 % interval."""

    value: float
    half: float

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} ± {100 * self.half:.1f}"


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Ends of the 95 % Wilson interval of a share."""
    p, z2 = successes / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = interval(successes, n)
    return max(0.0, middle - half), min(1.0, middle + half)


def curves_of(rows: Iterable[StudyRow]) -> Curves:
    """Curves from the rows. Points that lack groups, as while a study is running, are left out."""
    cells: dict[tuple[Series, str, float], list[StudyRow]] = defaultdict(list)
    for row in rows:
        cells[row.series, row.task, row.budget].append(row)
    groups = max((len(c) for c in cells.values()), default=0)
    points: dict[tuple[Series, str], list[Point]] = defaultdict(list)
    for (series, task, budget), cell in cells.items():
        if len(cell) == groups:
            points[series, task].append(_point(budget, sorted(cell, key=lambda r: r.group)))
    curves: Curves = {}
    for (series, task), some in points.items():
        curves.setdefault(series, {})[task] = tuple(sorted(some, key=lambda p: (p.fraction, p.budget)))
    return curves


def _point(budget: float, rows: Sequence[StudyRow]) -> Point:
    def total(of: Callable[[StudyRow], float]) -> float:
        return sum(row.n * of(row) for row in rows)

    past = total(lambda r: r.past_bytes_full)
    return Point(
        budget=budget,
        fraction=total(lambda r: r.kv_bytes) / total(lambda r: r.kv_bytes_full),
        past=total(lambda r: r.past_bytes) / past if past else math.nan,
        outcomes=tuple(int(c) for row in rows for c in row.outcomes),
        chance=total(lambda r: r.chance) / sum(r.n for r in rows),
    )


def at_bytes(curve: Curve, fraction: float) -> tuple[float, ...] | None:
    """Each episode's outcome at that fraction of the full bytes, between two budgets a straight line in log bytes.

    Above the largest measured fraction its outcomes hold (more bytes were not needed); None below the smallest.
    Fractions may differ by 0.5 % without counting as different.
    """
    if not curve or fraction < curve[0].fraction * 0.995:
        return None
    below = [p for p in curve if p.fraction <= fraction * 1.005]
    above = [p for p in curve if p.fraction > fraction * 1.005]
    low = below[-1] if below else curve[0]
    if not above or low.fraction >= fraction * 0.995:
        return tuple(float(o) for o in low.outcomes)
    high = above[0]
    share = math.log(fraction / low.fraction) / math.log(high.fraction / low.fraction)
    return tuple((1 - share) * a + share * b for a, b in zip(low.outcomes, high.outcomes, strict=True))


def estimate(per_task: Iterable[Sequence[float]]) -> Estimate:
    """Mean over tasks of the mean over episodes, tasks counting alike; normal interval over the episodes."""
    means, variance = [], 0.0
    for values in per_task:
        n = len(values)
        middle = sum(values) / n
        means.append(middle)
        variance += sum((v - middle) ** 2 for v in values) / max(1, n - 1) / n
    return Estimate(sum(means) / len(means), Z * math.sqrt(variance) / len(means))


def difference(first: Iterable[Sequence[float]], second: Iterable[Sequence[float]]) -> Estimate:
    """`first` − `second`, episode by episode: both played the same ones."""
    return estimate([[a - b for a, b in zip(x, y, strict=True)] for x, y in zip(first, second, strict=True)])
