"""Options of environments: dataclasses that are also the sections of a configuration and what a command line fills in.

One options class an environment; its SETTINGS are the keys that a configuration may have. Pydantic checks what stands
in a file or on a command line against its fields (lists for tuples, texts for numbers, `Annotated` validators); its own
`__post_init__` checks the values themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields
from importlib import import_module
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError, WrapValidator

from envs.base import SetupError

T = TypeVar("T")

NO_VALUE: Mapping[str, Any] = {"value": False}
"""`metadata` of a field that only programs can give, such as a function."""


def setting_types(kind: type[Any]) -> dict[str, Any]:
    """Name → type of what a configuration may give: the names that the class lists as SETTINGS, else all fields."""
    types = get_type_hints(kind)
    return {name: types[name] for name in getattr(kind, "SETTINGS", option_names(kind))}


def option_names(kind: type[Any]) -> tuple[str, ...]:
    """Names of the options that can be given as values, each once."""
    return tuple(field.name for field in fields(kind) if _is_value(field))


def _is_value(field: Field[Any]) -> bool:
    return bool(field.metadata.get("value", True))


def filled(name: str, kind: type[T], options: Mapping[str, Any]) -> T:
    """The options of the environment `name` from values by name.

    Raises SetupError for an option that it does not have, and for a value that the option cannot have.
    """
    names = option_names(kind)
    check_known(name, options, set(names), {*names, *getattr(kind, "SETTINGS", ())})
    try:
        return TypeAdapter(kind).validate_python(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise SetupError(f"{name}: {where}: {message}, not {first['input']!r}") from error


def check_known(name: str, options: Mapping[str, Any], listed: set[str], known: set[str] | None = None) -> None:
    """Raises SetupError, with those `listed`, where there is an option that is not `known` (those listed)."""
    unknown = sorted(set(options) - (known or listed))
    if unknown:
        told = f"its options are {', '.join(sorted(listed))}" if listed else "it has no options"
        raise SetupError(f"{name} has no option {', '.join(map(repr, unknown))}", told)


def _as_value_error(value: Any, check: Callable[[Any], Any]) -> Any:
    try:
        return check(value)
    except SetupError as error:
        raise ValueError(str(error)) from error


Section = WrapValidator(_as_value_error)
"""For `Annotated[SomeOptions, Section]` in a pydantic model: what the options refuse is told with its place."""


@dataclass(frozen=True)
class Needs:
    """A package that an environment cannot do without."""

    package: str
    sentence: str
    hint: str


def on_demand(package: str, homes: Mapping[str, str], needs: Needs | None = None) -> Callable[[str], Any]:
    """A module's `__getattr__` that loads the names in `homes` (name → submodule) when they are first used.

    So the options of an environment can be read without the packages that drive it. It raises SetupError where what is
    needed is not installed.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            return getattr(import_module(f"{package}.{homes[name]}"), name)
        except ModuleNotFoundError as error:
            if needs is None or (error.name or "").partition(".")[0] != needs.package:
                raise
            raise SetupError(needs.sentence, needs.hint) from error

    return load
