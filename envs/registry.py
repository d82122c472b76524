"""Environments by name: the project's own, and those that installed packages add.

A package adds one by an entry point of the group `guikv.environments`, whose value is a factory: a callable with
keyword options that returns an `Environment`. What is told of a broken one names the package it came with.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from operator import attrgetter
from typing import Any

from envs.actions import ACTION_TYPES
from envs.base import EnvError, Environment, SetupError
from envs.options import check_known, filled, option_names

GROUP = "guikv.environments"


@dataclass(frozen=True)
class BuiltIn:
    """Where to find what starts an environment (module:attribute), and the options class that it takes.

    Without such a class it takes its options by keyword.
    """

    launch: str
    options: str = ""


ENVIRONMENTS: dict[str, BuiltIn] = {
    "browser": BuiltIn("envs.browser:Browser.launch", "envs.browser.options:BrowserOptions"),
    "desktop": BuiltIn("envs.desktop:Desktop.launch", "envs.desktop.options:DesktopOptions"),
    "android": BuiltIn("envs.android:Android.launch", "envs.android.options:AndroidOptions"),
    "playground": BuiltIn("envs.playground.live:open_page"),
    "miniwob": BuiltIn("envs.miniwob:open_task"),
}
"""The project's own. No package can take one of these names."""

Factory = Callable[..., Environment]

MEMBERS = (
    "name", "capabilities", "screenshot", "execute", "settle", "context", "describe_target", "verdict", "close",
    "__enter__", "__exit__",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A factory that was found, what it came with (for messages), and the options class it takes, if any."""

    name: str
    factory: Factory
    origin: str
    options: type[Any] | None = None


def environment_names() -> tuple[str, ...]:
    """All names, the project's own first; nothing is loaded for it."""
    others = {point.name for point in entry_points(group=GROUP)} - set(ENVIRONMENTS)
    return (*ENVIRONMENTS, *sorted(others))


def environment_options(name: str) -> tuple[str, ...] | None:
    """Names of the options, or None where the factory takes any and checks them itself. Raises SetupError."""
    return _options_of(find(name))


def make_environment(name: str, **options: Any) -> Environment:
    """Start an environment; whoever called closes it.

    Raises SetupError where the name, an option or the package's code is wrong, and any EnvError that the factory
    raises.
    """
    entry = find(name)
    if entry.options is not None:
        return launch(name, filled(name, entry.options, options))
    known = _options_of(entry)
    if known is not None:
        check_known(name, options, set(known))
    return _checked(entry, lambda: entry.factory(**options))


def launch(name: str, options: Any = None) -> Environment:
    """Start one of the project's own with its options class; None is all as it is by default.

    Raises SetupError, and any EnvError that starting it raises.
    """
    entry = find(name)
    return _checked(entry, lambda: entry.factory(options))


def _checked(entry: Entry, start: Callable[[], Environment]) -> Environment:
    environment = _call(entry, start)
    try:
        _check(entry, environment)
    except SetupError:
        close = getattr(environment, "close", None)
        if callable(close):
            close()
        raise
    return environment


def find(name: str) -> Entry:
    """The factory of that name, loaded. Raises SetupError."""
    if name in ENVIRONMENTS:
        built_in = ENVIRONMENTS[name]
        options = _attribute(built_in.options) if built_in.options else None
        return Entry(name, _attribute(built_in.launch), "guikv", options)
    points = [point for point in entry_points(group=GROUP) if point.name == name]
    if not points:
        names = environment_names()
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise SetupError(f"there is no environment {name!r}", f"{hint}there are {', '.join(names)}")
    if len(points) > 1:
        raise SetupError(
            f"the environment {name!r} comes with {' and with '.join(sorted(map(_package, points)))}",
            "uninstall all but one of them",
        )
    return Entry(name, _load(points[0]), _package(points[0]))


def _attribute(place: str) -> Any:
    module, _, path = place.partition(":")
    return attrgetter(path)(import_module(module))


def _package(point: EntryPoint) -> str:
    return "a package without a name" if point.dist is None else f"the package {point.dist.name}"


def _load(point: EntryPoint) -> Factory:
    try:
        factory = point.load()
    except Exception as error:
        # Somebody else's module runs here, and may fail in any way.
        raise SetupError(
            f"the environment {point.name!r} of {_package(point)} cannot be loaded from {point.value}: {_what(error)}"
        ) from error
    if not callable(factory):
        raise SetupError(f"the environment {point.name!r} of {_package(point)}: {point.value} cannot be called")
    return factory


def _options_of(entry: Entry) -> tuple[str, ...] | None:
    if entry.options is not None:
        return option_names(entry.options)
    try:
        parameters = inspect.signature(entry.factory).parameters.values()
    except (TypeError, ValueError):
        # Some callables written in C tell nothing of themselves.
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return tuple(parameter.name for parameter in parameters if parameter.kind in named)


def _call(entry: Entry, start: Callable[[], Environment]) -> Environment:
    try:
        return start()
    except EnvError:
        raise
    except Exception as error:
        if entry.name in ENVIRONMENTS:
            raise
        raise SetupError(
            f"the environment {entry.name!r} of {entry.origin} could not be started: {_what(error)}"
        ) from error


def _check(entry: Entry, environment: object) -> None:
    """Raises SetupError where that is no Environment."""
    which = f"the environment {entry.name!r} of {entry.origin}"
    if not isinstance(environment, Environment):
        missing = [member for member in MEMBERS if not hasattr(environment, member)]
        raise SetupError(f"{which}: what it returns is no environment, it lacks {', '.join(missing)}")
    strange = sorted(set(environment.capabilities) - set(ACTION_TYPES))
    if strange:
        raise SetupError(f"{which} names actions that there are not: {', '.join(map(repr, strange))}")


def _what(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
