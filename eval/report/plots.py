"""The plots of a report as PNG: score against bytes, share and budget, and what a step costs as it goes on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.text import plain
from eval.figures import BLACK, Style, bars, curve, legend, log_ticks, new_figure, png, styles_of
from eval.report.cells import ReportError
from eval.report.estimates import Estimate
from eval.report.numbers import SHARE, Entry, Numbers
from eval.report.series import FULL, budget_order
from guikv.budget import parse_budget

Place = Callable[[Entry], Estimate | None]
"""Where an entry stands on the horizontal axis; None for nowhere."""


@dataclass(frozen=True)
class Plot:
    """name: of the file, without .png"""

    name: str
    title: str
    caption: str
    png: bytes


def need_matplotlib() -> None:
    """Raises ReportError where it is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ReportError("the plots need matplotlib: pip install 'guikv[report]'") from error


def draw_all(numbers: Numbers, budget: str) -> list[Plot]:
    """Every plot that there is something for. Raises ReportError without matplotlib."""
    need_matplotlib()
    plots = [*(_scores(numbers, axis) for axis in _axes(numbers)), _steps(numbers, budget)]
    return [plot for plot in plots if plot is not None]


@dataclass(frozen=True)
class Axis:
    """What scores are drawn against. unit: of the ticks, `%` for shares of 1; dodge: draw policies beside each other,
    where they would hide each other"""

    name: str
    title: str
    caption: str
    label: str
    place: Place
    unit: str = ""
    dodge: bool = False


def _axes(numbers: Numbers) -> list[Axis]:
    units = {budget_order(budget)[0] for budget in numbers.sweep.budgets}
    budget = Axis(
        "score_budget",
        "Score against budget",
        "What a policy is told to keep; policies differ in the bytes they need for it. "
        "Points of one budget are drawn beside each other.",
        "budget",
        _amount,
        "%" if units == {0} else "",
        dodge=True,
    )
    return [*_AXES, *([budget] if len(units) == 1 else [])]


def _mebibytes(entry: Entry) -> Estimate | None:
    found = entry.costs.get("kv_bytes")
    return None if found is None else _scaled(found, 1 / 2**20)


def _scaled(estimate: Estimate, factor: float) -> Estimate:
    value, low, high = factor * estimate.value, factor * estimate.low, factor * estimate.high
    return Estimate(value, low, high, estimate.count, estimate.resamples)


def _amount(entry: Entry) -> Estimate | None:
    """Percentages as shares of 1."""
    if not entry.point.series.has_budget:
        return None
    budget = parse_budget(entry.point.budget)
    value = budget.amount / 100 if budget.unit == "percent" else budget.amount
    return Estimate(value, value, value, 1.0, np.full(1, value))


def _scores(numbers: Numbers, axis: Axis) -> Plot | None:
    """A panel for each rule; None where no entry has a place."""
    shown = [(entry, at) for entry in numbers.entries if (at := axis.place(entry)) is not None and at.value > 0]
    if not any(entry.point.series.has_budget for entry, _ in shown):
        return None
    # One panel alone still needs room for the legend below it.
    figure = new_figure(max(8.4, 5.6 * len(numbers.headline)), 4.4)
    panels = figure.subplots(1, len(numbers.headline), squeeze=False, sharey=True)[0]
    styles = styles_of(numbers.sweep.series)
    for panel, measure in zip(panels, numbers.headline, strict=True):
        for place, (series, style) in enumerate(styles.items()):
            aside = 1 + 0.012 * (place - len(styles) / 2) if axis.dodge else 1.0
            points = [(_scaled(at, aside), entry) for entry, at in shown if entry.point.series == series]
            label = None if series.policy == FULL else _label(series.label)
            _line(panel, points, measure, label, style)
        _full_lines(panel, numbers, measure)
        panel.set(title=measure, xscale="log", xlabel=axis.label)
        _ticks(panel, [at for _, at in shown], axis.unit)
    panels[0].set_ylabel("score, %")
    legend(figure, panels, _columns)
    return Plot(axis.name, axis.title, axis.caption, png(figure))


def _line(panel: Any, points: Sequence[tuple[Estimate, Entry]], measure: str, label: str | None, style: Style) -> None:
    there = [(at.bounds, entry.measures[measure].bounds) for at, entry in points if measure in entry.measures]
    if not there:
        return
    there.sort(key=lambda pair: pair[0][0])
    places, scores = zip(*there, strict=True)
    xs, ys = [place[0] for place in places], [100 * score[0] for score in scores]
    panel.errorbar(xs, ys, xerr=bars(places, 1), fmt="none", ecolor=style["color"], elinewidth=0.6, alpha=0.35)
    curve(panel, xs, scores, label, style)


