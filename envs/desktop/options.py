"""What of a desktop is seen, what happens when a person uses it at the same time, and what a sandbox is like."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from envs.base import SetupError
from envs.keys import UnknownKey, parse_chord
from envs.options import NO_VALUE

MAX_SIDE = 16384
OnUserInput = Literal["pause", "ignore", "stop"]
Command = str | tuple[str, ...]


def _split(separator: str) -> BeforeValidator:
    """Numbers as they stand on a command line, such as 1280x800."""
    return BeforeValidator(lambda value: value.lower().split(separator) if isinstance(value, str) else value)


@dataclass(frozen=True)
class DesktopOptions:
    """All options of `Desktop.launch`. Raises SetupError on values that no desktop could have.

    sandbox: size of a screen of its own, in which `command` (also called `exec`) is started and people on this machine
        may `watch`; None is the user's own screen.
    display: X display such as ":7"; None is $DISPLAY. Without a meaning on macOS and Windows.
    monitor: 0 shows all monitors as one picture, 1 and up one of them.
    region: x, y, width and height in screen units, possibly negative; replaces `monitor`.
    window: part of a title; the picture is the inside of that window, followed when it moves.
    on_user_input: when a person uses mouse or keyboard, the agent waits until they are still for `quiet_seconds`,
        or goes on, or stops.
    stop_key: one key, to be held for `stop_hold_seconds`, or a chord such as ctrl+alt+q, which stops at once;
        empty for none. Only a person's own keys count: X11 tells them from injected ones.
    stable_seconds, reply_seconds: longest wait for a still picture, and for any single answer.
    tell: gets one line for the user when the agent pauses and goes on.
    """

    SETTINGS: ClassVar[tuple[str, ...]] = (
        "sandbox", "exec", "watch", "display", "monitor", "region", "window", "on_user_input", "stop_key",
    )  # fmt: skip

    sandbox: Annotated[tuple[int, int] | None, _split("x")] = None
    command: Command = ()
    watch: bool = False
    display: str | None = None
    monitor: Annotated[int, Field(ge=0)] = 1
    region: Annotated[tuple[int, int, int, int] | None, _split(",")] = None
    window: str | None = None
    on_user_input: OnUserInput = "pause"
    stop_key: str = "escape"
    stop_hold_seconds: float = 1.0
    quiet_seconds: float = 2.0
    stable_seconds: float = 3.0
    reply_seconds: float = 10.0
    tell: Callable[[str], None] | None = field(default=None, metadata=NO_VALUE)
    exec: InitVar[Command | None] = None

    def __post_init__(self, exec: Command | None) -> None:
        if exec is not None:
            object.__setattr__(self, "command", exec)
            if not self.words():
                raise SetupError("exec names no program")
        if self.sandbox is None and (self.command or self.watch):
            raise SetupError("a command and watching belong to a sandbox", "give sandbox=1280x800 as well")
        if self.sandbox is not None:
            if self.display is not None:
                raise SetupError("a sandbox has a display of its own, so `display` has no meaning with it")
            _check_size(self.sandbox)
        if self.monitor < 0:
            raise SetupError(f"monitor is 0 (all) or a number from 1 on, not {self.monitor}")
        if self.region is not None and (len(self.region) != 4 or min(self.region[2:]) < 1):
            raise SetupError(f"region is x, y, width, height with at least one pixel each way, not {self.region}")
        if self.region is not None and self.window is not None:
            raise SetupError("either a region or a window, not both")
        if self.window is not None and not self.window.strip():
            raise SetupError("window is a part of a title, not empty")
        if self.on_user_input not in ("pause", "ignore", "stop"):
            raise SetupError(f"on_user_input is pause, ignore or stop, not {self.on_user_input!r}")
        for name in ("stop_hold_seconds", "quiet_seconds"):
            if getattr(self, name) < 0:
                raise SetupError(f"{name} is 0 or more, not {getattr(self, name)}")
        for name in ("stable_seconds", "reply_seconds"):
            if getattr(self, name) <= 0:
                raise SetupError(f"{name} is above 0, not {getattr(self, name)}")
        self.stop_chord()

    def stop_chord(self) -> tuple[str, ...]:
        """Canonical names of the stop key's parts. Raises SetupError."""
        if not self.stop_key:
            return ()
        try:
            return tuple(key.lower() for key in parse_chord(self.stop_key))
        except UnknownKey as error:
            raise SetupError(f"stop key: {error}") from error

    def words(self) -> tuple[str, ...]:
        """The program to start, and its arguments. Raises SetupError where quotes do not close."""
        try:
            return tuple(shlex.split(self.command)) if isinstance(self.command, str) else tuple(self.command)
        except ValueError as error:
            raise SetupError(f"the command {self.command!r} cannot be read: {error}") from error


@dataclass(frozen=True)
class SandboxOptions:
    """All options of `Sandbox.start`. Raises SetupError on a size that no screen has.

    size: pixels of the screen.
    command: program to start, with its arguments; empty for none. It is waited for until its first window is
        there and has drawn itself.
    watch: let people on this machine look on with a VNC viewer, which can see and do nothing more.
    cwd: folder in which programs start; None is the current one.
    environment: variables for programs, beside PATH, the language and the like; nothing else of the user's own
        (keys, tokens) is handed on.
    start_seconds: longest wait for any part to come up.
    """

    size: tuple[int, int] = (1280, 800)
    command: tuple[str, ...] = ()
    watch: bool = False
    cwd: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    start_seconds: float = 60.0

    def __post_init__(self) -> None:
        _check_size(self.size)
        if self.start_seconds <= 0:
            raise SetupError(f"start_seconds is above 0, not {self.start_seconds}")


def _check_size(size: Sequence[int]) -> None:
    if not all(1 <= side <= MAX_SIDE for side in size):
        raise SetupError(f"a screen has 1 to {MAX_SIDE} pixels each way, not {size[0]}x{size[1]}")
