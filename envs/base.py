"""The contract between an environment and whoever drives it, and the errors it may raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, runtime_checkable

from PIL import Image

from envs.actions import Action
from envs.geometry import Point, Viewport
from envs.keys import UnknownKey, canonical


class EnvError(Exception):
    """Anything an environment reports. `hint` says what the user can do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.message, self.hint = message, hint


class UnsupportedAction(EnvError):
    """The environment has no such action; told to the model, the episode goes on."""


class ActionFailed(EnvError):
    """The action could not be done (no such option, point outside …); told to the model, the episode goes on."""


class Blocked(EnvError):
    """A rule of the environment forbids it (host not on the allow-list); told to the model, the episode goes on."""


class ScreenshotError(EnvError):
    """No usable picture could be taken; may be retried."""


class HiddenScreen(ScreenshotError):
    """There is a screen, but it may not be seen (a protected window); told to the model in place of a picture.

    `viewport` is what the picture would have been, where that is known: points can still be acted on.
    """

    def __init__(self, message: str, hint: str = "", viewport: Viewport | None = None) -> None:
        super().__init__(message, hint)
        self.viewport = viewport


class EnvironmentDied(EnvError):
    """The browser, display or device is gone; the episode ends."""


class UserStopped(EnvError):
    """A person pressed the stop key, or took over where that means stop; the episode ends as stopped."""


class SetupError(EnvError):
    """The environment could not be started; `hint` has the command that mends it."""


@dataclass(frozen=True)
class Finding:
    """One line of a doctor: is it there, and what mends it. Without what is `required` nothing runs."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    required: bool = True


@dataclass(frozen=True)
class Screenshot:
    """`image` is RGB; its size equals `viewport.screenshot`."""

    image: Image.Image
    viewport: Viewport


@dataclass(frozen=True)
class Event:
    """Something that happened beside the action: `kind` is dialog, download, new_tab, blocked, console …"""

    kind: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What only the harness may know: is the task over, and was it done."""

    done: bool
    success: bool = False


@runtime_checkable
class Environment(Protocol):
    """A live screen. Used as a context manager: leaving it ends every process it started."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> frozenset[str]:
        """`type` names of the actions that `execute` can do."""
        ...

    def screenshot(self) -> Screenshot:
        """The current picture, RGB. Raises ScreenshotError or EnvironmentDied."""
        ...

    def execute(self, action: Action) -> tuple[Event, ...]:
        """Do the action and return what happened beside it. Raises an EnvError."""
        ...

    def settle(self) -> float:
        """Wait, bounded, until the picture is stable; returns the seconds waited."""
        ...

    def context(self) -> Mapping[str, str]:
        """Facts that approval rules look at: `url`, `host`, `package`, `title` and the like, where known."""
        ...

    def describe_target(self, action: Action) -> str:
        """Visible text of what the action would touch (for approval), or the empty string."""
        ...

    def verdict(self) -> Verdict | None:
        """The task's own judgement, or None where there is none."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


def input_point(viewport: Viewport, point: Point) -> Point:
    """Input units of a point of the picture. Raises ActionFailed for one outside, which the model is then told."""
    if not viewport.contains(point):
        size = viewport.screenshot
        raise ActionFailed(f"({point[0]:g}, {point[1]:g}) is outside the screen of {size.width}x{size.height} pixels")
    return viewport.to_device(point)


def key_name(name: str) -> str:
    """Canonical name of a key. Raises ActionFailed, with the nearest one, for a name that no key has."""
    try:
        return canonical(name)
    except UnknownKey as error:
        raise ActionFailed(str(error)) from error


@runtime_checkable
class Locating(Protocol):
    """An environment that finds what it described before."""

    def locate(self, target: str, near: Point) -> Point | None:
        """Where an action would touch what `describe_target` called `target`: the place nearest to `near`.

        In pixels of the last screenshot; None where nothing in sight is called that. Raises an EnvError.
        """
        ...


@runtime_checkable
class Eventful(Protocol):
    """An environment that also reports what happened while it settled."""

    def events(self) -> tuple[Event, ...]: ...
