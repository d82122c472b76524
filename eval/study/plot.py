"""Success against bytes, one small picture per task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from eval.study.curves import Curve, Curves, Point
from eval.study.presets import (
    CORRECTED,
    CORRECTED_PREFILL,
    RELEASED,
    TASKS,
    UNPROTECTED,
    Arm,
    Series,
    series_of,
)
from guikv.files import replacing

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#882255")
"""Told apart with every kind of colour vision (Okabe and Ito; wine of Tol for their yellow, faint on white)."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
GREY, BLACK = "#777777", "#000000"
BASELINES = ("random", "recent_frames", "full")

TICKS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0)

Axis = Literal["all", "past"]
AXES: dict[Axis, str] = {
    "all": "KV bytes, share of the full cache",
    "past": "KV bytes of earlier screens and text, share of the full cache's",
}
TITLES: dict[str, str] = {
    "main": "How much memory does each task need? Success against KV bytes",
    "moments": "When to compress: before acting, or once the next screen is there",
    "windows": "What becomes of screens older than the last three",
    "options": "GUI-KV's options, released and corrected",
}


def plot_part(curves: Curves, part: str, path: Path, axis: Axis = "all") -> bool:
    """Write the PNG of one part of the study; False where there is nothing to draw.

    Random choice and recent frames are always drawn; tasks that few of the part's series were played on are not.
    """
    own = _shown(part)
    extra = [Arm(name).series for name in ("random", "recent_frames") if name not in {s.policy for s in own}]
    series = [s for s in (*own, *extra) if s in curves]
    there = [s for s in own if s in curves]
    tasks = [t for t in TASKS if 2 * sum(t in curves[s] for s in there) > len(there)]
    if axis == "past":
        tasks = [t for t in tasks if any(_drawn(curves[s].get(t, ()), axis) for s in series)]
    if not tasks:
        return False
    draw(curves, series, tasks, path, TITLES[part], axis)
    return True


def _shown(part: str) -> list[Series]:
    if part != "options":
        return series_of(part)
    # Single options lie on top of each other: the table has them.
    return [a.series for a in (Arm("gui_kv"), RELEASED, UNPROTECTED, CORRECTED, CORRECTED_PREFILL)]


def draw(curves: Curves, series: Sequence[Series], tasks: Sequence[str], path: Path, title: str, axis: Axis) -> None:
    """One panel per task, one line per series, bars for the 95 % interval, chance dotted."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(3, len(tasks))
    rows = math.ceil(len(tasks) / columns)
    figure = Figure(figsize=(4.2 * columns + 0.4, 3.0 * rows + 1.9), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).flatten()
    styles = _styles(series)
    for panel, task in zip(panels, tasks, strict=False):
        for one in series:
            points = _drawn(curves[one].get(task, ()), axis)
            if points:
                _line(panel, points, one.label, styles[one])
        chance = next(c[task][0].chance for s, c in curves.items() if s in styles and task in c)
        panel.axhline(100 * chance, color=BLACK, linestyle=":", linewidth=1.2)
        panel.annotate("chance", (0.01, 100 * chance), xycoords=("axes fraction", "data"), fontsize=7, va="bottom")
        panel.set(title=task, ylim=(-3, 103), xscale="log")
        _place_ticks(panel, [x for one in series for x, _ in _drawn(curves[one].get(task, ()), axis)])
        panel.tick_params(axis="x", labelsize=8)
        panel.grid(alpha=0.25)
    for panel in panels[len(tasks) :]:
        panel.axis("off")
    handles: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.suptitle(title, fontsize=13)
    for panel in panels[: len(tasks)][-columns:]:
        panel.set_xlabel(AXES[axis], fontsize=8)
    figure.supylabel("episodes solved, %", fontsize=10)
    width = 2 if columns == 1 else 4 if max(map(len, handles), default=0) < 28 else 2
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=width, fontsize=9, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)


def _place_ticks(panel: Any, xs: Sequence[float]) -> None:
    """Round percentages, few enough to be read; a narrow log axis would get none by itself."""
    low, high = min(xs), max(xs)
    if high / low < 1.02:
        low, high = 0.5 * low, 2 * high
        panel.annotate("nothing is evicted", (0.5, 0.5), xycoords="axes fraction", fontsize=8, ha="center", color=GREY)
    room = (high / low) ** 0.06
    low, high = low / room, high * room
    shown: list[float] = []
    for tick in TICKS:
        near = math.log(tick / shown[-1]) / math.log(high / low) < 0.11 if shown else False
        if low <= tick <= high and not near:
            shown.append(tick)
    panel.set_xlim(low, high)
    panel.set_xticks(shown, [f"{100 * x:g} %" for x in shown])
    panel.set_xticks([], minor=True)


def _drawn(curve: Curve, axis: Axis) -> list[tuple[float, Point]]:
    """The points that have a place on a log axis."""
    places = [(p.fraction if axis == "all" else p.past, p) for p in curve]
    return sorted(((x, p) for x, p in places if x > 0), key=lambda pair: pair[0])


def _line(panel: Any, points: list[tuple[float, Point]], label: str, style: dict[str, Any]) -> None:
    xs = [x for x, _ in points]
    ys = [100 * p.success for _, p in points]
    bars = [[100 * max(0.0, p.success - p.interval[0]) for _, p in points]]
    bars.append([100 * max(0.0, p.interval[1] - p.success) for _, p in points])
    panel.errorbar(xs, ys, yerr=bars, label=label, capsize=1.5, elinewidth=0.7, markersize=4.5, alpha=0.85, **style)


def _styles(series: Sequence[Series]) -> dict[Series, dict[str, Any]]:
    """Baselines are grey or black and broken, everything else has a colour and a marker of its own."""
    styles: dict[Series, dict[str, Any]] = {}
    number = 0
    for one in series:
        marker = MARKERS[len(styles) % len(MARKERS)]
        if one.policy in BASELINES:
            colour = BLACK if one.policy == "full" else GREY
            line = "-" if one.policy == "full" else "--" if one.policy == "random" else "-."
            if one.moment != "next_observation":
                colour = "#BBBBBB"
        else:
            colour, line = COLOURS[number % len(COLOURS)], "-" if number < len(COLOURS) else "--"
            number += 1
        styles[one] = {"color": colour, "linestyle": line, "marker": marker, "linewidth": 1.4}
    return styles
