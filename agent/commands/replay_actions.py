"""`guikv replay-actions`: the actions of a recorded run on a fresh environment, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from agent.commands.common import EXIT_FAILED, ConfigOption, SetOption, settings


def replay_actions(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    env: Annotated[str | None, typer.Option("--env", help="Name of the environment; the run's own without it.")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="KEY=VALUE", help="An option of another package's environment (repeatable)."),
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0, max=100, help="Percent of the pixels that may differ.")
    ] = 1.0,
    wait: Annotated[
        float, typer.Option("--wait", min=0, max=600, help="Seconds for a screen to look as it did.")
    ] = 5.0,
    near: Annotated[float, typer.Option("--near", min=0, help="Pixels that a target may have moved.")] = 400.0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the pictures; RUN/replay-actions without it.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print how it went as JSON.")] = False,
    config: ConfigOption = None,
    assign: SetOption = None,
) -> None:
    """Do a recorded run's actions again, without a model: a regression test of your own app.

    Example: guikv replay-actions runs/20260101-120000-open-the-first-link --set browser.url=http://127.0.0.1:8000/

    The environment is started anew with the run's settings; --set changes them, e.g. to another address. Before each
    step the screen is compared with the recorded one: the share of pixels of which a colour channel is off by more
    than 8 of 255. Above --threshold, when --wait is over, it stops, names the step, and saves both pictures side by
    side, the recorded one left. In a browser each click is made on the element that was clicked, found by its kind
    and words nearest to where it was; where it is not found, and on other screens, at the recorded place.

    What was typed is typed again as recorded, and nothing is asked for: run it where that does no harm. Exit code 0
    when all was done and looked the same, 1 when not.
    """
    from agent.assemble import browser_options
    from agent.errors import RunError
    from agent.recorded_episode import Closing
    from agent.recorder import RUN_FILE
    from agent.replay_actions import ReplayLimits, outcome_json
    from agent.replay_actions import replay_actions as play
    from agent.resume import recorded_settings
    from agent.runs import load_run
    from agent.sources import read_options
    from envs.registry import launch, make_environment

    loaded = load_run(run)
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if not loaded.steps:
        raise RunError(f"the run in {run} has no steps")
    resolved = settings(config, assign, {}, recorded_settings(loaded, first_page=True), str(run / RUN_FILE))
    name = env or str(loaded.header.get("environment"))
    own: dict[str, Any] = {
        "browser": browser_options(resolved),
        "desktop": resolved.desktop,
        "android": resolved.android,
    }
    started = launch(name, own[name]) if name in own else make_environment(name, **read_options(option or ()))
    limits = ReplayLimits(threshold / 100, wait, near)
    with Closing(started) as environment:
        outcome = play(
            loaded, environment, limits, out or run / "replay-actions", lambda line: typer.echo(line, err=json_)
        )
    if json_:
        typer.echo(outcome_json(outcome))
    elif outcome.stopped is None:
        typer.echo(f"all {outcome.steps} steps were done, and every screen looked as it did")
    else:
        typer.echo(f"stopped at step {outcome.stopped}: {outcome.reason}")
        if outcome.pictures is not None:
            typer.echo(f"pictures: {outcome.pictures}")
    raise typer.Exit(0 if outcome.stopped is None else EXIT_FAILED)
