"""Finding and ending all that belongs to a sandbox, also what has left its parent's side."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from envs import processes

MARK = "GUIKV_SANDBOX"
"""Variable that every process of a sandbox inherits; its value is the sandbox's folder."""
_STOP_SECONDS = 3.0


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
