"""What happened beside the actions, until somebody asks."""

from __future__ import annotations

import logging
from collections import deque

from envs.base import Event

LOGGER = logging.getLogger("envs.browser")

_MOST = 200
"""Events kept; a page that opens dialogs without end loses the oldest."""


class Log:
    """Filled on the worker's thread, emptied by the caller's."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=_MOST)

    def add(self, kind: str, **detail: object) -> None:
        self._events.append(Event(kind, detail))

    def note(self, text: str) -> None:
        """Something only a developer would want to know."""
        LOGGER.debug("%s", text)

    def seen(self, kind: str) -> list[Event]:
        """Events of a kind that nobody has taken yet."""
        return [event for event in tuple(self._events) if event.kind == kind]

    def take(self) -> tuple[Event, ...]:
        """All events since the last call, oldest first."""
        taken: list[Event] = []
        while self._events:
            taken.append(self._events.popleft())
        return tuple(taken)
