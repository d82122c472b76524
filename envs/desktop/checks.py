"""What a desktop run needs, looked at one by one, for `guikv doctor desktop`."""

from __future__ import annotations

import os
import shutil
import sys

from envs.base import EnvError, Finding
from envs.desktop.driver import FIX, PACKAGES, Desktop, missing_packages
from envs.desktop.options import DesktopOptions

_PROGRAMS = (
    ("Xvfb", "xvfb", "an X server without a screen"),
    ("openbox", "openbox", "its window manager"),
    ("dbus-daemon", "dbus", "its session bus"),
    ("x11vnc", "x11vnc", "for people to look on"),
)


def findings(options: DesktopOptions) -> list[Finding]:
    """All checks. Either a display that works or the sandbox's programs have to be there."""
    absent = missing_packages()
    detail = f"missing: {', '.join(absent)}" if absent else ", ".join(PACKAGES)
    found = [Finding("packages", not absent, detail, FIX)]
    sandbox = _sandbox() if sys.platform.startswith("linux") else []
    possible = bool(sandbox) and all(finding.ok for finding in sandbox if finding.name != "x11vnc")
    if not absent:
        found.append(_display(options, required=not possible))
    return [*found, *sandbox]


def _sandbox() -> list[Finding]:
    found = []
    for program, package, what in _PROGRAMS:
        path = shutil.which(program)
        detail = path or f"not installed ({what} of --sandbox)"
        found.append(Finding(program, path is not None, detail, f"sudo apt-get install {package}", required=False))
    return found


def _display(options: DesktopOptions, required: bool) -> Finding:
    """Does the display give a picture, and take input?"""
    name = options.display or os.environ.get("DISPLAY") or "screen"
    try:
        with Desktop.launch(options) as desktop:
            size = desktop.screenshot().viewport.screenshot
            title = desktop.context()["title"]
    except EnvError as error:
        return Finding("display", False, error.message, error.hint or "use --sandbox 1280x800", required)
    seen = f"{name}: {size.width}x{size.height} pixels"
    return Finding("display", True, f"{seen}, in use: {title!r}" if title else seen, required=required)
