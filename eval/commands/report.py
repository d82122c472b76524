"""`guikv report`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from eval.options import JsonOption


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a sweep (--out of guikv replay).", metavar="DIR")],
    out: Annotated[Path | None, typer.Option("--out", help="write the page here instead; plots go beside it")] = None,
    budget: Annotated[str, typer.Option(help="the budget to look at in detail; empty: 20%, or the middle one")] = "",
    worst: Annotated[int, typer.Option(min=0, max=100, help="steps to show with their pictures, at most")] = 12,
    path: Annotated[Path | None, typer.Option(help="the benchmark's data, if they are elsewhere now")] = None,
    images: Annotated[Path | None, typer.Option(help="its images, if they are elsewhere now")] = None,
    as_json: JsonOption = False,
    open_page: Annotated[bool, typer.Option("--open", help="open the page in the default browser")] = False,
) -> None:
    """One HTML page from a sweep: scores against budget and bytes, costs, tables, and the worst steps with pictures.

    Example: guikv report runs/replay --budget 10% --open

    The page needs nothing beside itself and runs no scripts; the plots also lie beside it as PNG.
    An unfinished sweep is shown up to where it got.
    """
    from rich.console import Console

    from eval.report.build import Wanted, build_report

    wanted = Wanted(budget, worst, path, images)
    with Console(stderr=True).status("report") as status:
        built = build_report(folder, wanted, out, lambda what: status.update(f"report: {what}"))
    if as_json:
        files = {"page": str(built.page), "plots": [str(plot) for plot in built.plots]}
        typer.echo(json.dumps({**files, **built.numbers}, indent=1))
    else:
        for warning in built.numbers["warnings"]:
            typer.echo(f"warning: {warning}", err=True)
        typer.echo(str(built.page))
    if open_page:
        import webbrowser

        webbrowser.open(built.page.resolve().as_uri())
