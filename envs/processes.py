"""Processes of browsers and sandboxes: finding all of them, and ending them whatever state they are in."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Process:
    """One row of the process table."""

    pid: int
    parent: int
    command: str


def table() -> list[Process]:
    """Every process that can be seen; not those that have ended and wait for their parent to notice (zombies)."""
    rows = []
    for process in psutil.process_iter(["ppid", "cmdline", "status"]):
        row = process.info
        if row["status"] != psutil.STATUS_ZOMBIE:
            rows.append(Process(process.pid, row["ppid"] or 0, " ".join(row["cmdline"] or ())))
    return rows


def alive(pids: Iterable[int]) -> bool:
    """Do all these processes run?"""
    try:
        return all(_runs(psutil.Process(pid)) for pid in pids)
    except psutil.NoSuchProcess:
        return False


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def tree(roots: Iterable[int], mark: str = "") -> set[int]:
    """Ids of the roots that live, all their descendants, and all whose command line holds `mark` (if any)."""
    rows, wanted = table(), set(roots)
    found = {row.pid for row in rows if row.pid in wanted or (mark and mark in row.command)}
    while more := {row.pid for row in rows if row.parent in found} - found:
        found |= more
    return found - {os.getpid()}


def end(pids: Iterable[int], seconds: float = 5.0) -> set[int]:
    """Kill processes at once and wait for them to be gone; returns those that are still there after `seconds`."""
    left = []
    for pid in set(pids):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            left.append(psutil.Process(pid))
            left[-1].kill()
    deadline = time.monotonic() + seconds
    # Not psutil's own wait, which would take a child's exit status from whoever started it.
    while (left := [process for process in left if _runs(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return {process.pid for process in left}
