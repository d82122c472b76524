"""Finding a Chromium, and the switches and preferences it is started with."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from envs.base import SetupError
from envs.browser.options import BrowserOptions

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
VARIABLE = "GUIKV_CHROMIUM"
_NO_PRELOADING = 2
"""Of `net.network_prediction_options`: neither speculation rules nor links may fetch or draw pages ahead."""
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


def write_preferences(profile: Path, framed: bool, hold: bool) -> None:
    """Fetch no page ahead of its being asked for; with `framed`, let the window manager draw the frame.

    A page fetched ahead comes up without a request that could be looked at; a frame drawn by Chromium would lie inside
    its window. A profile that has preferences already is left as it is, but for the first where that has to `hold`.
    Raises OSError.
    """
    file = profile / "Default" / "Preferences"
    chosen: dict[str, Any] = {"net": {"network_prediction_options": _NO_PRELOADING}}
    if file.exists():
        if not hold:
            return
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            # Chromium begins anew where it cannot read its preferences.
            kept = {}
        kept = kept if isinstance(kept, dict) else {}
        net = kept.get("net")
        chosen = {**kept, "net": {**(net if isinstance(net, dict) else {}), **chosen["net"]}}
    elif framed:
        chosen["browser"] = {"custom_chrome_frame": False}
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as new:
        json.dump(chosen, new)
    os.replace(new.name, file)


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


def window_args(options: BrowserOptions) -> list[str]:
    """Switches for a page alone in a window that others look at, as on a desktop or a phone.

    Its size in CSS pixels, no bars, text drawn as in headless pictures.
    """
    width, height = options.viewport
    args = [
        # about:blank would open an ordinary window.
        "--app=data:text/html,",
        f"--window-size={width},{height}",
        f"--window-position={options.position[0]},{options.position[1]}",
        f"--force-device-scale-factor={options.scale:g}",
        "--disable-lcd-text",
        # Without it a bar about the sandbox covers the top of the page.
        "--test-type",
        "--hide-crash-restore-bubble",
    ]
    return [*args, "--kiosk"] if options.kiosk else args
