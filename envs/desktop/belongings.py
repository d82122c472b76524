"""What the programs of a sandbox inherit, and finding and ending them by it, also those that left their parent's side.

`python -m envs.desktop.belongings FOLDER` waits beside a sandbox, reads "server PID" and "done" from its input, and
ends what is there when the agent's process was killed and can do so no more.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from envs import processes

MARK = "GUIKV_SANDBOX"
"""Variable that every process of a sandbox inherits; its value is the sandbox's folder."""
_HANDED_ON = ("PATH", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "SHELL", "TERM")
_STOP_SECONDS = 3.0


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


def marked(folder: Path) -> set[int]:
    """Ids of the processes that were started in this sandbox, by whomever and however (from /proc)."""
    wanted = f"{MARK}={folder}".encode()
    found = set()
    for entry in os.listdir("/proc") if Path("/proc/self/environ").exists() else ():
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                variables = Path("/proc", entry, "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if wanted in variables:
                found.add(int(entry))
    return found


def end_all(folder: Path, roots: Iterable[int]) -> set[int]:
    """End the processes of a sandbox and their descendants; returns those that are left all the same."""
    roots = set(roots)
    left: set[int] = set()
    # Twice, since one may be starting another just now.
    for _ in range(2):
        left = processes.end(processes.tree(roots | marked(folder)))
    return left


def clear_up(folder: Path, roots: Iterable[int], server: int | None) -> None:
    """End the sandbox of an agent that was killed: applications, X server, folder."""
    end_all(folder, roots)
    if server is not None:
        try:
            # Asked kindly, it removes its lock and its socket.
            os.kill(server, signal.SIGTERM)
        except ProcessLookupError:
            server = None
    deadline = time.monotonic() + _STOP_SECONDS
    while server is not None and time.monotonic() < deadline and processes.alive([server]):
        time.sleep(0.02)
    if server is not None:
        processes.end([server])
    shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """0 when the sandbox was closed in order, 1 when it had to be ended here."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder, server = Path(sys.argv[1]), None
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "done":
            return 0
        if word == "server":
            server = int(rest)
    clear_up(folder, (), server)
    return 1


if __name__ == "__main__":
    sys.exit(main())
