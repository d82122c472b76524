"""The cells of a sweep: one for each policy, budget, seed and dialect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from agent.assemble import cache_policy
from agent.config import Config
from agent.dialects import DIALECTS, find_family
from agent.errors import ConfigError
from eval.options import listed
from eval.replay.settings import DRAWS, ORACLE, ReplaySettings
from guikv.budget import parse_budget
from guikv.errors import BudgetError

EVERYTHING = "100%"
"""The budget of `full`, which has none."""


@dataclass(frozen=True)
class Cell:
    """One replay of all trajectories. name: of its folder, unique in the sweep."""

    name: str
    settings: ReplaySettings


@dataclass(frozen=True)
class Axes:
    """What differs between cells. An oracle has no cache: there, only the dialects count."""

    policies: tuple[str, ...]
    budgets: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    dialects: tuple[str, ...] = ("ui_tars",)


def make_cells(base: ReplaySettings, axes: Axes) -> list[Cell]:
    """Every combination that makes a difference, in order: full has no budget, and only random draws.

    Raises PolicyError, BudgetError and ConfigError for what cannot be.
    """
    for dialect in axes.dialects:
        find_family(dialect, "--dialect")
    if base.is_oracle:
        return _named([_with(base, dialect) for dialect in axes.dialects])
    if len(axes.dialects) != 1:
        raise ConfigError("--dialect: a model is asked in one dialect", "several are for --model oracle")
    budgets = tuple(dict.fromkeys(plain_budget(text) for text in axes.budgets))
    base = _owned(base, axes.policies)
    found = []
    for policy in dict.fromkeys(axes.policies):
        for budget in (EVERYTHING,) if policy == "full" else budgets:
            for seed in axes.seeds if policy == DRAWS else (0,):
                settings = _with(base, axes.dialects[0], policy, budget, seed)
                cache_policy(settings.config.cache)
                found.append(settings)
    return _named(found)


def plain_budget(text: str) -> str:
    """One spelling for each budget; a bare number is a percentage. Raises BudgetError."""
    text = text.strip()
    budget = parse_budget(f"{text}%" if re.fullmatch(r"[\d.]+", text) else text)
    if budget.unit == "percent":
        return f"{budget.amount:g}%"
    return f"{budget.amount:.0f} tokens" if budget.unit == "tokens" else re.sub(r"\s+", "", text)


def read_budgets(text: str) -> tuple[str, ...]:
    """`1,5%,2048 tokens,64MiB` as budgets. Raises BudgetError."""
    budgets = tuple(plain_budget(part) for part in text.split(",") if part.strip())
    if not budgets:
        raise BudgetError("--budgets names none: for example 5,20%,2048 tokens,64MiB")
    return budgets


def read_names(option: str, text: str) -> tuple[str, ...]:
    """Names with commas between, each once. Raises ConfigError where there is none."""
    names = listed(text)
    if not names:
        raise ConfigError(f"{option} names nothing")
    return names


def read_dialects(config: Config, text: str | None) -> tuple[str, ...]:
    """What is spoken: as asked for, else what the model speaks; of an oracle, all. Raises ConfigError, ModelError."""
    asked = text or config.prompt.dialect
    if asked:
        return read_names("--dialect", asked)
    if config.model.name == ORACLE:
        return tuple(DIALECTS)
    from guikv.models import dialect_of

    return (dialect_of(config.model.name),)


def cell_name(settings: ReplaySettings) -> str:
    """`nano-gui_kv-20%-s0` or `ui_tars-oracle`, of characters that every file system bears."""
    cache = settings.config.cache
    if settings.is_oracle:
        parts: Sequence[str] = (settings.dialect, settings.model)
    elif cache.policy == "full":
        parts = (PurePath(settings.model).name, cache.policy, f"s{settings.seed}")
    else:
        parts = (PurePath(settings.model).name, cache.policy, cache.budget, f"s{settings.seed}")
    return "-".join(re.sub(r"[^A-Za-z0-9._%-]+", "_", part) for part in parts).lstrip(".")


def _owned(base: ReplaySettings, policies: Sequence[str]) -> ReplaySettings:
    """With the policy that the options are meant for: the only one that is played, else the one the settings name."""
    cache = base.config.cache
    owner = policies[0] if len(set(policies)) == 1 else cache.policy
    if cache.options and owner not in policies:
        raise ConfigError(
            f"cache.options are of {owner}, which is not played", "set cache.policy to the one they are of"
        )
    cache = cache.model_copy(update={"policy": owner})
    return base.model_copy(update={"config": base.config.model_copy(update={"cache": cache})})


def _with(base: ReplaySettings, dialect: str, policy: str = "", budget: str = "", seed: int = 0) -> ReplaySettings:
    """The settings with these values; an oracle's cache stays as it is, since nothing of it counts."""
    config = base.config.model_copy(update={"prompt": base.config.prompt.model_copy(update={"dialect": dialect})})
    if policy:
        own = base.config.cache
        # Options are of the one policy that the settings name; others know different ones.
        options = own.options if policy == own.policy else {}
        cache = own.model_copy(update={"policy": policy, "budget": budget, "options": options})
        config = config.model_copy(update={"cache": cache})
    return base.model_copy(update={"config": config, "dialect": dialect, "seed": seed})


def _named(settings: Iterable[ReplaySettings]) -> list[Cell]:
    cells = [Cell(cell_name(one), one) for one in settings]
    names = [cell.name for cell in cells]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two cells would be called {name}", "leave one of them out")
    return cells
