"""The commands under `guikv nano`. What is slow to import is imported when one runs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.options import (
    BudgetOption,
    HistoryOption,
    ModelOption,
    MomentOption,
    PolicyOption,
    PolicyOptions,
    WindowOption,
)

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
    model: ModelOption = "nano",
    blank: Annotated[bool, typer.Option("--blank", help="show the model white pictures: chance level")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="remove all earlier turns before each answer")] = False,
    shift: Annotated[str, typer.Option(help="a look never trained on: look, fonts, sizes, colours")] = "",
    workers: Annotated[int, typer.Option(min=1, max=2, help="processes, one thread each where there are two")] = 1,
    out: Annotated[Path | None, typer.Option(help="folder for records of every episode and the result")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """Success on playground pages in real Chromium, through the loop that every run of the agent takes.

    Example: guikv nano eval --seeds 0:100 --tasks click,order --budget 20% --json
    """
    from agent.errors import ConfigError
    from eval.live.plan import Plan, make_config, read_seeds, read_tasks

    numbers, names = read_seeds(seeds), read_tasks(tasks)
    config = make_config(model, policy, option or (), budget, moment, window, history)
    if forget and window == "recompute":
        raise ConfigError("--forget: the window recompute would bring back what was removed", "use shrink or drop")

    from eval.live.altered_screens import check_shift

    plan = Plan(config, names, numbers, blank, forget, check_shift(shift), workers, out)
    result = _evaluate(plan)
    if as_json:
        typer.echo(json.dumps(result, indent=1))
        return
    from rich.console import Console

    from eval.live.summary import result_table

    Console().print(result_table(result))


def _evaluate(plan: Any) -> dict[str, Any]:
    """Run the plan with a progress bar on standard error."""
    from rich.console import Console
    from rich.progress import Progress

    from eval.live.episodes import Outcome
    from eval.live.journal import Journal
    from eval.live.summary import summarise
    from eval.live.workers import run_split

    outcomes: list[Outcome] = []
    begun = time.monotonic()
    with Journal(plan.out) as journal, Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("starting", total=len(plan.episodes))

        def tell(outcome: Outcome) -> None:
            outcomes.append(outcome)
            journal.write(outcome)
            same = [o.success for o in outcomes if o.task == outcome.task]
            progress.update(bar, advance=1, description=f"{outcome.task} {sum(same)} of {len(same)}")

        run_split(plan, tell)
        result = summarise(plan, outcomes, time.monotonic() - begun)
        journal.finish(result)
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
