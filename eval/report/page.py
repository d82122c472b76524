"""The page of a report: what stands on it, in which order."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from agent.report.pictures import uri
from agent.report.raw import Raw
from agent.report.templates import resource, templates
from eval.benchmarks.first_score import rules_of
from eval.report.numbers import Numbers
from eval.report.plots import Plot
from eval.report.reproduce import command_of
from eval.report.series import FULL, Sweep
from eval.report.step_view import WorstView
from eval.report.tables import Table, cost_table, group_table, score_table

PACKAGE = "eval.report"
FEW = 10
"""Trajectories below which intervals say little."""


@dataclass(frozen=True)
class Shown:
    """views: of single steps; against_full: whether they are those that lost most against the full cache
    problem: why their pictures are missing, empty where they are not
    """

    views: tuple[WorstView, ...]
    against_full: bool
    problem: str


def render(folder: Path, numbers: Numbers, plots: list[Plot], shown: Shown, budget: str) -> str:
    """The page's text; all that models and data say is escaped. budget: looked at in detail."""
    sweep = numbers.sweep
    template = templates(PACKAGE).get_template("report.html.j2")
    return template.render(
        style=Raw(resource("agent.report", "style.css") + resource(PACKAGE, "report.css")),
        numbers=numbers,
        sweep=sweep,
        few=numbers.trajectories < FEW,
        cards=_cards(numbers),
        facts=_facts(sweep),
        settings=json.dumps(dict(sweep.shared), ensure_ascii=False, indent=1),
        command=command_of(sweep, str(folder)),
        plots=[(plot, uri("png", plot.png)) for plot in plots],
        main=_main_tables(numbers),
        further=_further_tables(numbers),
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
    names = {
        "moment": "config.cache.moment",
        "window": "config.cache.window",
        "screenshots": "config.cache.history",
        "layout": "config.prompt.layout",
    }
    own = ("model", "dialect", "history", "missing", "path", "images", "splits")
    options = [name for name in sweep.shared if name.startswith("options.")]
    wanted = {**{name: name for name in own}, **names, **{name.partition(".")[2]: name for name in options}}
    return [(label, sweep.shared[name]) for label, name in wanted.items() if name in sweep.shared]


def _main_tables(numbers: Numbers) -> list[Table]:
    helps = {measure.name: measure.help for measure in numbers.measures}
    return [score_table(numbers, rule, f"Score, {rule}", helps[rule]) for rule in numbers.headline]


def _further_tables(numbers: Numbers) -> list[Table]:
    rest = [measure for measure in numbers.measures if measure.name not in numbers.headline]
    return [score_table(numbers, measure.name, measure.name, measure.help) for measure in rest]


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
