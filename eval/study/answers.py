"""The study's questions, answered from the curves, for programs and as sentences and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group
from rich.table import Table

from eval.study.curves import Curve, Curves, Estimate, at_bytes, difference, estimate
from eval.study.presets import (
    CORRECTED,
    CORRECTED_PREFILL,
    FEW,
    MEMORY,
    RELEASED,
    TASKS,
    UNPROTECTED,
    Arm,
    Series,
    series_of,
)


@dataclass(frozen=True)
class Standing:
    """A series at the bytes of the reference: an estimate for each of its budgets (None: it cannot be so small),
    their mean, and how much that is above the reference's at the same budgets."""

    series: Series
    at: tuple[Estimate | None, ...]
    mean: Estimate
    ahead: Estimate


@dataclass(frozen=True)
class Ranking:
    """reference: whose bytes are compared at; budgets: its percentages; fractions: its mean share of the full
    bytes at each; standings: the best first, those that cannot be so small at half of the budgets left out."""

    reference: Series
    tasks: tuple[str, ...]
    budgets: tuple[float, ...]
    fractions: tuple[float, ...]
    standings: tuple[Standing, ...]

    @property
    def best(self) -> Standing:
        return self.standings[0]


def rank(
    curves: Curves, reference: Series | None = None, tasks: Sequence[str] = MEMORY, budgets: Sequence[float] = FEW
) -> Ranking | None:
    """All series at the bytes that the reference (gui_kv as it is set by default) has at the budgets.

    Budgets and tasks that the reference was not played on are left out; None when nothing remains.
    """
    reference = reference or Arm("gui_kv").series
    mine = curves.get(reference, {})
    tasks = tuple(t for t in tasks if t in mine)
    places = {t: {p.budget: p.fraction for p in mine[t]} for t in tasks}
    budgets = tuple(b for b in budgets if tasks and all(b in places[t] for t in tasks))
    if not budgets:
        return None
    standings = []
    for series in curves:
        values = [_at(curves[series], places, tasks, b) for b in budgets]
        shared = [b for b, v in zip(budgets, values, strict=True) if v is not None]
        if 2 * len(shared) >= len(budgets):
            pooled = _pooled([v for v in values if v is not None])
            base = _pooled([v for b in shared if (v := _at(mine, places, tasks, b)) is not None])
            columns = tuple(None if v is None else estimate(v) for v in values)
            standings.append(Standing(series, columns, estimate(pooled), difference(pooled, base)))
    standings.sort(key=lambda s: (-s.ahead.value, s.series))
    fractions = tuple(sum(places[t][b] for t in tasks) / len(tasks) for b in budgets)
    return Ranking(reference, tasks, budgets, fractions, tuple(standings))


def _at(
    tasks_of: dict[str, Curve], places: dict[str, dict[float, float]], tasks: Sequence[str], budget: float
) -> list[tuple[float, ...]] | None:
    """Per task, every episode's outcome at the reference's bytes; None where a task is missing or has more bytes."""
    found = [at_bytes(tasks_of.get(task, ()), places[task][budget]) for task in tasks]
    reached = [f for f in found if f is not None]
    return reached if len(reached) == len(tasks) else None


def _pooled(by_budget: Sequence[Sequence[Sequence[float]]]) -> list[list[float]]:
    """Budget → task → episode becomes task → each episode's mean over the budgets."""
    return [[sum(e) / len(e) for e in zip(*task, strict=True)] for task in zip(*by_budget, strict=True)]


@dataclass(frozen=True)
class Loss:
    """What `worse` loses against `better` at equal bytes, over the tasks and budgets that could be compared."""

    worse: Series
    better: Series
    per_task: dict[str, Estimate]
    overall: Estimate
    fractions: tuple[float, float]
    """Smallest and largest share of the full bytes at which they were compared."""


def loss(curves: Curves, worse: Series, better: Series, tasks: Sequence[str] = MEMORY) -> Loss | None:
    """Success of `better` minus that of `worse`, at the bytes that `worse` has; None when they never meet."""
    differences: dict[str, list[float]] = {}
    fractions: list[float] = []
    for task in tasks:
        pairs = []
        for point in curves.get(worse, {}).get(task, ()):
            other = at_bytes(curves.get(better, {}).get(task, ()), point.fraction)
            if other is not None:
                fractions.append(point.fraction)
                pairs.append([a - b for a, b in zip(other, point.outcomes, strict=True)])
        if pairs:
            differences[task] = [sum(e) / len(e) for e in zip(*pairs, strict=True)]
    if not differences:
        return None
    per_task = {task: estimate([d]) for task, d in differences.items()}
    return Loss(worse, better, per_task, estimate(differences.values()), (min(fractions), max(fractions)))


def losses(curves: Curves) -> list[Loss]:
    """The released behaviour (text protected as here, and not at all) against the corrected one, at both moments."""
    pairs = [(RELEASED, CORRECTED), (RELEASED, CORRECTED_PREFILL), (UNPROTECTED, CORRECTED)]
    found = [loss(curves, worse.series, better.series) for worse, better in pairs]
    return [one for one in found if one is not None]


