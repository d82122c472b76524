"""What one evaluation is to do, from the words of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.assemble import policy_options
from agent.config import Config
from agent.errors import ConfigError
from agent.sources import resolve, scalar
from eval.options import listed

STEPS = 16
"""Steps of an episode at most; the longest task takes nine when nothing goes wrong."""
MAX_SEEDS = 100_000
HELD_OUT = 100_000
"""Seeds below this one are never trained on."""

Episode = tuple[str, int]
"""A playground task and a seed."""


@dataclass(frozen=True)
class Plan:
    """One evaluation.

    blank: the model sees white pictures; forget: whatever lies before the newest screenshot leaves the cache;
    shift: name of a look that was not trained on, or empty; out: folder of the records, None for no records
    """

    config: Config
    tasks: tuple[str, ...]
    seeds: range
    blank: bool = False
    forget: bool = False
    shift: str = ""
    workers: int = 1
    out: Path | None = None

    @property
    def episodes(self) -> list[Episode]:
        return [(task, seed) for task in self.tasks for seed in self.seeds]

    def settings(self) -> dict[str, Any]:
        """JSON form of everything that the result depends on."""
        cache = self.config.cache
        return {
            "seeds": f"{self.seeds.start}:{self.seeds.stop}",
            "held_out": self.seeds.stop <= HELD_OUT,
            "model": self.config.model.name,
            "policy": cache.policy,
            "options": policy_options(cache),
            "budget": cache.budget,
            "moment": cache.moment,
            "window": cache.window,
            "history": cache.history,
            "max_steps": self.config.limits.steps,
            "blank": self.blank,
            "forget": self.forget,
            "shift": self.shift,
            "workers": self.workers,
        }


def make_config(
    model: str, policy: str, options: Sequence[str], budget: str, moment: str, window: str, history: int
) -> Config:
    """Settings of every episode. Raises ConfigError, and PolicyError for a policy or option that does not exist."""
    from agent.assemble import cache_policy

    base = {"model.max_new_tokens": 64, "limits.steps": STEPS, "approval.mode": "never"}
    given = {
        "model.name": model,
        "cache.policy": policy,
        "cache.options": read_options(options),
        "cache.budget": budget,
        "cache.moment": moment,
        "cache.window": window,
        "cache.history": history,
    }
    config = resolve(base=base, options=given)
    cache_policy(config.cache)
    return config


def read_options(assignments: Sequence[str]) -> dict[str, Any]:
    """`alpha=2` and the like → values. Raises ConfigError."""
    options = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--option {text}: expected key=value", "for example --option alpha=2")
        options[key.strip()] = scalar(value)
    return options


def read_seeds(text: str) -> range:
    """`0:100` → 0 … 99. Raises ConfigError."""
    first, colon, end = text.strip().partition(":")
    if not (colon and first.isdecimal() and end.isdecimal() and len(text) <= 30):
        raise ConfigError(f"--seeds {text}: expected FIRST:END, the end not included", "for example 0:100")
    seeds = range(int(first), int(end))
    if not 1 <= len(seeds) <= MAX_SEEDS:
        raise ConfigError(f"--seeds {text}: {len(seeds)} seeds, but 1 to {MAX_SEEDS} are possible")
    return seeds


def read_tasks(text: str) -> tuple[str, ...]:
    """`click,form` → names without repeats; empty: all. Raises ConfigError."""
    from envs.playground import TASKS

    names = listed(text)
    for name in names:
        if name not in TASKS:
            raise ConfigError(f"--tasks: there is no task {name!r}", f"there are {', '.join(TASKS)}")
    return names or tuple(TASKS)
