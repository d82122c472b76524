"""From a sweep's folder to its page, its plots, and its numbers for programs: what stands there, in which order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.report.html import render
from agent.report.pictures import uri
from eval.benchmarks import rules_of
from eval.report.cells import ReportError, read_sweep, shortfall
from eval.report.data import find
from eval.report.estimates import Estimate
from eval.report.numbers import Entry, Numbers, evaluate_sweep, measures_of
from eval.report.plots import Plot, draw_all, need_matplotlib
from eval.report.reproduce import command_of
from eval.report.series import FULL, Sweep, group_cells
from eval.report.step_view import WorstView, worst_views
from eval.report.tables import Table, cost_table, group_table, score_table
from eval.report.worst import worst_steps
from eval.sweep.plan import plain_budget
from guikv.files import make_folder, replace_file

PACKAGE = "eval.report"
PAGE, PLOTS = "report.html", "plots"
FEW = 10
"""Trajectories below which intervals say little."""
USUAL = "20%"
"""The budget that is looked at in detail, where there is one."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """budget: looked at in detail, empty for a usual one; worst: how many steps to show, at most
    path, images: of the data, where they are not where the replay found them
    """

    budget: str = ""
    worst: int = 12
    path: Path | None = None
    images: Path | None = None


@dataclass(frozen=True)
class Shown:
    """views: of single steps; against_full: whether they are those that lost most against the full cache
    problem: why their pictures are missing, empty where they are not
    """

    views: tuple[WorstView, ...]
    against_full: bool
    problem: str


@dataclass(frozen=True)
class Built:
    """page: the file; plots: beside it; numbers: for programs"""

    page: Path
    plots: tuple[Path, ...]
    numbers: dict[str, Any]


def build_report(
    folder: Path, wanted: Wanted = Wanted(), out: Path | None = None, tell: Tell = lambda _: None
) -> Built:
    """Write page and plots, by default into the sweep's folder. `tell` hears what is being done.

    Raises ReportError, DataError and RowsError, which name what is wrong and where.
    """
    need_matplotlib()
    cells = read_sweep(folder, lambda name: tell(f"reading {name}"))
    sweep = group_cells(cells)
    sweep = replace(sweep, warnings=(*shortfall(folder, cells), *sweep.warnings))
    budget = detailed_budget(sweep, wanted.budget)
    numbers = evaluate_sweep(sweep, measures_of(sweep.benchmark), lambda name: tell(f"evaluated {name}"))
    tell("drawing")
    plots = draw_all(numbers, budget)
    tell("looking for pictures")
    shown = _shown(sweep, wanted)
    page = out or folder / PAGE
    html = page_html(folder, numbers, plots, shown, budget)
    return Built(page, _write(page, html, plots), numbers_as_json(numbers, shown.views))


def detailed_budget(sweep: Sweep, wanted: str) -> str:
    """The budget asked for, or 20 %, or the middle one.

    Raises BudgetError, and ReportError for one that the sweep has not.
    """
    budgets = sweep.budgets
    if wanted:
        found = plain_budget(wanted)
        if found not in budgets:
            raise ReportError(f"the sweep has no budget {found}; there are {', '.join(budgets) or 'none'}")
        return found
    if USUAL in budgets or not budgets:
        return USUAL if budgets else ""
    return budgets[len(budgets) // 2]


def _shown(sweep: Sweep, wanted: Wanted) -> Shown:
    """The worst steps, with what can be found of their pictures."""
    selection = worst_steps(sweep, wanted.worst)
    names = {one.step[:2] for one in selection.steps}
    data = find(sweep.cells[0].settings, names, wanted.path, wanted.images)
    return Shown(tuple(worst_views(sweep, selection.steps, data)), selection.against_full, data.problem)


def _write(page: Path, html: str, plots: list[Plot]) -> tuple[Path, ...]:
    """Each file as a whole or not at all. Raises ReportError."""
    written = {page.parent / PLOTS / f"{plot.name}.png": plot.png for plot in plots}
    # Models and data can hold half characters, which no encoding has.
    written[page] = html.encode("utf-8", errors="replace")
    for path, data in written.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path != page:
                make_folder(path.parent)
            replace_file(path, data)
        except OSError as error:
            raise ReportError(f"{path} cannot be written: {error.strerror or error}") from error
    return tuple(path for path in written if path != page)


def page_html(folder: Path, numbers: Numbers, plots: list[Plot], shown: Shown, budget: str) -> str:
    """The page's text; all that models and data say is escaped. budget: looked at in detail."""
    sweep = numbers.sweep
    helps = {measure.name: measure.help for measure in numbers.measures}
    return render(
        PACKAGE,
        "report.html.j2",
        (PACKAGE, "report.css"),
        numbers=numbers,
        sweep=sweep,
        few=numbers.trajectories < FEW,
        cards=_cards(numbers),
        facts=_facts(sweep),
        settings=json.dumps(dict(sweep.shared), ensure_ascii=False, indent=1),
        command=command_of(sweep, str(folder)),
        plots=[(plot, uri("png", plot.png)) for plot in plots],
        main=[score_table(numbers, rule, f"Score, {rule}", helps[rule]) for rule in numbers.headline],
        further=[
            score_table(numbers, name, name, help) for name, help in helps.items() if name not in numbers.headline
        ],
        costs=cost_table(numbers),
        groups=_group_tables(numbers, budget),
        shown=shown,
        has_full=any(one.series.policy == FULL for one in sweep.points),
    )


