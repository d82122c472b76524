"""How many threads a training step gets, by what the rest of the machine is doing.

With a core taken by other work, a parallel loop waits for its preempted half: two threads are then
several times slower than one. So the cores that others used during the last step are left to them.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import torch


def _busy_seconds() -> float:
    """Seconds of processor time that the whole machine has spent, idle and waiting time left out."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    ticks = [int(f) for f in fields[:8]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


class ThreadChoice:
    """Sets torch's thread count before each step; without /proc it stays at `most`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.watching = most > 1 and Path("/proc/stat").exists()
        torch.set_num_threads(most)
        self._mark()

    def _mark(self) -> None:
        self.clock, self.own = time.monotonic(), time.process_time()
        self.busy = _busy_seconds() if self.watching else 0.0

    def next(self) -> None:
        """Choose the threads of the next step from what others used since the last call."""
        if not self.watching:
            return
        wall = max(time.monotonic() - self.clock, 1e-3)
        others = (_busy_seconds() - self.busy - (time.process_time() - self.own)) / wall
        cores = os.cpu_count() or 1
        torch.set_num_threads(max(1, min(self.most, int(cores - others + 0.6))))
        self._mark()
