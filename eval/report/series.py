"""Which cells belong together: a series is a line of the plots, and cells that differ only in the seed are one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eval.replay.settings import ORACLE
from eval.report.cells import PlayedCell, ReportError, StepId
from eval.sweep.plan import plain_budget
from guikv.budget import parse_budget
from guikv.policies import POLICIES

FULL = "full"
WITHOUT_BUDGET = (FULL, ORACLE)
ANY = ""
"""The budget of what has none."""

_SEED, _POLICY, _BUDGET = "seed", "config.cache.policy", "config.cache.budget"
_OPTIONS = "config.cache.options"
_ORDER = (ORACLE, FULL, *(name for name in POLICIES if name != FULL))


@dataclass(frozen=True)
class Series:
    """A policy, with the settings by which it differs from other series of the same policy: name, value."""

    policy: str
    others: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        told = [f"{name.rpartition('.')[2]} {value}" for name, value in self.others]
        return " · ".join([self.policy, *told])

    @property
    def has_budget(self) -> bool:
        return self.policy not in WITHOUT_BUDGET

    @property
    def beside(self) -> tuple[tuple[str, str], ...]:
        """What must agree for a fair comparison with another policy: all but the policy's own options."""
        return tuple(pair for pair in self.others if not pair[0].startswith(_OPTIONS))


@dataclass(frozen=True, eq=False)
class Point:
    """A series at a budget: its cells differ in the seed only."""

    series: Series
    budget: str
    cells: tuple[PlayedCell, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(cell.settings.seed for cell in self.cells)

    @property
    def label(self) -> str:
        return f"{self.series.label} {self.budget}".rstrip()


@dataclass(frozen=True)
class Sweep:
    """Everything that is compared.

    points: full cache and oracle first, policies in the order of their registry, budgets from small to large
    steps: those that all cells have, in the order of the first cell; skipped: of those, the ones nobody played
    shared: settings that all cells agree in
    """

    benchmark: str
    points: tuple[Point, ...]
    steps: tuple[StepId, ...]
    skipped: frozenset[StepId]
    shared: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[PlayedCell, ...]:
        return tuple(cell for one in self.points for cell in one.cells)

    @cached_property
    def played(self) -> tuple[StepId, ...]:
        """Steps that count."""
        return tuple(step for step in self.steps if step not in self.skipped)

    @property
    def series(self) -> tuple[Series, ...]:
        return tuple(dict.fromkeys(one.series for one in self.points))

    @property
    def budgets(self) -> tuple[str, ...]:
        """From small to large; percentages first."""
        return tuple(sorted({one.budget for one in self.points} - {ANY}, key=budget_order))

    def at(self, series: Series, budget: str) -> Point | None:
        """What there is of the series at a budget; one without a budget is there at each."""
        wanted = budget if series.has_budget else ANY
        return next((one for one in self.points if (one.series, one.budget) == (series, wanted)), None)

    def full_of(self, series: Series) -> Point | None:
        """The full cache under the same settings."""
        found = [one for one in self.points if one.series.policy == FULL]
        return next((one for one in found if one.series.beside == series.beside), None)


def budget_order(budget: str) -> tuple[int, float]:
    """Percentages, then tokens, then bytes; each by amount."""
    parsed = parse_budget(budget)
    return ("percent", "tokens", "bytes").index(parsed.unit), parsed.amount


def group_cells(cells: Iterable[PlayedCell]) -> Sweep:
    """Cells that differ only in the seed become one. Raises ReportError where no cell has a row."""
    cells = list(cells)
    begun = [cell for cell in cells if cell.rows]
    if not begun:
        raise ReportError("no cell of the sweep has a row yet")
    warnings = [f"{cell.name} has no step yet and is left out" for cell in cells if not cell.rows]
    flat = {cell.name: flattened(cell.identity) for cell in begun}
    names = _telling(begun, flat)
    groups: dict[tuple[Series, str], list[PlayedCell]] = {}
    for cell in begun:
        others = tuple((name, flat[cell.name][name]) for name in names if name in flat[cell.name])
        series = Series(cell.settings.policy, others)
        budget = plain_budget(cell.settings.budget) if series.has_budget else ANY
        groups.setdefault((series, budget), []).append(cell)
    points = tuple(
        Point(series, budget, tuple(sorted(_one_a_seed(found, warnings), key=lambda cell: cell.settings.seed)))
        for (series, budget), found in sorted(groups.items(), key=lambda item: _place(*item[0]))
    )
    kept = [cell for one in points for cell in one.cells]
    steps, skipped = _common(kept, warnings)
    shared = {
        name: value
        for name, value in flat[kept[0].name].items()
        if all(flat[cell.name].get(name) == value for cell in kept)
    }
    return Sweep(begun[0].settings.benchmark, points, steps, skipped, shared, tuple(warnings))


def flattened(data: Any, name: str = "") -> dict[str, str]:
    """`{"a": {"b": 1}}` → `{"a.b": "1"}`; empty values are left out."""
    if isinstance(data, Mapping):
        parts = (flattened(value, f"{name}.{key}" if name else str(key)) for key, value in data.items())
        return {key: value for part in parts for key, value in part.items()}
    if data is None or data in ([], ""):
        return {}
    return {name: data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)}


