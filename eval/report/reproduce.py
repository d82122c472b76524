"""The command that a sweep came from, put together from the settings of its cells."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from agent.assemble import policy_options
from agent.config import CacheConfig, Config
from eval.replay.settings import ORACLE
from eval.report.cells import PlayedCell
from eval.report.series import Sweep, flattened

_DATA = (("path", "--path"), ("images", "--images"), ("missing", "--missing"), ("history", "--history"))
_CONFIG = {
    "model.device": "--device",
    "model.dtype": "--dtype",
    "model.quantization": "--quantization",
    "model.max_pixels": "--max-pixels",
    "cache.moment": "--moment",
    "cache.window": "--window",
    "cache.history": "--screenshots",
    "prompt.layout": "--layout",
}
"""Options of `guikv replay` that set a value of the configuration; everything else is set by --set."""

_AXES = ("model.name", "prompt.dialect", "cache.policy", "cache.budget")
_OPTIONS = "cache.options."
_USUAL = {"missing": "error", "history": "gold"}


def command_of(sweep: Sweep, out: str) -> str:
    """One shell command. Settings at their defaults are left out."""
    cells = sweep.cells
    first = cells[0]
    words = ["guikv", "replay", sweep.benchmark]
    for name, option in _DATA:
        value = first.identity.get(name)
        if value is not None and value != _USUAL.get(name):
            words += [option, str(value)]
    if first.identity.get("skip_bad"):
        words.append("--skip-bad-records")
    for split in first.settings.splits:
        words += ["--split", split]
    for name, value in first.settings.options.items():
        words += ["--option", f"{name}={value}"]
    words += ["--model", first.settings.model, "--dialect", _all(cell.settings.dialect for cell in cells)]
    if first.settings.model != ORACLE:
        words += ["--policies", _all(cell.settings.policy for cell in cells)]
        if sweep.budgets:
            words += ["--budgets", ",".join(sweep.budgets)]
    seeds = sorted({cell.settings.seed for cell in cells})
    if seeds != [0]:
        words += ["--seeds", ",".join(map(str, seeds))]
    words += _owner(cells) + _configured(cells)
    return " ".join(map(shlex.quote, [*words, "--out", out]))


def _configured(cells: tuple[PlayedCell, ...]) -> list[str]:
    """Options for what is not as by default in the configuration."""
    usual = flattened(Config().model_dump(mode="json"))
    set_by: dict[str, str] = {}
    for cell in cells:
        for name, value in _own(cell).items():
            if usual.get(name) != value and name not in _AXES:
                set_by[name] = value
    words: list[str] = []
    for name, value in set_by.items():
        words += [_CONFIG[name], value] if name in _CONFIG else ["--set", f"{name}={value}"]
    return words


def _owner(cells: tuple[PlayedCell, ...]) -> list[str]:
    """Whose options are set, where several policies are played and it is not the usual one's."""
    if len({cell.settings.policy for cell in cells}) == 1:
        return []
    owners = {cell.settings.policy for cell in cells if any(name.startswith(_OPTIONS) for name in _own(cell))}
    return [word for owner in sorted(owners - {CacheConfig().policy}) for word in ("--set", f"cache.policy={owner}")]


def _own(cell: PlayedCell) -> dict[str, str]:
    """The cell's configuration, without the options that its policy has anyway."""
    config: Mapping[str, Any] = cell.identity.get("config") or {}
    cache: Mapping[str, Any] = config.get("cache") or {}
    given = cache.get("options")
    options: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    try:
        usual = policy_options(CacheConfig.model_validate({**cache, "options": {}}))
    except ValidationError:
        usual = {}
    own = {name: value for name, value in options.items() if usual.get(name) != value}
    return flattened({**config, "cache": {**cache, "options": own}})


def _all(values: Iterable[str]) -> str:
    return ",".join(dict.fromkeys(values))
