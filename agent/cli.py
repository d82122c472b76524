"""The command line. `app` holds the commands of the agent; whoever assembles the program may add others."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.commands import demo, doctor, replay_actions, run, show
from agent.commands.common import guarded

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A live GUI agent whose model remembers: one KV cache for the whole episode, compressed by GUI-KV.",
    epilog=(
        "Settings: defaults < --config FILE < environment (GUIKV_CACHE__BUDGET=20%) < --set cache.budget=20% "
        "< options. All of them are in configs/default.yaml. "
        "Exit codes: 0 done, 1 not done or an error, 2 wrong settings, 130 stopped."
    ),
)


@app.callback()
def top(
    debug: Annotated[bool, typer.Option("--debug", help="Show where errors come from.")] = False,
) -> None:
    """A live GUI agent whose model remembers: one KV cache for the whole episode, compressed by GUI-KV."""


app.add_typer(run.app, name="run")
app.command()(demo.demo)
app.command()(show.show)
app.command("replay-actions")(replay_actions.replay_actions)
app.command()(doctor.doctor)


def main(application: typer.Typer = app) -> None:
    """Run a command line and turn typed errors into one line and an exit code."""
    guarded(application)
