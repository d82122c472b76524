"""Reading YAML files, with errors that name the file and the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from agent.errors import ConfigError


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
