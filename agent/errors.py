"""Typed errors of the agent side. `message` says what is wrong, `hint` what the user can do about it."""

from __future__ import annotations

from collections.abc import Iterator

LONGEST_CHAIN = 100
"""Exceptions that are followed from one; a longer chain was made by a fault, not by work."""


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


def error_chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and everything that it was raised from or while handling, each once and LONGEST_CHAIN at most.

    Causes and contexts may form a ring (an error that is raised again while an error that it caused is handled).
    """
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < LONGEST_CHAIN:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [below for below in (one.__context__, one.__cause__) if below is not None]
