"""Connecting to an X server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from Xlib.display import Display
from Xlib.error import DisplayError, XauthError

from envs.base import SetupError
from envs.desktop.control import Control
from envs.desktop.x11.keyboard import Keyboard
from envs.desktop.x11.user_input import Person
from envs.desktop.x11.windows import Windows


def open_x11(display: str, config: dict[str, Any], control: Control) -> tuple[Keyboard, Windows]:
    """Keyboard and windows of a display, watched for a person's hands. Raises SetupError."""
    if "XAUTHORITY" not in os.environ and not (Path.home() / ".Xauthority").exists():
        # Older versions of Xlib refuse to go on without the file.
        os.environ["XAUTHORITY"] = os.devnull
    try:
        Display(display).close()
    except (DisplayError, XauthError, OSError, ValueError) as error:
        raise SetupError(
            f"no X server answers at {display}", "name another one with --display, or use --sandbox"
        ) from error
    keyboard = Keyboard(display, control.check)
    chord = tuple(config["stop_chord"])
    if chord or config["on_user_input"] != "ignore":
        Person(display, chord, config["stop_hold_seconds"], control).start()
    return keyboard, Windows(display)
