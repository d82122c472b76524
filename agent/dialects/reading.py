"""The frame around the reading of any answer: its limits, and the errors that become a ParseError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from agent.dialects.coordinates import PointError
from agent.errors import ParseError

MAX_ANSWER = 65_536
"""Characters; a longer answer is a model gone astray."""
MAX_CALLS = 32
MAX_ACTIONS = 128


class CallError(ValueError):
    """Something that should be a call and is none, or can be read in two ways; the message is for the model."""


class ArgumentError(ValueError):
    """An argument is missing, makes no sense or is not known; the message is for the model."""


@contextmanager
def reading(text: str) -> Iterator[None]:
    """Every error of reading `text` inside of it becomes a ParseError. Raises ParseError, at once when too long."""
    if len(text) > MAX_ANSWER:
        raise ParseError(f"the answer has {len(text)} characters, more than {MAX_ANSWER}", text[:200])
    try:
        yield
    except (CallError, ArgumentError, PointError) as error:
        raise ParseError(str(error), text) from error
    except ValidationError as error:
        raise ParseError(f"an argument is out of range: {error.errors()[0]['msg']}", text) from error


def check_count(calls: int) -> None:
    """Raises CallError for more calls than an answer has."""
    if calls > MAX_CALLS:
        raise CallError(f"more than {MAX_CALLS} actions in one answer")
