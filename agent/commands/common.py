"""Options that several commands share, and what is done with errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from agent.config import Config
    from agent.records import Result

EXIT_FAILED, EXIT_USAGE, EXIT_STOPPED = 1, 2, 130

_CACHE, _MODEL, _SETTINGS = "Memory", "Model", "Settings"

ModelOption = Annotated[
    str | None,
    typer.Option("--model", help="nano, a folder or a hub name.", rich_help_panel=_MODEL),
]
DeviceOption = Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:1.", rich_help_panel=_MODEL)]
DtypeOption = Annotated[
    str | None, typer.Option("--dtype", help="auto, float32, bfloat16 or float16.", rich_help_panel=_MODEL)
]
QuantizationOption = Annotated[
    str | None, typer.Option("--quantization", help="4bit or 8bit, on CUDA.", rich_help_panel=_MODEL)
]
MaxPixelsOption = Annotated[
    int | None,
    typer.Option("--max-pixels", help="Pixels of the image that the model sees, at most.", rich_help_panel=_MODEL),
]
PolicyOption = Annotated[
    str | None,
    typer.Option(
        "--policy",
        help="gui_kv, snap_kv, pyramid_kv, vl_cache, streaming_llm, recent_frames, random or full.",
        rich_help_panel=_CACHE,
    ),
]
BudgetOption = Annotated[
    str | None,
    typer.Option("--budget", help="What may be kept: 20%, '2048 tokens', 64MiB.", rich_help_panel=_CACHE),
]
HistoryOption = Annotated[
    int | None, typer.Option("--history", help="Screenshots held (1 or more).", rich_help_panel=_CACHE)
]
_OLDER = "Older screenshots: shrink, drop or recompute."
WindowOption = Annotated[str | None, typer.Option("--history-window", "--window", help=_OLDER, rich_help_panel=_CACHE)]
HistoryWindowOption = Annotated[str | None, typer.Option("--history-window", help=_OLDER, rich_help_panel=_CACHE)]
"""Where `--window` means a window of the desktop."""
MomentOption = Annotated[
    str | None,
    typer.Option("--moment", help="Compress at next_observation or prefill.", rich_help_panel=_CACHE),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="YAML file with settings.", rich_help_panel=_SETTINGS)
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting, e.g. limits.seconds=120.", rich_help_panel=_SETTINGS),
]


def settings(
    file: Path | None,
    assignments: list[str] | None,
    options: dict[str, Any],
    base: dict[str, Any] | None = None,
    base_origin: str = "the command",
) -> Config:
    """Resolved settings from everywhere; `base` holds the command's own defaults, which stand at `base_origin`.

    Raises ConfigError.
    """
    from agent.sources import resolve

    return resolve(
        base=base,
        base_origin=base_origin,
        file=file,
        environment=os.environ,
        assignments=assignments or (),
        options=options,
    )


def exit_code(result: Result) -> int:
    """0 for success, 130 when stopped, 1 for everything else."""
    return {"success": 0, "stopped": EXIT_STOPPED}.get(result.status, EXIT_FAILED)


def guarded(application: Callable[[], object], debug: bool | None = None) -> None:
    """Run the command line; an error that has a type becomes one line, with what to do about it.

    debug: None looks for --debug among the arguments; then errors show where they came from.
    """
    debug = "--debug" in sys.argv[1:] if debug is None else debug
    try:
        application()
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        raise SystemExit(EXIT_STOPPED) from None
    except BrokenPipeError:
        # Whoever read our output is gone; without this Python would complain again while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(EXIT_FAILED) from None
    except Exception as error:
        code = error_code(error)
        if debug or code is None:
            raise
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(code) from None


def error_code(error: BaseException) -> int | None:
    """Exit code of an error that is meant for users, None for any other."""
    from agent.errors import AgentError, ConfigError, DialectError
    from envs.base import EnvError
    from guikv.errors import BudgetError, GuikvError, PolicyError

    if isinstance(error, (ConfigError, DialectError, BudgetError, PolicyError)):
        return EXIT_USAGE
    return EXIT_FAILED if isinstance(error, (AgentError, EnvError, GuikvError)) else None
