"""The variables and private folders of programs in a sandbox."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from envs.desktop.cleanup import MARK

_HANDED_ON = ("PATH", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "SHELL", "TERM")


def variables(folder: Path, display: str, more: Mapping[str, str]) -> dict[str, str]:
    """What programs see: a home of their own below `folder`, the display, and the language as the user has it."""
    home, runtime = folder / "home", folder / "run"
    for place in (home, runtime):
        place.mkdir(mode=0o700)
    handed_on = {name: value for name, value in os.environ.items() if name in _HANDED_ON or name.startswith("LC_")}
    # Without UTF-8 the toolkits would lose what is typed.
    languages = {} if _speaks_utf8(handed_on) else {"LC_ALL": "C.UTF-8"}
    return {
        **handed_on,
        **languages,
        MARK: str(folder),
        "DISPLAY": display,
        "HOME": str(home),
        "TMPDIR": str(_made(folder / "tmp")),
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_SESSION_TYPE": "x11",
        # Nobody asks for these two here, and programs wait for them at their start.
        "NO_AT_BRIDGE": "1",
        "GSETTINGS_BACKEND": "memory",
        "GDK_BACKEND": "x11",
        "QT_QPA_PLATFORM": "xcb",
        **more,
    }


def _speaks_utf8(found: Mapping[str, str]) -> bool:
    chosen = found.get("LC_ALL") or found.get("LC_CTYPE") or found.get("LANG") or ""
    return "utf-8" in chosen.lower() or "utf8" in chosen.lower()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
