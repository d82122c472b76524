"""Tables of the page: rows are policies, columns budgets, action types, splits or costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from agent.text import number
from eval.report.estimates import Estimate, difference
from eval.report.numbers import SECONDS, SHARE, WORK, Entry, Numbers
from eval.report.series import ANY, Point, Sweep


@dataclass(frozen=True)
class Figure:
    """A cell of a table. interval: its 95 %; change: difference to the full cache, in points

    tone: `less` or `more` where the interval of the difference leaves out 0; best: the best of its column
    """

    value: str = "–"
    interval: str = ""
    change: str = ""
    tone: str = ""
    best: bool = False
    span: int = 1


@dataclass(frozen=True)
class Table:
    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Figure, ...]], ...]


def score_table(numbers: Numbers, measure: str, title: str, note: str) -> Table:
    """Policies and budgets, as in the paper; what has no budget is the same at all."""
    budgets = numbers.sweep.budgets
    best = {budget: _best(numbers, measure, budget) for budget in budgets}
    rows = []
    for series in numbers.sweep.series:
        if series.has_budget:
            points = [numbers.sweep.at(series, budget) for budget in budgets]
            figures = tuple(_score(numbers, one, measure, best) for one in points)
        else:
            one = _score(numbers, numbers.sweep.at(series, ANY), measure, {})
            figures = (replace(one, span=max(len(budgets), 1)),)
        rows.append((series.label, figures))
    return Table(title, note, budgets or ("score",), tuple(rows))


def group_table(
    numbers: Numbers,
    groups: Callable[[Entry], Mapping[str, Estimate]],
    budget: str,
    title: str,
    names: Mapping[str, str] | None = None,
) -> Table:
    """Scores by action type or split at one budget. Columns say how many steps each group has."""
    shown = [(series, numbers.of(numbers.sweep.at(series, budget))) for series in numbers.sweep.series]
    entries = [(series, entry) for series, entry in shown if entry is not None]
    counts: dict[str, int] = {}
    for _, entry in entries:
        for name, estimate in groups(entry).items():
            counts.setdefault(name, round(estimate.count / len(entry.point.cells)))
    rows = []
    for series, entry in entries:
        full = numbers.of_full(entry.point)
        against = groups(full) if full is not None and full is not entry else {}
        own = groups(entry)
        lost = {name: difference(own[name], against[name]) for name in own if name in against}
        rows.append((series.label, tuple(_figure(own.get(name), lost.get(name)) for name in counts)))
    columns = tuple(f"{(names or {}).get(name, name) or '–'} (n={count})" for name, count in counts.items())
    return Table(title, "", columns, tuple(rows))


COST_COLUMNS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("kv_bytes", "KV MiB", lambda value: f"{value / 2**20:#.3g}".rstrip(".")),
    (SHARE, "of full", lambda value: f"{100 * value:.1f} %"),
    ("tokens_new", "tokens computed", number),
    ("tokens_recomputed", "of them again", number),
    ("tokens_reused", "reused", number),
    ("tokens_generated", "written", number),
    ("flops", "GFLOPs", lambda value: f"{value / 1e9:,.1f}".replace(",", " ")),
    (WORK, "of stateless", lambda value: f"{100 * value:.1f} %"),
    (SECONDS, "seconds", lambda value: f"{value:.2f}"),
)
"""Figure, heading and how it is written."""


def cost_table(numbers: Numbers) -> Table | None:
    """Means over steps, a row for each policy and budget; None where nothing was computed."""
    entries = [entry for entry in numbers.entries if entry.costs]
    if not entries:
        return None
    rows = []
    for entry in entries:
        scores = tuple(_figure(entry.measures.get(name)) for name in numbers.headline)
        found = [(entry.costs.get(name), show) for name, _, show in COST_COLUMNS]
        costs = tuple(Figure() if cost is None else Figure(show(cost.value)) for cost, show in found)
        rows.append((entry.point.label, (*scores, *costs)))
    columns = (*numbers.headline, *(heading for _, heading, _ in COST_COLUMNS))
    return Table("Means over all steps", "", columns, tuple(rows))


def outcome_table(sweep: Sweep, scores: Mapping[Point, float]) -> Table:
    """A step's score under every policy and budget."""
    budgets = sweep.budgets
    rows = []
    for series in sweep.series:
        found = [sweep.at(series, budget) for budget in (budgets if series.has_budget else (ANY,))]
        span = 1 if series.has_budget else max(len(budgets), 1)
        figures = [Figure(f"{scores[one]:.2f}", span=span) if one is not None else Figure() for one in found]
        rows.append((series.label, tuple(figures)))
    return Table("", "", budgets or ("score",), tuple(rows))


def _score(numbers: Numbers, point: Point | None, measure: str, best: Mapping[str, Point | None]) -> Figure:
    entry = numbers.of(point)
    if entry is None or point is None:
        return Figure()
    return _figure(entry.measures.get(measure), entry.to_full.get(measure), best.get(point.budget) is point)


def _figure(estimate: Estimate | None, lost: Estimate | None = None, best: bool = False) -> Figure:
    """lost: against the full cache."""
    if estimate is None:
        return Figure()
    interval = f"{percent(estimate.low)}–{percent(estimate.high)}"
    return Figure(percent(estimate.value), interval, *_change(lost), best)


def _change(lost: Estimate | None) -> tuple[str, str]:
    """In points, with its sign; the tone says whether it can be chance."""
    if lost is None:
        return "", ""
    text = f"{100 * lost.value:+.1f}"
    if text in ("+0.0", "-0.0"):
        return "0.0", ""
    tone = "less" if lost.high < 0 else "more" if lost.low > 0 else ""
    return text.replace("-", "−"), tone


def _best(numbers: Numbers, measure: str, budget: str) -> Point | None:
    """The highest of a budget's policies, where there is one alone."""
    found = [
        (entry.measures[measure].value, entry.point)
        for entry in numbers.entries
        if entry.point.budget == budget and measure in entry.measures
    ]
    top = max((value for value, _ in found), default=0.0)
    leading = [one for value, one in found if value == top]
    return leading[0] if len(leading) == 1 and len(found) > 1 else None


def percent(value: float) -> str:
    return f"{100 * value:.1f}"
