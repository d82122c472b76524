"""`guikv run desktop`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from agent.commands.common import HistoryWindowOption
from agent.commands.run.common import Common, run, run_command


@partial(run_command, window=HistoryWindowOption)
def desktop(
    common: Common,
    sandbox: Annotated[
        str | None, typer.Option("--sandbox", metavar="WxH", help="A screen of its own, e.g. 1280x800.")
    ] = None,
    command: Annotated[
        str | None, typer.Option("--exec", metavar="COMMAND", help="Start this in the sandbox, e.g. 'mousepad a.txt'.")
    ] = None,
    watch: Annotated[bool | None, typer.Option("--watch", help="Let a VNC viewer look into the sandbox.")] = None,
    display: Annotated[str | None, typer.Option("--display", help="X display; $DISPLAY without it.")] = None,
    monitor: Annotated[int | None, typer.Option("--monitor", help="1, 2, …; 0 for all as one picture.")] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="X,Y,W,H", help="Only this part of the screen.")
    ] = None,
    window_title: Annotated[
        str | None, typer.Option("--window", metavar="TITLE", help="Only the window with this in its title.")
    ] = None,
    on_user_input: Annotated[
        str | None, typer.Option("--on-user-input", help="When you use the mouse: pause, ignore or stop.")
    ] = None,
    stop_key: Annotated[
        str | None, typer.Option("--stop-key", help="Key to hold, or a chord such as ctrl+alt+q, that stops it.")
    ] = None,
) -> None:
    """Do one task on a desktop.

    Example: guikv run desktop --sandbox 1280x800 --exec "mousepad notes.txt" --task "Write hello and save"

    With --sandbox the agent has an X server of its own and your screen, pointer and keyboard stay free. Without
    it the agent acts on your screen: hold Escape to stop it, and it waits while you use the mouse. Success is what
    the model says; exit code 0 on success, 130 when stopped, 1 otherwise. The approval rules know the title of the
    window under the pointer, not what a button says: use --approve always where that matters.
    """
    resolved = common.settings(
        {
            "desktop.sandbox": sandbox,
            "desktop.exec": command,
            "desktop.watch": watch,
            "desktop.display": display,
            "desktop.monitor": monitor,
            "desktop.region": region,
            "desktop.window": window_title,
            "desktop.on_user_input": on_user_input,
            "desktop.stop_key": stop_key,
        }
    )

    from envs.registry import launch

    options = replace(resolved.desktop, tell=typer.echo)
    run(resolved, common, "computer", lambda: launch("desktop", options))
