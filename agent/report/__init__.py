"""The HTML page of a run: no scripts, nothing from elsewhere; of a long run, pictures from its folder."""

from agent.report.build import build_report, render_html

__all__ = ["build_report", "render_html"]
