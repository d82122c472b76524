"""From a recorded run to its page."""

from __future__ import annotations

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


def build_report(run: Run, out: Path | None = None) -> Path:
    """Write the page (by default into the run's folder) and return its path.

    Raises RunError and RecordError.
    """
    path = out or run.folder / TITLE
    html = render_html(run)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Pages can hold half characters, which no encoding has.
        replace_file(path, html.encode(errors="replace"))
    except OSError as error:
        raise RecordError(f"the report {path} cannot be written: {error.strerror or error}") from error
    return path


def render_html(run: Run) -> str:
    """The page's text. All that models and pages wrote is escaped. Raises RunError on a damaged step."""
    pictures = Pictures(run.folder)
    steps: list[StepView] = []
    for data in run.steps:
        pictures.register(data)
    for data in run.steps:
        try:
            steps.append(step_view(data, pictures))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise RunError(f"step {data.get('step')} of {run.folder} is damaged: {error}") from error
    warnings = [*run.warnings, *pictures.warnings]
    return render(
        PACKAGE,
        "page.html.j2",
        head=header_view(run.header, steps),
        steps=steps,
        warnings=warnings,
        pictures=pictures.embedded(),
        phases=PHASES,
        charts=_charts(steps),
    )


def _charts(steps: list[StepView]) -> list[tuple[str, Raw]]:
    numbers = [step.number for step in steps]
    if not any(step.cost for step in steps):
        return []
    kept = [
        Series("kept", "kv", [step.kv_bytes for step in steps]),
        Series("full cache", "full", [step.full_kv_bytes for step in steps]),
    ]
    tokens = [
        Series("new", "new", [step.tokens_first for step in steps]),
        Series("computed again", "again", [step.tokens_recomputed for step in steps]),
        Series("reused", "reused", [step.tokens_reused for step in steps]),
    ]
    times = [Series(label, name, [step.seconds.get(name, 0.0) for step in steps]) for name, label in PHASES]
    return [
        ("Memory of the cache", lines(numbers, kept, size)),
        ("Tokens of each step", stacked(numbers, tokens, number)),
        ("Seconds of each step", stacked(numbers, times, lambda value: f"{value:.2f} s")),
    ]
