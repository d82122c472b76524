"""Options that several commands have, names in a list, and how a result is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.errors import ConfigError

PolicyOption = Annotated[str, typer.Option(help="compression method")]
PolicyOptions = Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="an option of the method")]
BudgetOption = Annotated[str, typer.Option(help="what may be kept: 20%, 2048 tokens, 64MiB")]
MomentOption = Annotated[str, typer.Option(help="next_observation or prefill")]
WindowOption = Annotated[str, typer.Option(help="older screenshots: shrink, drop or recompute")]
PositionsOption = Annotated[str, typer.Option(help="of what stays: keep, or compact to close gaps")]
HistoryOption = Annotated[int, typer.Option(min=1, help="screenshots held")]
ModelOption = Annotated[str, typer.Option(help="nano, a folder or a hub name")]
WorkersOption = Annotated[str, typer.Option(help="processes that play, each with a model: 1, 4, ray, or ray:2")]
ThreadsOption = Annotated[int, typer.Option(min=1, help="CPU threads; small models are fastest with one")]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")]

_DATA = "Data"
PathOption = Annotated[
    Path | None,
    typer.Option(
        "--path", help="Annotations; else the benchmark's environment variable says where.", rich_help_panel=_DATA
    ),
]
ImagesOption = Annotated[
    Path | None,
    typer.Option("--images", help="Folder of the images; else its variable, else beside them.", rich_help_panel=_DATA),
]
SplitsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--splits", "--split", metavar="NAMES", help="Only these, with commas between.", rich_help_panel=_DATA
    ),
]
OptionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="KEY=VALUE", help="Of the benchmark, e.g. level=low; repeatable.", rich_help_panel=_DATA
    ),
]
LimitOption = Annotated[int | None, typer.Option(min=1, help="Trajectories, at most.", rich_help_panel=_DATA)]


def listed(text: str) -> tuple[str, ...]:
    """Names with commas between, each once, in order."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def chosen(text: str, known: Iterable[str], missing: str) -> tuple[str, ...]:
    """The names of a list, all of them known. Raises ConfigError that begins with `missing` for one that is not."""
    names = listed(text)
    for name in names:
        if name not in known:
            raise ConfigError(f"{missing} {name!r}", f"there are {', '.join(known)}")
    return names


def numbers(text: str, option: str) -> tuple[int, ...]:
    """`16,100` → numbers of at least 1. Raises ConfigError."""
    try:
        found = tuple(int(each) for each in listed(text))
    except ValueError:
        found = ()
    if not found or min(found) < 1 or max(found) > 10**5:
        raise ConfigError(f"{option} {text!r}", "write whole numbers from 1 on, with commas between: 16,100")
    return found


def show(result: Any, as_json: bool, *parts: Callable[[Any], Any]) -> None:
    """Print a result as JSON and nothing else, or what the parts make of it: tables, lines."""
    if as_json:
        typer.echo(json.dumps(result, indent=1))
        return
    from rich.console import Console

    console = Console()
    for part in parts:
        made = part(result)
        console.print(made, highlight=False, soft_wrap=isinstance(made, str))
