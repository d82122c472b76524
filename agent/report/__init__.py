"""The HTML page of a run: one file, no scripts, nothing loaded from elsewhere."""

from agent.report.build import build_report, render_html

__all__ = ["build_report", "render_html"]
