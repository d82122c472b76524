"""From a recorded run to its page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agent.errors import RecordError, RunError
from agent.report.charts import Series, lines, stacked
from agent.report.html import Raw, render
from agent.report.pictures import Pictures
from agent.report.views import PHASES, StepView, header_view, step_view
from agent.runs import Run
from agent.text import number, size
from guikv.files import replace_file

TITLE = "report.html"
PACKAGE = "agent.report"


LONG, BARS = 100, 200
"""Steps from which on a page takes its pictures from their files, and bars of a chart."""


def build_report(run: Run, out: Path | None = None, whole: bool = False) -> Path:
    """Write the page (by default into the run's folder) and return its path.

    whole: all pictures in the page itself, as they are anyway in a run of LONG steps or fewer
    Raises RunError and RecordError.
    """
    path = out or run.folder / TITLE
    html = render_html(run, None if whole or len(run.steps) <= LONG else path.absolute().parent)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Pages can hold half characters, which no encoding has.
        replace_file(path, html.encode(errors="replace"))
    except OSError as error:
        raise RecordError(f"the report {path} cannot be written: {error.strerror or error}") from error
    return path


def render_html(run: Run, links: Path | None = None) -> str:
    """The page's text. All that models and pages wrote is escaped. Raises RunError on a damaged step.

    links: the page's folder, where it takes pictures from their files: a browser reads them as one scrolls
    """
    pictures = Pictures(run.folder.absolute(), links)
    steps: list[StepView] = []
    for data in run.steps:
        pictures.register(data)
    seen: set[int] = set()
    for data in run.steps:
        seen |= {data["frame"]} if isinstance(data.get("frame"), int) else set()
        try:
            steps.append(step_view(data, pictures, len(seen)))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise RunError(f"step {data.get('step')} of {run.folder} is damaged: {error}") from error
    warnings = [*run.warnings, *pictures.warnings]
    return render(
        PACKAGE,
        "page.html.j2",
        head=header_view(run.header, steps),
        steps=steps,
        warnings=warnings,
        pictures=pictures.addresses(),
        linked=links is not None,
        phases=PHASES,
        charts=_charts(steps),
    )


def _charts(steps: list[StepView]) -> list[tuple[str, Raw]]:
    if not any(step.cost for step in steps):
        return []
    # Of a long run, a bar is the mean of several steps.
    each = -(-len(steps) // BARS)
    groups = [steps[first : first + each] for first in range(0, len(steps), each)]
    numbers = [group[0].number for group in groups]

    def series(label: str, css: str, read: Callable[[StepView], float]) -> Series:
        return Series(label, css, [sum(map(read, group)) / len(group) for group in groups])

    kept = [
        series("kept", "kv", lambda step: step.kv_bytes),
        series("full cache", "full", lambda step: step.full_kv_bytes),
    ]
    tokens = [
        series("new", "new", lambda step: step.tokens_first),
        series("computed again", "again", lambda step: step.tokens_recomputed),
        series("reused", "reused", lambda step: step.tokens_reused),
    ]
    times = [series(label, name, lambda step, name=name: step.seconds.get(name, 0.0)) for name, label in PHASES]  # type: ignore[misc]
    return [
        ("Memory of the cache", lines(numbers, kept, size)),
        ("Tokens of each step", stacked(numbers, tokens, number)),
        ("Seconds of each step", stacked(numbers, times, lambda value: f"{value:.2f} s")),
    ]
