"""The commands under `guikv nano`. What is slow to import is imported when one runs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.commands.common import DtypeOption
from eval.options import (
    BudgetOption,
    HistoryOption,
    JsonOption,
    ModelOption,
    MomentOption,
    PolicyOption,
    PolicyOptions,
    PositionsOption,
    WindowOption,
    WorkersOption,
    show,
)

if TYPE_CHECKING:
    from eval.live.plan import Plan
    from eval.sweep.workers import Workers

nano = typer.Typer(no_args_is_help=True, help="The model that ships: evaluate it live, train it, read its card.")

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": list[str]()}


@nano.command("eval")
def nano_eval(
    seeds: Annotated[str, typer.Option(help="pages of each task, FIRST:END without the end")],
    tasks: Annotated[str, typer.Option(help="playground tasks, separated by commas; empty: all")] = "",
    policy: PolicyOption = "gui_kv",
    option: PolicyOptions = None,
    budget: BudgetOption = "20%",
    moment: MomentOption = "next_observation",
    window: WindowOption = "shrink",
    history: HistoryOption = 5,
    positions: PositionsOption = "keep",
    model: ModelOption = "nano",
    dtype: DtypeOption = None,
    blank: Annotated[bool, typer.Option("--blank", help="show the model white pictures: chance level")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="remove all earlier turns before each answer")] = False,
    shift: Annotated[str, typer.Option(help="a look never trained on: look, fonts, sizes, colours")] = "",
    workers: WorkersOption = "1",
    out: Annotated[
        Path | None,
        typer.Option(help="folder for records of every episode and the result; the same command goes on there"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Success on playground pages in real Chromium, through the loop that every run of the agent takes.

    Example: guikv nano eval --seeds 0:100 --tasks click,order --budget 20% --json
    """
    from agent.errors import ConfigError
    from eval.live.plan import make_config, read_seeds, read_tasks

    numbers, names = read_seeds(seeds), read_tasks(tasks)
    config = make_config(model, policy, option or (), budget, moment, window, history, dtype=dtype, positions=positions)
    if forget and window == "recompute":
        raise ConfigError("--forget: the window recompute would bring back what was removed", "use shrink or drop")

    from eval.live.altered_screens import PlaygroundSite, check_shift
    from eval.live.plan import Plan
    from eval.live.summary import result_table
    from eval.sweep.workers import read_workers

    hands = read_workers(workers)
    # More threads than cores make the many small products of a tiny model slow.
    threads = 1 if hands.count != 1 else 0
    site = PlaygroundSite(blank, check_shift(shift))
    plan = Plan(config, site, names, numbers, forget, records=out, threads=threads)
    show(_evaluate(plan, hands), as_json, result_table)


def _evaluate(plan: Plan, workers: Workers) -> dict[str, Any]:
    """Run the plan with a progress bar on standard error."""
    from agent.errors import RecordError
    from agent.recorder import hint_of, write_atomically
    from eval.live.episodes import ROWS, EpisodeRow, run_episodes
    from eval.live.summary import summarise
    from eval.sweep.progress import job_done, long_progress

    rows: list[EpisodeRow] = []
    begun, played = time.monotonic(), 0
    out = plan.records
    with long_progress() as progress:
        bar = progress.add_task("starting", total=len(plan.episodes))

        def tell(row: EpisodeRow, fresh: bool) -> None:
            nonlocal played
            played += fresh
            rows.append(row)
            same = [one.success for one in rows if one.task == row.task]
            job_done(progress, bar, f"{row.task} {sum(same)} of {len(same)}")

        run_episodes(plan, out / ROWS if out else None, workers, tell)
    per_minute = 60 * played / (time.monotonic() - begun)
    result = summarise(plan, rows, per_minute, {"workers": workers.count})
    if out is not None:
        try:
            write_atomically(out / "result.json", result)
        except OSError as error:
            why = f"{out / 'result.json'} cannot be written: {error.strerror or error}"
            raise RecordError(why, hint_of(error)) from error
    return result


@nano.command("train", context_settings=_PASS_ON)
def nano_train(context: typer.Context) -> None:
    """Train it from scratch, or go on with --resume. All options are the trainer's: see --help."""
    from eval.nano.training.train import main

    main(list(context.args))


@nano.command("card")
def nano_card(
    as_json: Annotated[bool, typer.Option("--json", help="print the measured facts as one JSON object")] = False,
) -> None:
    """The model card of the shipped weights, and what can be measured of them.

    Example: guikv nano card --json
    """
    from eval.nano.card import card_text, facts
    from guikv.nano import WEIGHTS

    measured = facts(WEIGHTS)
    if as_json:
        typer.echo(json.dumps(measured, indent=1))
        return
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.table import Table

    from agent.text import number

    table = Table(title="measured from the files", show_header=False)
    for name, value in measured.items():
        table.add_row(name.replace("_", " "), number(value) if isinstance(value, int) else str(value))
    console = Console()
    console.print(Markdown(card_text(WEIGHTS)))
    console.print(table)
