"""`guikv data`: check what was downloaded, and list what can be."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from agent.commands.common import EXIT_FAILED
from agent.errors import ConfigError
from eval.options import ImagesOption, JsonOption, LimitOption, OptionOption, PathOption, SplitsOption

if TYPE_CHECKING:
    from eval.benchmarks.base import Benchmark
    from eval.data.tally import Problems

data = typer.Typer(no_args_is_help=True, help="Look at the data of the offline benchmarks before they are replayed.")


@data.command("check")
def check(
    name: Annotated[str, typer.Argument(help="Which benchmark; guikv data list names them.", metavar="NAME")],
    path: PathOption = None,
    images: ImagesOption = None,
    splits: SplitsOption = None,
    option: OptionOption = None,
    limit: LimitOption = None,
    no_images: Annotated[
        bool, typer.Option("--no-images", help="Look at the annotations alone; sizes are those that they state.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Go through a benchmark's data and say what is there: splits, steps, actions, image sizes, and what is wrong.

    Example: guikv data check agentnetbench --path data/agentnetbench

    Without --path and --images the GUI-KV release's variables count, so that its users need not say them again:
    AGENTNETBENCH_DATA=… AGENTNETBENCH_IMGS=… guikv data check agentnetbench

    Every record is read as a replay would read it, and every image is decoded, so that a file that was cut off is
    found now and not in the middle of a night. Of each problem the first ten places are named. Exit code 1 when there
    is any.
    """
    from rich.console import Console

    from eval.benchmarks.source import make_source
    from eval.data.check import check_data
    from eval.data.table import tables
    from eval.sweep.progress import long_progress

    benchmark = find(name)
    source = make_source(benchmark, path, images, splits or (), option or ())
    progress = long_progress()
    # A bar in a file would be an empty line.
    with progress if progress.console.is_terminal else nullcontext():
        bar = progress.add_task(f"checking {name}", total=limit)

        def tick(trajectories: int, steps: int, problems: Problems) -> None:
            wrong = sum(problem.count for problem in problems.found.values())
            text = f"{name}: {steps:,} steps" + (f", {wrong:,} problems" if wrong else "")
            progress.update(bar, completed=trajectories, description=text)

        found = check_data(benchmark, source, limit, not no_images, tick)
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        console = Console()
        for part in tables(found):
            console.print(part, soft_wrap=isinstance(part, str), highlight=False)
    raise typer.Exit(EXIT_FAILED if found["problems"] else 0)


@data.command("list")
def list_benchmarks(as_json: JsonOption = False) -> None:
    """Name the benchmarks: what each is, how its files lie, which variables say where, who publishes it, and how.

    Example: guikv data list

    Nothing is downloaded: get the files from their owners, under their owners' terms.
    """
    from eval.benchmarks import BENCHMARKS
    from eval.data.catalogue import entries

    listed = entries(BENCHMARKS)
    if as_json:
        typer.echo(json.dumps(listed, indent=1, ensure_ascii=False))
        return
    for name, facts in listed.items():
        typer.echo(name)
        for label, text in facts.items():
            for number, line in enumerate(str(text).splitlines()):
                typer.echo(f"  {label if number == 0 else '':10} {line}")
        typer.echo()


def find(name: str) -> Benchmark:
    """The benchmark of that name. Raises ConfigError."""
    from eval.benchmarks import BENCHMARKS

    if name not in BENCHMARKS:
        raise ConfigError(f"there is no benchmark {name!r}", f"there are {', '.join(BENCHMARKS)}")
    return BENCHMARKS[name]
