"""`guikv run android`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.commands.run.common import Common, run, run_command


@run_command
def android(
    common: Common,
    serial: Annotated[
        str | None, typer.Option("--serial", help="As `adb devices` shows it, or HOST:PORT; the only one without it.")
    ] = None,
    adb_port: Annotated[int | None, typer.Option("--adb-port", help="Port of the adb server (5037).")] = None,
    unlock: Annotated[
        bool | None, typer.Option("--unlock/--no-unlock", help="Swipe a keyguard without PIN away.")
    ] = None,
) -> None:
    """Do one task on an Android device, through adb.

    Example: guikv run android --serial 192.168.1.20:5555 --task "Turn on dark mode"

    Text beyond ASCII needs ADBKeyboard on the device. A window that may not be seen is told to the model, never
    shown as a black picture. Success is what the model says; exit code 0 on success, 130 when stopped, 1 otherwise.
    The approval rules know the app's package, not what a button says: use --approve always where that matters.
    `guikv doctor android` looks at the device first.
    """
    resolved = common.settings({"android.serial": serial, "android.adb_port": adb_port, "android.unlock": unlock})

    from envs.registry import launch

    run(resolved, common, "mobile", lambda: launch("android", resolved.android))
