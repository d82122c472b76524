"""Limits of an episode."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LoopSettings:
    """`max_seconds` is wall time; `max_tokens` counts tokens prefilled, computed again and generated."""

    max_steps: int = 30
    max_seconds: float | None = None
    max_tokens: int | None = None
    max_new_tokens: int = 256
    screenshot_retries: int = 2
    retry_pause: float = 0.5
    reasks: int = 1
    stuck_note: int = 3
    stuck_stop: int = 5
