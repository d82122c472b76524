"""Options that several commands have: the model, how it remembers, and names in a list."""

from __future__ import annotations

from typing import Annotated

import typer

PolicyOption = Annotated[str, typer.Option(help="compression method")]
PolicyOptions = Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="an option of the method")]
BudgetOption = Annotated[str, typer.Option(help="what may be kept: 20%, 2048 tokens, 64MiB")]
MomentOption = Annotated[str, typer.Option(help="next_observation or prefill")]
WindowOption = Annotated[str, typer.Option(help="older screenshots: shrink, drop or recompute")]
HistoryOption = Annotated[int, typer.Option(min=1, help="screenshots held")]
ModelOption = Annotated[str, typer.Option(help="nano, a folder or a hub name")]
WorkersOption = Annotated[str, typer.Option(help="processes that play, each with a model: 1, 4, ray, or ray:2")]


def listed(text: str) -> tuple[str, ...]:
    """Names with commas between, each once, in order."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