def _telling(cells: Sequence[PlayedCell], flat: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Settings, besides budget and seed, in which cells of one policy differ; one of each that say the same."""
    by_policy: dict[str, list[Mapping[str, str]]] = {}
    for cell in cells:
        by_policy.setdefault(cell.settings.policy, []).append(flat[cell.name])
    differing: dict[str, None] = {}
    for settings in by_policy.values():
        for name in dict.fromkeys(name for one in settings for name in one):
            if name not in (_SEED, _POLICY, _BUDGET) and len({one.get(name) for one in settings}) > 1:
                differing[name] = None
    by_values: dict[tuple[str | None, ...], str] = {}
    for name in sorted(differing, key=lambda name: (name.count("."), name)):
        by_values.setdefault(tuple(flat[cell.name].get(name) for cell in cells), name)
    return list(by_values.values())


def _one_a_seed(cells: Sequence[PlayedCell], warnings: list[str]) -> list[PlayedCell]:
    """A policy without a budget may have been played at several, with the same result: the longest is taken."""
    best: dict[int, PlayedCell] = {}
    for cell in cells:
        seed = cell.settings.seed
        if seed in best:
            warnings.append(f"{cell.name} and {best[seed].name} are the same settings: the one with more steps counts")
        if seed not in best or len(cell.rows) > len(best[seed].rows):
            best[seed] = cell
    return list(best.values())


def _common(cells: Sequence[PlayedCell], warnings: list[str]) -> tuple[tuple[StepId, ...], frozenset[StepId]]:
    """Steps that all cells have, and those of them that all left out."""
    everywhere = set.intersection(*(set(cell.rows) for cell in cells))
    least = min(cells, key=lambda cell: len(cell.rows))
    most = max(len(cell.rows) for cell in cells)
    if any(len(cell.rows) != len(everywhere) for cell in cells):
        warnings.append(
            f"the cells hold different steps (unfinished?): all numbers are of the {len(everywhere)} steps that every "
            f"cell has, of up to {most}; {least.name} has the fewest, {len(least.rows)}"
        )
    if not everywhere:
        raise ReportError("no step was played in every cell, so there is nothing to compare")
    skipped = {step for step in everywhere if all(cell.rows[step].skipped for cell in cells)}
    uneven = {step for step in everywhere - skipped if any(cell.rows[step].skipped for cell in cells)}
    if uneven:
        warnings.append(f"{len(uneven)} steps were left out by some cells only, and count in none")
    if not everywhere - skipped - uneven:
        raise ReportError("every step was left out: the images of the data are missing")
    steps = tuple(step for step in cells[0].rows if step in everywhere and step not in uneven)
    return steps, frozenset(skipped)


def _place(series: Series, budget: str) -> tuple[Any, ...]:
    rank = _ORDER.index(series.policy) if series.policy in _ORDER else len(_ORDER)
    return rank, series.policy, series.others, (0, 0.0) if budget == ANY else budget_order(budget)