def sentences(curves: Curves) -> list[str]:
    """The answers in words; only those that the rows can give."""
    out = []
    for one in losses(curves):
        tasks = ", ".join(f"{t} {e}" for t, e in one.per_task.items())
        low, high = one.fractions
        out.append(
            f"At equal bytes ({low:.0%} to {high:.0%} of the full cache) {one.worse.label} loses {one.overall} points "
            f"against {one.better.label}: {tasks}."
        )
    ranking = rank(curves)
    if ranking is not None:
        best = ranking.best
        names = ", ".join(f"{b:g} %" for b in ranking.budgets)
        out.append(
            f"Best of {len(ranking.standings)} at the bytes of {ranking.reference.label} at {names}, "
            f"mean over {', '.join(ranking.tasks)}: "
            f"{best.series.label} with {best.mean} %, which is {best.ahead} points above {ranking.reference.label}."
        )
        means = {standing.series: standing.mean for standing in ranking.standings}
        plain = [series for name in ("random", "recent_frames") if (series := Arm(name).series) in means]
        out += [f"For comparison, {series.label}: {means[series]} %." for series in plain]
    return out


def as_json(curves: Curves) -> dict[str, Any]:
    """Curves and answers as plain values."""
    ranking = rank(curves)

    def plain(e: Estimate | None) -> dict[str, float] | None:
        return None if e is None else {"value": round(e.value, 4), "half": round(e.half, 4)}

    return {
        "answers": sentences(curves),
        "released_against_corrected": [
            {
                "released": one.worse.label,
                "corrected": one.better.label,
                "loss": plain(one.overall),
                "tasks": {t: plain(e) for t, e in one.per_task.items()},
                "fractions": [round(f, 4) for f in one.fractions],
            }
            for one in losses(curves)
        ],
        "at_equal_bytes": None
        if ranking is None
        else {
            "reference": ranking.reference.label,
            "tasks": ranking.tasks,
            "budgets": ranking.budgets,
            "fractions": [round(f, 4) for f in ranking.fractions],
            "standings": [
                {"series": s.series.label, "at": [*map(plain, s.at)], "mean": plain(s.mean), "ahead": plain(s.ahead)}
                for s in ranking.standings
            ],
        },
        "curves": [
            {
                "series": series.label,
                **asdict(series),
                "task": task,
                "points": [
                    {
                        "budget": p.budget,
                        "fraction": round(p.fraction, 4),
                        "past_fraction": None if p.past != p.past else round(p.past, 4),
                        "success": round(p.success, 4),
                        "interval": [round(e, 4) for e in p.interval],
                        "n": len(p.outcomes),
                        "chance": round(p.chance, 4),
                    }
                    for p in curve
                ],
            }
            for series, tasks in curves.items()
            for task, curve in tasks.items()
        ],
    }


def tables(curves: Curves, parts: Sequence[str]) -> Group:
    """Everything that is told in the terminal: a table for each part, the ranking, and the answers."""
    ranking = rank(curves)
    ranked = [ranking_table(ranking)] if ranking is not None else []
    return Group(*(task_table(curves, part) for part in parts), *ranked, *sentences(curves))


def ranking_table(ranking: Ranking) -> Table:
    """Every series at the same bytes, the best first."""
    title = f"Success (%) at the bytes of {ranking.reference.label}, mean over {', '.join(ranking.tasks)}"
    table = Table(title=title, caption="± 95 % interval over the episodes; ahead: episode by episode")
    table.add_column("series")
    for budget, fraction in zip(ranking.budgets, ranking.fractions, strict=True):
        table.add_column(f"{budget:g} %\n({fraction:.0%} of full)", justify="right")
    table.add_column("mean", justify="right")
    table.add_column("ahead", justify="right")
    for standing in ranking.standings:
        cells = ["–" if e is None else str(e) for e in standing.at]
        table.add_row(standing.series.label, *cells, str(standing.mean), str(standing.ahead))
    return table


def task_table(curves: Curves, part: str = "main", budget: float = 20.0) -> Table:
    """Success by task at one budget of a part; the CSV has the others."""
    known = [s for s in series_of(part) if s in curves]
    tasks = [t for t in TASKS if any(t in curves[s] for s in known)]
    title = f"{part}: success (%) at {budget:g} %, and KV bytes of the full cache's"
    table = Table(title=title, caption="of one budget, not at equal bytes")
    table.add_column("series", overflow="fold")
    for task in tasks:
        table.add_column(task.replace("_", "\n"), justify="right")
    table.add_column("bytes", justify="right")
    for series in known:
        # A policy without a budget has one point.
        found = {t: [p for p in c if p.budget == budget or len(c) == 1] for t, c in curves[series].items()}
        chosen = {t: points[0] for t, points in found.items() if points}
        cells = [f"{100 * chosen[t].success:.0f}" if t in chosen else "–" for t in tasks]
        share = sum(p.fraction for p in chosen.values()) / len(chosen) if chosen else float("nan")
        table.add_row(series.label, *cells, f"{share:.0%}")
    chance = {t: next(c[t][0].chance for s, c in curves.items() if s in known and t in c) for t in tasks}
    table.add_row("chance", *(f"{100 * chance[t]:.0f}" for t in tasks), "", style="dim")
    return table
