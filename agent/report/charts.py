"""Small charts over the steps of a run, as SVG that follows the page's colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import escape

from agent.report.html import Raw

WIDTH, HEIGHT = 420, 170
LEFT, RIGHT, TOP, BOTTOM = 66, 8, 10, 22


@dataclass(frozen=True)
class Series:
    """`css` is the colour class of the style sheet."""

    label: str
    css: str
    values: Sequence[float]


Format = Callable[[float], str]


def lines(steps: Sequence[int], series: Sequence[Series], show: Format) -> Raw:
    """A line for each series, the area below the first one filled."""
    top = _ceiling(max((value for one in series for value in one.values), default=0.0))
    body = _axes(steps, top, show)
    for index, one in enumerate(series):
        places = [(_x(i, len(steps)), _y(value, top)) for i, value in enumerate(one.values)]
        way = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        if index == 0 and places:
            floor = _y(0, top)
            under = f"M{places[0][0]:.1f} {floor}L{way}L{places[-1][0]:.1f} {floor}z"
            body += f'<path class="area {one.css}" d="{under}"/>'
        body += f'<path class="line {one.css}" d="M{way}"/>'
        body += "".join(
            f'<circle class="point {one.css}" cx="{x:.1f}" cy="{y:.1f}" r="2.5">'
            f"<title>step {step}: {escape(one.label)} {escape(show(value))}</title></circle>"
            for (x, y), step, value in zip(places, steps, one.values, strict=True)
        )
    return _svg(body, series)


def stacked(steps: Sequence[int], series: Sequence[Series], show: Format) -> Raw:
    """A bar for each step, the series on top of each other."""
    used = [one for one in series if any(one.values)]
    top = _ceiling(max((sum(one.values[i] for one in used) for i in range(len(steps))), default=0.0))
    body = _axes(steps, top, show)
    width = min(28.0, 0.72 * (WIDTH - LEFT - RIGHT) / max(len(steps), 1))
    for i, step in enumerate(steps):
        below = 0.0
        for one in used:
            value = one.values[i]
            y, bottom = _y(below + value, top), _y(below, top)
            below += value
            body += (
                f'<rect class="bar {one.css}" x="{_x(i, len(steps)) - width / 2:.1f}" y="{y:.1f}" '
                f'width="{width:.1f}" height="{max(bottom - y, 0):.1f}">'
                f"<title>step {step}: {escape(one.label)} {escape(show(value))}</title></rect>"
            )
    return _svg(body, used)


def _svg(body: str, series: Sequence[Series]) -> Raw:
    keys = "".join(f'<span><i class="bar {one.css}"></i>{escape(one.label)}</span>' for one in series)
    drawing = f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{body}</svg>'
    return Raw(f'{drawing}<p class="legend keys">{keys}</p>')


def _axes(steps: Sequence[int], top: float, show: Format) -> str:
    out = ""
    for part in (0.0, 0.5, 1.0):
        y = _y(part * top, top)
        out += f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        out += _tick(LEFT - 6, y + 3.5, "end", show(part * top))
    every = max(1, -(-len(steps) // 12))
    for i, step in enumerate(steps):
        if i % every == 0:
            out += _tick(_x(i, len(steps)), HEIGHT - BOTTOM + 14, "middle", str(step))
    return out


def _tick(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _x(index: int, count: int) -> float:
    return LEFT + (index + 0.5) * (WIDTH - LEFT - RIGHT) / max(count, 1)


def _y(value: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)


def _ceiling(value: float) -> float:
    return value * 1.05 if value > 0 else 1.0
