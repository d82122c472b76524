"""How curves with intervals are drawn, whatever they show: colours, markers, log axes, the legend, the PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#882255")
"""Told apart with every kind of colour vision (Okabe and Ito; wine of Tol for their yellow, faint on white)."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
GREY, BLACK = "#777777", "#000000"
BASELINES = {"full": (BLACK, "-"), "random": (GREY, "--"), "recent_frames": (GREY, "-.")}
"""Policy → colour and line."""
DOTS = 110
"""Per inch."""

Style = dict[str, Any]


class OfPolicy(Protocol):
    """A series of a policy."""

    @property
    def policy(self) -> str: ...


S = TypeVar("S", bound=OfPolicy)


def styles_of(series: Iterable[S]) -> dict[S, Style]:
    """Full cache and baselines black or grey, everything else a colour and a marker of its own."""
    styles: dict[S, Style] = {}
    number = 0
    for one in series:
        if one.policy in BASELINES:
            colour, line = BASELINES[one.policy]
        else:
            colour, line = COLOURS[number % len(COLOURS)], ("-", "--", ":")[number // len(COLOURS) % 3]
            number += 1
        marker = MARKERS[len(styles) % len(MARKERS)]
        styles[one] = {"color": colour, "linestyle": line, "marker": marker, "linewidth": 1.5}
    return styles


def new_figure(width: float, height: float) -> Any:
    """In inches; drawn without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def bars(values: Sequence[tuple[float, float, float]], scale: float) -> list[list[float]]:
    """How far intervals go down and up, for `errorbar`. values: each with the ends of its interval."""
    down = [scale * max(0.0, value - low) for value, low, _ in values]
    return [down, [scale * max(0.0, high - value) for value, _, high in values]]


def curve(
    panel: Any, xs: Sequence[float], shares: Sequence[tuple[float, float, float]], label: str | None, style: Style
) -> None:
    """A line in percent. shares: each with the ends of its interval."""
    ys, ends = [100 * value for value, _, _ in shares], bars(shares, 100)
    panel.errorbar(xs, ys, yerr=ends, label=label, capsize=1.5, elinewidth=0.7, markersize=4.5, alpha=0.85, **style)


def log_ticks(
    panel: Any, low: float, high: float, ticks: Iterable[float], apart: float, show: Callable[[float], str]
) -> None:
    """Limits of a log axis, and of the rising ticks those in it, `apart` of its length from each other."""
    shown: list[float] = []
    for tick in ticks:
        if low <= tick <= high and (not shown or math.log(tick / shown[-1]) > apart * math.log(high / low)):
            shown.append(tick)
    panel.set_xlim(low, high)
    panel.set_xticks(shown, [show(tick) for tick in shown])
    panel.set_xticks([], minor=True)
    panel.tick_params(axis="x", labelsize=8)
    panel.grid(alpha=0.25)


def legend(figure: Any, panels: Iterable[Any], columns: Callable[[int], int]) -> None:
    """Below everything, each label once. columns: how many, by the length of the longest label."""
    handles: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    width = columns(max(map(len, handles), default=0))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=width, fontsize=9, frameon=False)


def png(figure: Any) -> bytes:
    """The file: the same numbers make the same one, without the version of matplotlib in it."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DOTS, metadata={"Software": None})
    return out.getvalue()
