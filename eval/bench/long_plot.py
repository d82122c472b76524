"""The picture of `guikv bench long`: time, memory, record line and entries over the steps of an episode."""

from __future__ import annotations

from typing import Any

from eval.figures import COLOURS, MARKERS, legend, new_figure, png

PANELS = (
    ("cpu", "CPU s a step"),
    ("rss_mb", "resident MB"),
    ("line_bytes", "bytes of a record's line"),
    ("entries", "cached entries, all layers"),
)


def long_plot(result: dict[str, Any]) -> bytes:
    """A PNG with one panel for each measure, from zero, and one curve for each run."""
    figure = new_figure(9.0, 5.0)
    panels = figure.subplots(2, 2).flat
    for panel, (key, title) in zip(panels, PANELS, strict=True):
        for number, (name, run) in enumerate(result["runs"].items()):
            steps = [int(step) for step in run["at"]]
            values = [at[key] for at in run["at"].values()]
            panel.plot(steps, values, color=COLOURS[number], marker=MARKERS[number], label=name)
        panel.set_ylim(bottom=0)
        panel.set_title(title, fontsize=10)
        panel.set_xlabel("step", fontsize=9)
        panel.grid(alpha=0.25)
    legend(figure, figure.axes, lambda longest: len(result["runs"]))
    return png(figure)
