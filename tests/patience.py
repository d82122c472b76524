"""Waiting for what others do in their own time. The bounds only end a hang: no test is decided by a machine's speed."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 300.0
"""Seconds."""


def until(ready: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Wait for something to become true; says whether it did."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(0.03)
    return True
