"""Typed errors of the agent side. `message` says what is wrong, `hint` what the user can do about it."""

from __future__ import annotations


class AgentError(Exception):
    """Base of everything that `agent` raises on bad input."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.message, self.hint = message, hint


class ConfigError(AgentError):
    """A setting that does not exist or has an impossible value; names where it stands."""


class DialectError(AgentError):
    """A prompt or dialect that cannot be used."""


class ParseError(AgentError):
    """The model's answer holds no action that can be understood. `text` is the answer."""

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message)
        self.text = text


class RecordError(AgentError):
    """The record of a run cannot be written (disk full, no permission, name taken)."""


class RunError(AgentError):
    """The record of a run cannot be read."""
