"""The study for people: who does best at equal bytes, and success by task and budget."""

from __future__ import annotations

from rich.table import Table

from eval.study.answers import Ranking
from eval.study.curves import Curves
from eval.study.presets import TASKS, series_of


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
