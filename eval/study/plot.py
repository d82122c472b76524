"""Success against bytes, one small picture per task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from eval.figures import BASELINES, BLACK, GREY, curve, legend, log_ticks, new_figure, png, styles_of
from eval.study.curves import Curve, Curves, Point
from eval.study.presets import CORRECTED, CORRECTED_PREFILL, RELEASED, TASKS, UNPROTECTED, Arm, Series, series_of
from guikv.files import replace_file

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
    columns = min(3, len(tasks))
    rows = math.ceil(len(tasks) / columns)
    figure = new_figure(4.2 * columns + 0.4, 3.0 * rows + 1.9)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).flatten()
    styles = styles_of(series)
    for one, style in styles.items():
        if one.policy in BASELINES and one.moment != "next_observation":
            style["color"] = "#BBBBBB"
    for panel, task in zip(panels, tasks, strict=False):
        drawn = {one: _drawn(curves[one].get(task, ()), axis) for one in series}
        for one, points in drawn.items():
            if points:
                shares = [(p.success, *p.interval) for _, p in points]
                curve(panel, [x for x, _ in points], shares, one.label, styles[one])
        chance = next(c[task][0].chance for s, c in curves.items() if s in styles and task in c)
        panel.axhline(100 * chance, color=BLACK, linestyle=":", linewidth=1.2)
        panel.annotate("chance", (0.01, 100 * chance), xycoords=("axes fraction", "data"), fontsize=7, va="bottom")
        panel.set(title=task, ylim=(-3, 103), xscale="log")
        _place_ticks(panel, [x for points in drawn.values() for x, _ in points])
    for panel in panels[len(tasks) :]:
        panel.axis("off")
    figure.suptitle(title, fontsize=13)
    for panel in panels[: len(tasks)][-columns:]:
        panel.set_xlabel(AXES[axis], fontsize=8)
    figure.supylabel("episodes solved, %", fontsize=10)
    legend(figure, panels, lambda longest: 4 if columns > 1 and longest < 28 else 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, png(figure))


def _place_ticks(panel: Any, xs: Sequence[float]) -> None:
    """Round percentages, few enough to be read; a narrow log axis would get none by itself."""
    low, high = min(xs), max(xs)
    if high / low < 1.02:
        low, high = 0.5 * low, 2 * high
        panel.annotate("nothing is evicted", (0.5, 0.5), xycoords="axes fraction", fontsize=8, ha="center", color=GREY)
    room = (high / low) ** 0.06
    log_ticks(panel, low / room, high * room, TICKS, 0.11, lambda tick: f"{100 * tick:g} %")


def _drawn(curve: Curve, axis: Axis) -> list[tuple[float, Point]]:
    """The points that have a place on a log axis."""
    places = [(p.fraction if axis == "all" else p.past, p) for p in curve]
    return sorted(((x, p) for x, p in places if x > 0), key=lambda pair: pair[0])
