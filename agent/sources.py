"""Where settings come from, and which one wins.

defaults < YAML file < environment (GUIKV_SECTION__KEY) < --set section.key=value < explicit options
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from agent.config import Config
from agent.errors import ConfigError
from envs.options import setting_types

PREFIX = "GUIKV_"
SEPARATOR = "__"


@dataclass(frozen=True)
class Setting:
    """One value: its key as `section.key`, and the place a person would look for it."""

    key: str
    value: Any
    origin: str


def resolve(
    *,
    base: Mapping[str, Any] | None = None,
    base_origin: str = "the command",
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    assignments: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Config:
    """The settings that result. Raises ConfigError naming the place, the key and what was expected.

    `base` replaces defaults, by key; `base_origin` is where they stand. `options` holds explicit command line options
    by key; None means not given.
    """
    settings = [
        *(Setting(key, value, base_origin) for key, value in (base or {}).items()),
        *(_from_file(file) if file is not None else ()),
        *_from_environment(environment or {}),
        *_from_assignments(assignments),
        *(Setting(key, value, "the command line") for key, value in (options or {}).items() if value is not None),
    ]
    tree: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in settings:
        check_key(setting)
        _put(tree, setting)
        origins[setting.key] = setting.origin
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise _explain(error, origins) from error


def _from_file(path: Path) -> list[Setting]:
    return [Setting(key, value, str(path)) for key, value in flatten(read_yaml(path))]


def _from_environment(environment: Mapping[str, str]) -> list[Setting]:
    found = []
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX) and SEPARATOR in name:
            key = name.removeprefix(PREFIX).lower().replace(SEPARATOR, ".")
            found.append(Setting(key, scalar(value), f"the environment variable {name}"))
    return found


def _from_assignments(assignments: Iterable[str]) -> list[Setting]:
    example = "for example --set cache.budget=20%"
    return [Setting(*_assignment("--set", text, example), f"--set {text}") for text in assignments]


def read_options(assignments: Iterable[str]) -> dict[str, Any]:
    """`key=value` texts of `--option`, values read as in YAML. Raises ConfigError."""
    return dict(_assignment("--option", text, "for example --option seed=3") for text in assignments)


def _assignment(option: str, text: str, example: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"{option} {text}: expected key=value", example)
    return key.strip(), scalar(value)


def flatten(data: Mapping[str, Any], prefix: str = "", model: type[Any] = Config) -> list[tuple[str, Any]]:
    """Nested mapping → `section.key` and value, down to where the settings themselves begin."""
    out: list[tuple[str, Any]] = []
    for name, value in data.items():
        key = f"{prefix}{name}"
        section = _section(model, str(name))
        if section is not None and (value is None or isinstance(value, Mapping)):
            out += flatten(value or {}, f"{key}.", section)
        else:
            out.append((key, value))
    return out


def check_key(setting: Setting) -> None:
    """Raises ConfigError with the nearest known key when there is no such setting."""
    model: type[Any] = Config
    parts = setting.key.split(".")
    for index, part in enumerate(parts):
        if part not in _types(model):
            raise ConfigError(f"{setting.origin}: there is no setting {setting.key!r}", _nearest(setting.key))
        section = _section(model, part)
        if section is None:
            free = get_origin(_types(model)[part]) is dict
            if index + 1 < len(parts) and not free:
                raise ConfigError(f"{setting.origin}: {'.'.join(parts[: index + 1])} has no keys of its own")
            return
        model = section
    expected = ", ".join(_types(model))
    raise ConfigError(f"{setting.origin}: {setting.key} is a section, not a setting", f"its keys are {expected}")


def known_keys(model: type[Any] = Config, prefix: str = "") -> list[str]:
    """All settings as `section.key`."""
    keys: list[str] = []
    for name in _types(model):
        section = _section(model, name)
        keys += [f"{prefix}{name}"] if section is None else known_keys(section, f"{prefix}{name}.")
    return keys


def _nearest(key: str) -> str:
    keys = known_keys()
    close = difflib.get_close_matches(key, keys, n=1, cutoff=0.5)
    last = key.rpartition(".")[2]
    same_end = [known for known in keys if known.rpartition(".")[2] == last]
    by_end = difflib.get_close_matches(last, [known.rpartition(".")[2] for known in keys], n=1, cutoff=0.6)
    if not same_end and by_end and not close:
        same_end = [known for known in keys if known.endswith("." + by_end[0])]
    best = same_end[:1] or close
    return f"the nearest is {best[0]!r}" if best else f"sections are {', '.join(Config.model_fields)}"


def _types(section: type[Any]) -> dict[str, Any]:
    """Key → type of its value."""
    if issubclass(section, BaseModel):
        return {name: field.annotation for name, field in section.model_fields.items()}
    return setting_types(section)


def _section(model: type[Any], name: str) -> type[Any] | None:
    """The section that a key of `model` leads to, or None where it is a setting or none at all."""
    annotation = _types(model).get(name)
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, BaseModel)):
            return kind
    return None


def _put(tree: dict[str, Any], setting: Setting) -> None:
    *sections, last = setting.key.split(".")
    for name in sections:
        below = tree.setdefault(name, {})
        if not isinstance(below, dict):
            below = tree[name] = {}
        tree = below
    tree[last] = setting.value


def _explain(error: ValidationError, origins: Mapping[str, str]) -> ConfigError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    inside = [known for known in origins if known.startswith(key + ".")]
    if inside:
        # A section was refused as a whole: the key that it complains of, or the last that was given.
        key = next((known for known in inside if known.rpartition(".")[2] in message), inside[-1])
    origin = next((place for known, place in origins.items() if key == known or key.startswith(known + ".")), "")
    given = "" if inside or isinstance(first["input"], dict) else f", not {first['input']!r}"
    return ConfigError(f"{origin + ': ' if origin else ''}{key}: {message}{given}")


def read_yaml(path: Path) -> dict[str, Any]:
    """Mapping in a YAML file (an empty file is an empty mapping). Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold keys with values, not a {type(data).__name__}")
    return data


def scalar(text: str) -> Any:
    """The value `text` would be in a YAML file: `20` a number, `[1, 2]` a list, anything odd itself."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
