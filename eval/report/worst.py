"""The steps at which compression costs most, spread over trajectories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from eval.benchmarks import rules_of
from eval.report.cells import PlayedCell, StepId
from eval.report.series import Point, Series, Sweep

LEAST = 1e-6
"""Losses below are of no interest: scores can fall off exponentially with distance."""


@dataclass(frozen=True)
class Worst:
    """One step.

    loss: of the first rule's score against the full cache, mean over compressed series and budgets; of the lowest
    scores, what is missing to 1
    scores: of each series at each budget, mean over seeds
    shown: whose answer is looked at, and in which cell (of one seed); full: the full cache's cell, if there is one
    """

    step: StepId
    loss: float
    scores: Mapping[Point, float]
    shown: Point
    cell: PlayedCell
    full: PlayedCell | None


@dataclass(frozen=True)
class Selection:
    """against_full: whether the steps are those that lost most; otherwise those with the lowest scores"""

    steps: tuple[Worst, ...]
    against_full: bool


def worst_steps(sweep: Sweep, most: int) -> Selection:
    """Up to `most` steps, the greatest loss first; where possible no trajectory has two before all have one.

    Where there is no full cache, or nothing is lost against it, the lowest scores.
    """
    compared = [one for one in sweep.points if one.series.has_budget]
    against = {one: full for one in compared if (full := sweep.full_of(one.series)) is not None}
    lost = _steps(sweep, list(against), against, most)
    if lost or not most:
        return Selection(tuple(lost), True)
    return Selection(tuple(_steps(sweep, compared or list(sweep.points), {}, most)), False)


def _steps(sweep: Sweep, chosen: list[Point], against: Mapping[Point, Point], most: int) -> list[Worst]:
    if not chosen:
        return []
    losses = {step: _loss(step, chosen, against) for step in sweep.played}
    ranked = sorted((step for step in losses if losses[step] > LEAST), key=lambda step: -losses[step])
    return [_worst(step, losses[step], sweep, chosen) for step in spread(ranked, most)]


def spread(ranked: list[StepId], most: int) -> list[StepId]:
    """The first of every trajectory, then the second of every …, each round in the given order."""
    seen: Counter[tuple[str, str]] = Counter()
    rounds: list[tuple[int, int]] = []
    for place, step in enumerate(ranked):
        rounds.append((seen[step[:2]], place))
        seen[step[:2]] += 1
    chosen = sorted(place for _, place in sorted(rounds)[: max(most, 0)])
    return [ranked[place] for place in chosen]


def score_of(one: Point, step: StepId) -> float:
    """Mean over seeds."""
    rule = rules_of(one.cells[0].settings.benchmark)[0]
    return sum(cell.rows[step].scored.scores[rule] for cell in one.cells) / len(one.cells)


def _loss(step: StepId, chosen: list[Point], against: Mapping[Point, Point]) -> float:
    total = 0.0
    for one in chosen:
        total += (score_of(against[one], step) if one in against else 1.0) - score_of(one, step)
    return total / len(chosen)


def _worst(step: StepId, loss: float, sweep: Sweep, chosen: list[Point]) -> Worst:
    """The answer shown is the lowest, and of equal ones that with the largest budget: it had least reason."""
    scores = {one: score_of(one, step) for one in sweep.points}
    order = {budget: place for place, budget in enumerate(sweep.budgets)}
    shown = min(chosen, key=lambda one: (scores[one], -order.get(one.budget, 0), _baseline(one.series)))
    rule = rules_of(sweep.benchmark)[0]
    cell = min(shown.cells, key=lambda cell: cell.rows[step].scored.scores[rule])
    full = sweep.full_of(shown.series)
    return Worst(step, loss, scores, shown, cell, full.cells[0] if full is not None else None)


def _baseline(series: Series) -> bool:
    return series.policy in ("random", "recent_frames")
