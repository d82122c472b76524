"""Dialects by name: the project's own, and those that installed packages add.

A package adds one by an entry point of the group `guikv.dialects`, whose value is a `Family`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from agent.dialects.base import Dialect, Family, Options
from agent.dialects.opencua import FAMILY as OPENCUA
from agent.dialects.qwen import QWEN3, QWEN25
from agent.dialects.ui_tars import FAMILY as UI_TARS
from agent.errors import ConfigError

GROUP = "guikv.dialects"

DIALECTS: dict[str, Family] = {"ui_tars": UI_TARS, "opencua": OPENCUA, "qwen25": QWEN25, "qwen3": QWEN3}
"""The project's own. No package can take one of these names."""


def dialect_names() -> tuple[str, ...]:
    """All names, the project's own first; nothing is loaded for it."""
    others = {point.name for point in entry_points(group=GROUP)} - set(DIALECTS)
    return (*DIALECTS, *sorted(others))


def find_family(name: str, setting: str = "") -> Family:
    """The family of that name; `setting` is where the name was given.

    Raises ConfigError where there is none, two packages claim it, or the package's code is wrong.
    """
    if name in DIALECTS:
        return DIALECTS[name]
    points = [point for point in entry_points(group=GROUP) if point.name == name]
    where = f"{setting}: " if setting else ""
    if not points:
        raise ConfigError(f"{where}there is no dialect {name!r}", f"there are {', '.join(dialect_names())}")
    if len({point.value for point in points}) > 1:
        raise ConfigError(f"{where}several packages add a dialect {name!r}", "remove all but one")
    try:
        family = points[0].load()
    except Exception as error:  # The package's code may raise anything.
        raise ConfigError(f"{where}the dialect {name!r} ({points[0].value}) cannot be loaded: {error}") from error
    if not isinstance(family, Family):
        raise ConfigError(f"{where}the dialect {name!r} ({points[0].value}) is no agent.dialects.Family")
    return family


def make_dialect(
    name: str, options: Options | None = None, own: Mapping[str, Any] | None = None, setting: str = ""
) -> Dialect:
    """The dialect of that name; `own` are the family's own options (`prompt.options` in the settings).

    Raises ConfigError for an unknown name or option, and DialectError for a prompt that cannot be used.
    """
    family, options, own = find_family(name, setting), options or Options(), own or {}
    wrong = sorted(set(own) - set(family.own))
    if wrong:
        listed = f"it has {', '.join(family.own)}" if family.own else "it has none"
        raise ConfigError(f"prompt.options: the dialect {name} has no option {wrong[0]!r}", listed)
    return family(options.kind, **family.fitting(options), **own)
