"""The agent's side of the worker: one question, one answer, each within its time."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import envs
from envs.base import (
    ActionFailed,
    EnvError,
    EnvironmentDied,
    ScreenshotError,
    SetupError,
    UnsupportedAction,
    UserStopped,
)

START_SECONDS = 60.0
_CLOSE_SECONDS = 2.0
_GRACE_SECONDS = 2.0
_ERRORS: dict[str, type[EnvError]] = {
    kind.__name__: kind
    for kind in (ActionFailed, EnvironmentDied, ScreenshotError, SetupError, UnsupportedAction, UserStopped)
}


class UsedByPerson(Exception):
    """A person used the mouse or the keyboard (`what`); the action was not done, or not to its end."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


_LOOKS = ("shot", "settle", "facts")
"""Requests that look and do nothing, and so may be made again."""


class _Late(EnvironmentDied):
    """No answer in time."""


class Link:
    """A worker process. Raises SetupError as the worker does; `close` ends it in any case."""

    def __init__(self, config: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._number = 0
        self._buffer = bytearray()
        self._dead = ""
        self._process = subprocess.Popen(
            # -P: what lies in the current folder is not imported.
            [sys.executable, "-P", "-m", "envs.desktop.worker"],
            env={**environment, "PYTHONPATH": _search_path(environment)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._pieces: queue.Queue[bytes] = queue.Queue()
        if self._process.stdout is not None:
            threading.Thread(target=_read, args=(self._process.stdout, self._pieces), daemon=True).start()
        try:
            self._send(config)
            self._answer(None, START_SECONDS)
        except EnvironmentDied as error:
            self.close()
            raise SetupError(f"the desktop did not get ready: {error.message}") from error
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, name: str, seconds: float, /, **arguments: Any) -> tuple[dict[str, Any], bytes]:
        """The answer, which has to come within `seconds`; a worker that does not even say that it gave up is ended.

        Raises EnvError or UsedByPerson.
        """
        if self._dead:
            raise EnvironmentDied(self._dead)
        self._number += 1
        try:
            self._send({"id": self._number, "do": name, **arguments})
            try:
                return self._answer(self._number, seconds)
            except _Late as late:
                self._break_off(late)
                failure = ScreenshotError if name in _LOOKS else ActionFailed
                raise failure(f"this took longer than {seconds:g} s, and was broken off") from late
        except EnvironmentDied as error:
            self._dead = error.message
            self._end()
            raise
        except KeyboardInterrupt:
            self._cancel()
            raise

    def close(self) -> None:
        """End the worker, after it let go of all keys. May be called twice."""
        self._dead = self._dead or "the desktop has been closed"
        if self._process.poll() is None and self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:
                self._end()
        try:
            self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._end()
        self._end()

    def _break_off(self, late: _Late) -> None:
        """An action may be slow because a program is; a display that says nothing at all is taken for dead."""
        self._cancel()
        try:
            self._answer(self._number, _GRACE_SECONDS)
        except (ActionFailed, UsedByPerson, ScreenshotError):
            return
        except _Late:
            raise late from None

    def _send(self, message: Mapping[str, Any]) -> None:
        pipe = self._process.stdin
        try:
            if pipe is not None:
                pipe.write(json.dumps(message).encode() + b"\n")
                pipe.flush()
        except (OSError, ValueError) as error:
            raise EnvironmentDied("the display is gone") from error

    def _cancel(self) -> None:
        if self._process.poll() is None and not self._dead:
            try:
                self._send({"do": "cancel"})
            except EnvironmentDied as error:
                self._dead = error.message

    def _answer(self, number: int | None, seconds: float) -> tuple[dict[str, Any], bytes]:
        end = time.monotonic() + seconds
        while True:
            while (cut := self._buffer.find(b"\n")) < 0:
                self._more(end, seconds)
            header = json.loads(self._buffer[:cut])
            del self._buffer[: cut + 1]
            while len(self._buffer) < header["bytes"]:
                self._more(end, seconds)
            data = bytes(self._buffer[: header["bytes"]])
            del self._buffer[: header["bytes"]]
            # Answers to questions that were broken off come late.
            if number is None or header.get("id") == number or "id" not in header:
                break
        if "ok" in header:
            return dict(header["ok"]), data
        if header["error"] == "Interrupted":
            raise UsedByPerson(header["message"])
        raise _ERRORS.get(header["error"], EnvironmentDied)(header["message"], header["hint"])

    def _more(self, end: float, seconds: float) -> None:
        try:
            piece = self._pieces.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise _Late(f"the display did not answer within {seconds:g} s") from None
        if not piece:
            # Again for whoever asks next.
            self._pieces.put(b"")
            raise EnvironmentDied("the display is gone")
        self._buffer += piece

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdin is not None and not self._process.stdin.closed:
            try:
                self._process.stdin.close()
            except OSError:
                # What was still to be sent has nobody to go to.
                return


def _read(pipe: IO[bytes], pieces: queue.Queue[bytes]) -> None:
    """On a thread of its own: a pipe cannot be waited for in the same way on all systems."""
    with pipe:
        while piece := os.read(pipe.fileno(), 1 << 20):
            pieces.put(piece)
    pieces.put(b"")


def _search_path(environment: Mapping[str, str]) -> str:
    own = str(Path(envs.__file__).parents[1])
    return os.pathsep.join(filter(None, (own, environment.get("PYTHONPATH", ""))))
