"""What one live evaluation is to do, and how the words of the command line say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from agent.assemble import policy_options
from agent.config import Config
from agent.errors import ConfigError
from agent.sources import read_options, resolve
from envs.base import Environment
from eval.options import chosen

STEPS = 16
"""Steps of an episode at most; the longest task takes nine when nothing goes wrong."""
MAX_SEEDS = 100_000
HELD_OUT = 100_000
"""Seeds below this one are never trained on."""

Episode = tuple[str, int]
"""A playground task and a seed."""


class Page(Environment, Protocol):
    """An environment that shows one task at a time; `load` shows another in the same browser."""

    @property
    def goal(self) -> str: ...

    def load(self, task: str, seed: int) -> None:
        """The task at its beginning. Raises EnvError."""
        ...


class Site(Protocol):
    """Where the tasks come from, and what is special there.

    gives_up: the whole evaluation ends where an episode cannot be run; else it has failed as an error
    """

    @property
    def name(self) -> str: ...

    @property
    def gives_up(self) -> bool: ...

    def launch(self, task: str, seed: int) -> Page:
        """A browser for all episodes, with the first one at its beginning. Raises EnvError."""
        ...

    def facts(self, page: Any, task: str, seed: int) -> Mapping[str, float]:
        """What the site knows of an episode that has ended, as fields of its row."""
        ...


@dataclass(frozen=True)
class Plan:
    """One evaluation.

    forget: whatever lies before the newest screenshot leaves the cache; records: folder for the record of every
    episode, None for no records; threads: of the CPU, 0 for as many as there are
    """

    config: Config
    site: Site
    tasks: tuple[str, ...]
    seeds: range
    forget: bool = False
    records: Path | None = None
    threads: int = 0

    @property
    def episodes(self) -> list[Episode]:
        return [(task, seed) for task in self.tasks for seed in self.seeds]

    def identity(self) -> dict[str, Any]:
        """JSON form of everything that an episode depends on, but for the weights."""
        cache = self.config.cache
        return {
            "model": self.config.model.name,
            "dtype": self.config.model.dtype,
            "policy": cache.policy,
            "options": policy_options(cache),
            "budget": cache.budget,
            "moment": cache.moment,
            "window": cache.window,
            "history": cache.history,
            # A setting that came later is no difference to results from before.
            **({} if cache.positions == "keep" else {"positions": cache.positions}),
            "max_steps": self.config.limits.steps,
            "forget": self.forget,
            **asdict(self.site),  # type: ignore[call-overload]
        }


def make_config(
    model: str,
    policy: str,
    options: Sequence[str],
    budget: str,
    moment: str,
    window: str,
    history: int,
    steps: int = STEPS,
    dtype: str | None = None,
    positions: str | None = None,
) -> Config:
    """Settings of every episode. Raises ConfigError, and PolicyError for a policy or option that does not exist."""
    from agent.assemble import cache_policy

    base = {"model.max_new_tokens": 64, "limits.steps": steps, "approval.mode": "never"}
    given = {
        "model.name": model,
        "model.dtype": dtype,
        "cache.policy": policy,
        "cache.options": read_options(options),
        "cache.budget": budget,
        "cache.moment": moment,
        "cache.window": window,
        "cache.history": history,
        "cache.positions": positions,
    }
    config = resolve(base=base, options=given)
    cache_policy(config.cache)
    return config


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

    return chosen(text, TASKS, "--tasks: there is no task") or tuple(TASKS)
