"""Finding a Chromium and the switches it is started with."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from envs.base import SetupError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
VARIABLE = "GUIKV_CHROMIUM"
HINT = (
    "install one with `apt-get install chromium` or `playwright install chromium`, "
    f"or name one with the `executable` option or ${VARIABLE}"
)


def launch_args() -> list[str]:
    """Switches for a browser that only does what it is told: no updates, no sync, no first-run pages."""
    args = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--font-render-hinting=none",
    ]
    # Chromium refuses to start its sandbox as root, which is what containers run as.
    return [*args, "--no-sandbox"] if os.geteuid() == 0 else args


def _runnable(path: str) -> bool:
    return Path(path).is_file() and os.access(path, os.X_OK)


def find_chromium(explicit: str | None = None, bundled: str | None = None) -> str:
    """Path of the browser: the option, $GUIKV_CHROMIUM, playwright's own (`bundled`), or one on PATH.

    Raises SetupError, with the command that mends it, when there is none or the one named does not run.
    """
    for source, named in (("the option `executable`", explicit), (f"${VARIABLE}", os.environ.get(VARIABLE))):
        if not named:
            continue
        found = named if _runnable(named) else shutil.which(named)
        if found is None:
            raise SetupError(f"{source} names {named!r}, which is no program here", HINT)
        return found
    if bundled and _runnable(bundled):
        return bundled
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    raise SetupError("no Chromium or Chrome was found", HINT)