def _cards(numbers: Numbers) -> list[tuple[str, str]]:
    sweep = numbers.sweep
    rows = sum(entry.steps for entry in numbers.entries)
    unreadable = sum(entry.unreadable for entry in numbers.entries)
    seeds = {cell.settings.seed for cell in sweep.cells}
    cards = [
        ("trajectories", str(numbers.trajectories)),
        ("steps of each cell", str(len(sweep.played))),
        ("cells", str(len(sweep.cells))),
        ("seeds", str(len(seeds))),
        ("unreadable answers", f"{unreadable} of {rows}"),
    ]
    if sweep.skipped:
        cards.insert(2, ("left out: no image", str(len(sweep.skipped))))
    return cards


def _facts(sweep: Sweep) -> list[tuple[str, str]]:
    """The settings that say most; the others are further down."""
    cache = "config.cache."
    names = {"moment": f"{cache}moment", "window": f"{cache}window", "screenshots": f"{cache}history"}
    names["layout"] = "config.prompt.layout"
    own = ("model", "dialect", "history", "missing", "path", "images", "splits")
    options = [name for name in sweep.shared if name.startswith("options.")]
    wanted = {**{name: name for name in own}, **names, **{name.partition(".")[2]: name for name in options}}
    return [(label, sweep.shared[name]) for label, name in wanted.items() if name in sweep.shared]


def _group_tables(numbers: Numbers, budget: str) -> list[tuple[str, list[Table], list[Table]]]:
    """By action type and by split: heading, the tables at the budget of the details, and those at others."""
    sections = []
    rule = rules_of(numbers.sweep.benchmark)[0]
    for heading, name in (("By action type", "kinds"), ("By split", "splits")):
        groups = {group for entry in numbers.entries for group in getattr(entry, name)[rule]}
        if len(groups) < 2:
            continue
        first = [_group(numbers, name, rule, budget) for rule in numbers.headline]
        others = [one for one in numbers.sweep.budgets if one != budget]
        rest = [_group(numbers, name, rule, one) for one in others for rule in numbers.headline]
        sections.append((heading, first, rest))
    return sections


def _group(numbers: Numbers, name: str, rule: str, budget: str) -> Table:
    title = f"{rule}, {budget}" if budget else rule
    return group_table(numbers, lambda entry: getattr(entry, name)[rule], budget, title)


def numbers_as_json(numbers: Numbers, views: Sequence[WorstView]) -> dict[str, Any]:
    """Everything that the tables show; scores are 0 to 1, costs means over steps."""
    sweep = numbers.sweep
    return {
        "benchmark": sweep.benchmark,
        "trajectories": numbers.trajectories,
        "steps": len(sweep.played),
        "skipped": len(sweep.skipped),
        "warnings": list(sweep.warnings),
        "settings": dict(sweep.shared),
        "headline": list(numbers.headline),
        "cells": [_entry(entry) for entry in numbers.entries],
        "worst": [_worst(view) for view in views],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    point = entry.point
    return {
        "policy": point.series.policy,
        "others": dict(point.series.others),
        "budget": point.budget or None,
        "seeds": list(point.seeds),
        "steps": entry.steps,
        "unreadable": entry.unreadable,
        "measures": _all(entry.measures),
        "to_full": _all(entry.to_full),
        "kinds": {rule: _all(found) for rule, found in entry.kinds.items()},
        "splits": {rule: _all(found) for rule, found in entry.splits.items()},
        "costs": _all(entry.costs),
        "by_step": {str(number): costs for number, costs in entry.by_step.items()},
    }


def _worst(view: WorstView) -> dict[str, Any]:
    worst = view.worst
    scores = [{"cell": point.label, "score": score} for point, score in worst.scores.items()]
    return {
        **dict(zip(("split", "trajectory", "key"), worst.step, strict=True)),
        "loss": worst.loss,
        "shown": worst.cell.name,
        "picture": bool(view.picture),
        "scores": scores,
    }


def _all(found: Mapping[str, Estimate]) -> dict[str, dict[str, float]]:
    return {name: estimate.numbers for name, estimate in found.items()}
