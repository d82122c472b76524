"""Ctrl-C: once pauses after the current stage, twice stops at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


def to_stderr(text: str) -> None:
    """Write a line past Python's buffers: a signal may come in the middle of a print, which must not be re-entered."""
    os.write(2, f"{text}\n".encode())


class Stopped(Exception):
    """The user wants the episode to end."""


class Interrupts:
    """Counts presses of Ctrl-C while it is entered.

    Off the main thread it does nothing: Python has no signals there.
    `read` asks the user what to do in a pause; `interactive` None means: find out from standard input.
    """

    def __init__(
        self,
        read: Callable[[str], str] = input,
        write: Callable[[str], None] = to_stderr,
        interactive: bool | None = None,
    ) -> None:
        self._read, self._write, self._interactive = read, write, interactive
        self._pressed = False
        self._at_once = False
        self._previous: Any = None
        self._installed = False

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)
            self._installed = True
        return self

    def __exit__(self, *exc: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, self._previous)
            self._installed = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._pressed or self._at_once:
            raise KeyboardInterrupt
        self._pressed = True
        self._write("\npausing after this stage; Ctrl-C again stops at once")

    def check(self) -> None:
        """Called between stages: pause when Ctrl-C was pressed. Raises Stopped when the answer is to stop."""
        if not self._pressed:
            return
        interactive = sys.stdin.isatty() if self._interactive is None else self._interactive
        if not interactive:
            raise Stopped("Ctrl-C")
        with self.immediate():
            try:
                answer = self._read("paused: Enter goes on, s stops > ").strip().casefold()
            except EOFError:
                raise Stopped("Ctrl-C") from None
        if answer in ("s", "stop", "q", "quit"):
            raise Stopped("Ctrl-C")
        self._pressed = False

    @contextmanager
    def immediate(self) -> Iterator[None]:
        """While a question stands at the terminal, one press is enough."""
        before, self._at_once = self._at_once, True
        try:
            yield
        finally:
            self._at_once = before


@contextmanager
def shielded() -> Iterator[None]:
    """While a record is written or a browser closed, presses of Ctrl-C are ignored: they could tear it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    current = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, current)