def _full_lines(panel: Any, numbers: Numbers, measure: str) -> None:
    """The full cache across the panel, with its interval."""
    for entry in numbers.entries:
        if entry.point.series.policy == FULL and measure in entry.measures:
            score = entry.measures[measure]
            label = _label(entry.point.series.label)
            panel.axhline(100 * score.value, color=BLACK, linewidth=1.1, label=f"{label} (95 % shaded)")
            panel.axhspan(100 * score.low, 100 * score.high, color=BLACK, alpha=0.06, linewidth=0)


def _ticks(panel: Any, values: Sequence[Estimate], unit: str) -> None:
    """The values themselves where they are few, else round ones; a narrow log axis would get none by itself."""
    from matplotlib.ticker import MaxNLocator

    low = min(value.low if value.low > 0 else value.value for value in values)
    high = max(value.high for value in values)
    room = max((high / low) ** 0.04, 1.03)
    low, high = low / room, high * room
    distinct = sorted({value.value for value in values})
    exact = all(value.low == value.high for value in values)
    ticks = distinct if exact else _round(low, high) if high > 8 * low else MaxNLocator(7).tick_values(low, high)
    scale = 100 if unit == "%" else 1
    log_ticks(panel, low, high, ticks, 0.07, lambda tick: f"{scale * tick:.3g} {unit}".rstrip())


def _round(low: float, high: float) -> list[float]:
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [step * 10.0**exponent for exponent in exponents for step in (1, 1.5, 2, 3, 4, 5, 7)]


_PANELS: tuple[tuple[str, str, float, str], ...] = (
    ("tokens_new", "tokens computed", 1.0, ""),
    ("kv_bytes", "KV bytes, MiB", 2.0**20, "full_kv_bytes"),
    ("flops", "FLOPs, 10⁹", 1e9, "flops_stateless"),
    ("seconds", "seconds", 1.0, ""),
)
"""Cost, title, unit, and the stateless protocol's figure."""


def _steps(numbers: Numbers, budget: str) -> Plot | None:
    """A panel for each cost; None where no trajectory has a second step, or nothing was computed."""
    found = [numbers.of(numbers.sweep.at(series, budget)) for series in numbers.sweep.series]
    entries = [entry for entry in found if entry is not None and len(entry.by_step) > 1]
    if not entries:
        return None
    styles = styles_of(numbers.sweep.series)
    figure = new_figure(11.2, 6.8)
    panels = figure.subplots(2, 2).flatten()
    for panel, (cost, title, unit, stateless) in zip(panels, _PANELS, strict=True):
        for entry in entries:
            steps = list(entry.by_step)
            values = [entry.by_step[step].get(cost, 0.0) / unit for step in steps]
            panel.plot(
                steps, values, label=_label(entry.point.series.label), markersize=3.5, **styles[entry.point.series]
            )
        if stateless:
            reference = next((one for one in entries if one.point.series.policy == FULL), entries[0])
            values = [costs.get(stateless, 0.0) / unit for costs in reference.by_step.values()]
            panel.plot(list(reference.by_step), values, color=BLACK, linestyle=":", linewidth=1.6, label="stateless")
        panel.set(title=title, ylim=(0, 1.08 * panel.dataLim.y1 or 1))
        panel.grid(alpha=0.25)
        panel.xaxis.get_major_locator().set_params(integer=True)
    for panel in panels[2:]:
        panel.set_xlabel("step")
    legend(figure, panels, _columns)
    last = max(entries[0].by_step)
    count = entries[0].by_step[last]["trajectories"]
    caption = (
        f"Means at {budget or 'no budget'} over the trajectories that have the step ({count:g} have step {last}). "
        "Dotted: the stateless protocol, which computes its whole prompt anew and holds all of it."
    )
    return Plot("cost_steps", "Cost of a step as the episode goes on", caption, png(figure))


_AXES = (
    Axis(
        "score_bytes",
        "Score against KV bytes",
        "Mean KV bytes in the cache at the end of a step: left is cheaper, up is better. "
        "Bars are 95 % intervals; those of the bytes come from trajectories of different lengths.",
        "KV bytes per step, MiB",
        _mebibytes,
    ),
    Axis(
        "score_share",
        "Score against the share of the full cache",
        "The same, with KV bytes as a share of what the stateless protocol's full cache holds at the same steps.",
        "KV bytes, share of the full cache",
        lambda entry: entry.costs.get(SHARE),
        "%",
    ),
)


def _columns(longest: int) -> int:
    return 5 if longest < 24 else 3


def _label(text: str) -> str:
    """Settings are not formulas."""
    return plain(text, 60).replace("$", r"\$")
