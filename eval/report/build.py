"""From a sweep's folder to its page and plots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eval.report.as_json import numbers_as_json
from eval.report.cells import ReportError, read_sweep
from eval.report.numbers import evaluate_sweep, measures_of
from eval.report.page import Shown, render
from eval.report.planned import shortfall
from eval.report.plots import Plot, draw_all, need_matplotlib
from eval.report.series import Sweep, join
from eval.report.shots import find
from eval.report.step_view import looks
from eval.report.worst import worst_steps
from eval.sweep.plan import plain_budget
from guikv.files import make_folder, replace_file

PAGE, PLOTS = "report.html", "plots"
USUAL = "20%"
"""The budget that is looked at in detail, where there is one."""

Told = Callable[[str], None]


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
class Built:
    """page: the file; plots: beside it; numbers: for programs"""

    page: Path
    plots: tuple[Path, ...]
    numbers: dict[str, Any]


def build_report(
    folder: Path, wanted: Wanted = Wanted(), out: Path | None = None, told: Told = lambda _: None
) -> Built:
    """Write page and plots, by default into the sweep's folder. `told` hears what is being done.

    Raises ReportError, DataError and RowsError, which name what is wrong and where.
    """
    need_matplotlib()
    cells = read_sweep(folder, lambda name: told(f"reading {name}"))
    sweep = join(cells)
    sweep = replace(sweep, warnings=(*shortfall(folder, cells), *sweep.warnings))
    budget = detailed_budget(sweep, wanted.budget)
    numbers = evaluate_sweep(sweep, measures_of(sweep.benchmark), lambda name: told(f"evaluated {name}"))
    told("drawing")
    plots = draw_all(numbers, budget)
    told("looking for pictures")
    shown = _shown(sweep, wanted)
    page = out or folder / PAGE
    html = render(folder, numbers, plots, shown, budget)
    return Built(page, _write(page, html, plots), numbers_as_json(numbers, shown.looks))


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
    return Shown(tuple(looks(sweep, selection.steps, data)), selection.against_full, data.problem)


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
