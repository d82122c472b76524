"""`guikv doctor`: what is missing, and the command that mends it."""

from __future__ import annotations

import typer

from agent.commands.common import EXIT_FAILED


def doctor() -> None:
    """Look at everything a run needs and say how to get what is missing.

    Exit code 1 when something that a browser run cannot do without is missing.
    """
    from agent.doctor import examine

    missing = False
    for check in examine():
        state = "ok" if check.ok else ("missing" if check.required else "absent")
        typer.echo(f"{state:8} {check.name:14} {check.detail}")
        if not check.ok and check.fix:
            typer.echo(f"{'':8} {'':14} → {check.fix}")
        missing = missing or (check.required and not check.ok)
    raise typer.Exit(EXIT_FAILED if missing else 0)
