"""`guikv doctor`: what is missing, and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agent.commands.common import EXIT_FAILED, ConfigOption, DeviceOption, DtypeOption, SetOption, settings

if TYPE_CHECKING:
    from agent.config import Config
    from envs.base import Finding

Kind = Literal["browser", "desktop", "android"]


def doctor(
    what: Annotated[
        Kind, typer.Argument(help="What runs are to use.", metavar="[browser|desktop|android]")
    ] = "browser",
    serial: Annotated[str | None, typer.Option("--serial", help="android: which device, if there are several.")] = None,
    display: Annotated[str | None, typer.Option("--display", help="desktop: which X display.")] = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    config: ConfigOption = None,
    assign: SetOption = None,
) -> None:
    """Look at everything a run needs, say how to get what is missing, and what the model is computed with.

    Example: guikv doctor android --serial 192.168.1.20:5555

    Exit code 1 when something that such a run cannot do without is missing.
    """
    resolved = settings(
        config,
        assign,
        {"android.serial": serial, "desktop.display": display, "model.device": device, "model.dtype": dtype},
    )
    missing = False
    from agent.doctor import kernels

    for finding in chain(examine(what, resolved), kernels(resolved.model)):
        state = "ok" if finding.ok else ("missing" if finding.required else "absent")
        typer.echo(f"{state:8} {finding.name:14} {finding.detail}")
        if not finding.ok and finding.fix:
            typer.echo(f"{'':8} {'':14} → {finding.fix}")
        missing = missing or (finding.required and not finding.ok)
    raise typer.Exit(EXIT_FAILED if missing else 0)


def examine(what: Kind, config: Config) -> Iterable[Finding]:
    """The findings for runs of that kind. Raises SetupError where nothing can be looked at."""
    if what == "desktop":
        from envs.desktop.checks import findings as of_desktop

        return of_desktop(config.desktop)
    if what == "android":
        from envs.android.checks import findings as of_android

        return of_android(config.android)
    from agent.doctor import examine as of_browser

    return of_browser()
