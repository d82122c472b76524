"""Marks on a screenshot that show what was done, as SVG in the screenshot's own pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.report.html import Raw, marks_svg
from envs.actions import load_action

_ARROW = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="4" markerHeight="4" '
    'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="context-stroke"/></marker></defs>'
)


def marker_svg(actions: Sequence[Mapping[str, Any]], width: int, height: int) -> Raw:
    """Rings for clicks, arrows for drags and scrolls. Raises ValueError on a damaged action."""
    unit = max(min(width, height) / 28, 1.0)
    shapes = "".join(_shapes(data, width, height, unit) for data in actions)
    # Only numbers formatted here get into the SVG, so there is nothing to escape.
    return marks_svg(_TIP + shapes if shapes else "", width, height)


def _shapes(data: Mapping[str, Any], width: int, height: int, unit: float) -> str:
    action = load_action(data["executed"] or data["wanted"])
    tone = "ok" if data.get("executed") else "undone"
    points = [(float(x), float(y)) for x, y in data.get("points") or []]
    if action.type == "scroll":
        x, y = points[0] if points else (width / 2, height / 2)
        dx, dy = _ARROW[action.direction]
        length = 4 * unit
        start, end = (x - dx * length / 2, y - dy * length / 2), (x + dx * length, y + dy * length)
        return _path([start, end], tone, unit)
    if len(points) > 1:
        return _ring(points[0], 0.5 * unit, tone, unit) + _path(points, tone, unit)
    if not points:
        return ""
    rings = action.count if action.type == "click" else 1
    drawn = "".join(_ring(points[0], unit * (0.8 + 0.45 * ring), tone, unit) for ring in range(rings))
    return drawn + _dot(points[0], 0.22 * unit, tone)


def _ring(point: tuple[float, float], radius: float, tone: str, unit: float) -> str:
    place = f'cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="{radius:.1f}"'
    wide, thin = 0.34 * unit, 0.2 * unit
    return (
        f'<circle class="halo" {place} stroke-width="{wide:.2f}"/>'
        f'<circle class="mark {tone}" {place} stroke-width="{thin:.2f}"/>'
    )


def _dot(point: tuple[float, float], radius: float, tone: str) -> str:
    return f'<circle class="dot {tone}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="{radius:.1f}"/>'


def _path(points: Sequence[tuple[float, float]], tone: str, unit: float) -> str:
    way = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return (
        f'<path class="halo" d="{way}" stroke-width="{0.45 * unit:.2f}"/>'
        f'<path class="mark {tone}" d="{way}" stroke-width="{0.28 * unit:.2f}" marker-end="url(#tip)"/>'
    )
