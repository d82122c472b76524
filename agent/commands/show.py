"""`guikv show`: the page of a recorded run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def show(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    out: Annotated[Path | None, typer.Option("--out", help="Write the page here instead.")] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Put all pictures into the page, also those of a long run.")
    ] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open it in the default browser.")] = False,
) -> None:
    """Build one HTML page from a recorded run, and print its path.

    Example: guikv show runs/20260101-120000-open-the-first-link --open

    The page needs nothing beside itself: pictures are in it (scaled down to 1280 pixels), and it runs no
    scripts. Of a run of more than 100 steps the pictures stay in its folder and are read as one scrolls,
    unless --whole puts them in. A run that was cut off is shown up to where it got.
    """
    from agent.report import build_report
    from agent.runs import load_run

    loaded = load_run(run)
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    path = build_report(loaded, out, whole)
    typer.echo(str(path))
    if open_page:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
