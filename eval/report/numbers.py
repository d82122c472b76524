"""All numbers of the report: scores, differences to the full cache, costs; by action type, split and step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from eval.benchmarks import BENCHMARKS, rules_of
from eval.metrics.measures import Measure, Scored, by_cell, micro
from eval.report.cells import COSTS, PlayedCell
from eval.report.estimates import Bootstrap, Estimate, Runs, difference, ratio
from eval.report.series import Point, Sweep

SECONDS, SHARE, WORK = "seconds", "share", "work"
"""Costs beside those of a row: seconds of all phases; KV bytes as a share of the full cache's; FLOPs as a share of
the stateless protocol's."""

_RATIOS = {SHARE: ("kv_bytes", "full_kv_bytes"), WORK: ("flops", "flops_stateless")}

ByStep = dict[int, dict[str, float]]
"""Number of the step from 1 → mean of each cost over trajectories and seeds, and `trajectories`, how many there are."""


@dataclass(frozen=True)
class Entry:
    """What came out of a series at a budget.

    measures: by name; to_full: difference to the full cache, for those that it has too
    kinds, splits: rule → action type or split → mean score; their sizes are the estimates' counts over seeds
    costs: means over steps; empty where no model answered
    steps, unreadable: rows over all seeds, and those whose answer could not be read
    """

    point: Point
    measures: dict[str, Estimate]
    to_full: dict[str, Estimate]
    kinds: dict[str, dict[str, Estimate]]
    splits: dict[str, dict[str, Estimate]]
    costs: dict[str, Estimate]
    by_step: ByStep
    steps: int
    unreadable: int


@dataclass(frozen=True)
class Numbers:
    """entries: in the order of the sweep; measures: all that were taken; headline: those shown first"""

    sweep: Sweep
    entries: tuple[Entry, ...]
    measures: tuple[Measure, ...]
    headline: tuple[str, ...]
    trajectories: int

    def of(self, point: Point | None) -> Entry | None:
        return next((entry for entry in self.entries if entry.point is point), None)

    def of_full(self, point: Point) -> Entry | None:
        """What the full cache got under the same settings."""
        return self.of(self.sweep.full_of(point.series))


def measures_of(benchmark: str) -> tuple[Measure, ...]:
    """The benchmark's own, and the plain mean of each rule that it has none for."""
    known = BENCHMARKS.get(benchmark)
    own = known.measures if known is not None else ()
    missing = [rule for rule in rules_of(benchmark) if rule not in {measure.name for measure in own}]
    return (*own, *(micro(rule, rule, f"mean of the {rule} score over all steps") for rule in missing))


def evaluate_sweep(
    sweep: Sweep, measures: Sequence[Measure], done: Callable[[str], None] = lambda name: None
) -> Numbers:
    """All numbers over the steps that count. `done` is told each series and budget when it is through."""
    runs = {one: tuple(_run(sweep, cell) for cell in one.cells) for one in sweep.points}
    count = len(next(iter(runs.values()))[0])
    bootstrap = Bootstrap(count)
    taken: dict[Point, dict[str, Estimate]] = {}
    for one, its in runs.items():
        found = {measure.name: bootstrap.measure(measure, its) for measure in measures}
        taken[one] = {name: value for name, value in found.items() if value is not None}
    entries = []
    for one, its in runs.items():
        full = sweep.full_of(one.series)
        against = taken[full] if full is not None and full is not one else {}
        entries.append(_entry(sweep, one, its, bootstrap, taken[one], against))
        done(one.label)
    there = [measure for measure in measures if any(measure.name in value for value in taken.values())]
    headline = tuple(rule for rule in rules_of(sweep.benchmark) if any(measure.name == rule for measure in there))
    return Numbers(sweep, tuple(entries), tuple(there), headline, count)


def _entry(
    sweep: Sweep, one: Point, runs: Runs, bootstrap: Bootstrap, taken: dict[str, Estimate], full: dict[str, Estimate]
) -> Entry:
    rows = [row for run in runs for rows in run for row in rows if row.scores]
    rules = rules_of(sweep.benchmark)
    return Entry(
        point=one,
        measures=taken,
        to_full={name: difference(value, full[name]) for name, value in taken.items() if name in full},
        kinds={rule: bootstrap.by_group(by_cell(rule, rule, attrgetter("kind")), runs) for rule in rules},
        splits={rule: bootstrap.by_group(by_cell(rule, rule, attrgetter("split")), runs) for rule in rules},
        costs=_costs(sweep, one, bootstrap),
        by_step=_by_step(sweep, one),
        steps=len(rows),
        unreadable=sum(1 for row in rows if row.error),
    )


def _run(sweep: Sweep, cell: PlayedCell, costs: bool = False) -> list[list[Scored]]:
    """The cell's rows by trajectory, steps that were left out among them: some rules of the release count those.

    costs: of the same trajectories the costs, as if they were scores, so that the same averages serve
    """
    found: dict[tuple[str, str], list[Scored]] = {}
    for step in sweep.steps:
        rows, taken = found.setdefault(step[:2], []), cell.rows[step]
        if not costs:
            rows.append(taken.scored)
        elif taken.cost is not None:
            rows.append(Scored(step[1], step[0], taken.scored.kind, taken.cost))
    return list(found.values())


def _costs(sweep: Sweep, one: Point, bootstrap: Bootstrap) -> dict[str, Estimate]:
    runs = [_run(sweep, cell, costs=True) for cell in one.cells]
    if not any(row for run in runs for rows in run for row in rows):
        return {}
    means = [micro(name, name) for name in (*COSTS, SECONDS)]
    ratios = [ratio(name, *parts) for name, parts in _RATIOS.items()]
    found = {measure.name: bootstrap.measure(measure, runs) for measure in (*means, *ratios)}
    return {name: value for name, value in found.items() if value is not None}


def _by_step(sweep: Sweep, one: Point) -> ByStep:
    sums: ByStep = {}
    for cell in one.cells:
        for step in sweep.played:
            taken = cell.rows[step]
            if taken.cost is not None:
                total = sums.setdefault(taken.step + 1, {"trajectories": 0.0})
                total["trajectories"] += 1
                for name, value in taken.cost.items():
                    total[name] = total.get(name, 0.0) + value
    return {number: _mean(sums[number], len(one.cells)) for number in sorted(sums)}


def _mean(total: dict[str, float], seeds: int) -> dict[str, float]:
    count = total["trajectories"]
    return {name: value / (seeds if name == "trajectories" else count) for name, value in total.items()}
