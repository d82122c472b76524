"""`Desktop`: a whole screen, a monitor, a region or a window as an environment."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Self

from PIL import Image

from envs.actions import Action, points_of
from envs.base import (
    ActionFailed,
    EnvironmentDied,
    Event,
    Screenshot,
    ScreenshotError,
    SetupError,
    UserStopped,
    Verdict,
)
from envs.desktop.area import area_of
from envs.desktop.link import Link, UsedByPerson
from envs.desktop.options import DesktopOptions, SandboxOptions
from envs.desktop.perform import CAPABILITIES, Order, orders, spot
from envs.desktop.sandbox import Sandbox
from envs.geometry import Size, Viewport

_POLL_SECONDS = 0.1
_LONGEST = 200


PACKAGES = ("mss", "pyautogui", "Xlib") if sys.platform.startswith("linux") else ("mss", "pyautogui")
FIX = "pip install 'guikv[desktop]'"


def missing_packages() -> list[str]:
    """Those that are not installed. They are looked for and not imported: pyautogui opens a display at import."""
    return [name for name in PACKAGES if find_spec(name) is None]


def check_packages() -> None:
    """Raises SetupError where one is missing."""
    absent = missing_packages()
    if absent:
        raise SetupError(f"a desktop is driven through {', '.join(PACKAGES)}; not here: {', '.join(absent)}", FIX)


def _sandbox_for(options: DesktopOptions) -> Sandbox | None:
    check_packages()
    if options.sandbox is None:
        return None
    sandbox = Sandbox.start(SandboxOptions(size=options.sandbox, command=options.words(), watch=options.watch))
    if sandbox.watch_port is not None and options.tell is not None:
        options.tell(f"watch: a VNC viewer at 127.0.0.1:{sandbox.watch_port}")
    return sandbox


class Desktop:
    """The screen as pictures, driven by mouse and keyboard. Use as a context manager, by one caller at a time.

    X11 is what it was made and tested for. On macOS and Windows the same code takes pictures and moves the mouse,
    text goes over the clipboard, and nobody watches for a stop key or a person's hands; this is untested.
    """

    name = "desktop"
    capabilities = CAPABILITIES

    def __init__(self, options: DesktopOptions | None = None, sandbox: Sandbox | None = None) -> None:
        """Raises SetupError. A sandbox, given or of the options, is closed with the desktop and where this fails."""
        self.options = options or DesktopOptions()
        self._sandbox = sandbox or _sandbox_for(self.options)
        self._link: Link | None = None
        self._viewport: Viewport | None = None
        try:
            self._link = Link(_config(self.options), _environment(self.options, self._sandbox))
        except BaseException:
            self.close()
            raise

    @classmethod
    def launch(cls, options: DesktopOptions | None = None, sandbox: Sandbox | None = None) -> Self:
        """Connect to a display, or to that of a sandbox. Raises SetupError."""
        return cls(options, sandbox)

    def screenshot(self) -> Screenshot:
        found, pixels = self._ask("shot", self.options.reply_seconds)
        area, size = area_of(found["area"]), (int(found["size"][0]), int(found["size"][1]))
        if len(pixels) != 4 * size[0] * size[1]:
            raise ScreenshotError("the picture is not of the size that it says")
        image = Image.frombuffer("RGB", size, pixels, "raw", "BGRX", 0, 1)
        self._viewport = Viewport(Size(*size), Size(area.width, area.height), (float(area.x), float(area.y)))
        return Screenshot(image, self._viewport)

    def execute(self, action: Action) -> tuple[Event, ...]:
        """Do the action in the pixels of the last screenshot.

        Where a person used mouse or keyboard since then, nothing is done (any more): with "pause" this waits until
        they are still and raises ActionFailed, so that the model looks again; with "stop" it raises UserStopped.
        """
        if self._viewport is None:
            self.screenshot()
        if self._viewport is None:
            raise ScreenshotError("there is no picture to act on")
        for order in orders(action, self._viewport):
            self._do(order)
        return ()

    def settle(self) -> float:
        start = time.monotonic()
        seconds = self.options.stable_seconds
        self._ask("settle", seconds + self.options.reply_seconds, seconds=seconds)
        return time.monotonic() - start

    def context(self) -> Mapping[str, str]:
        """Title and class of the window in use."""
        found, _ = self._ask("facts", self.options.reply_seconds)
        return {"title": str(found["title"]), "window_class": str(found["window_class"])}

    def describe_target(self, action: Action) -> str:
        """Titles of the windows at the first and last point, or of the one in use where keys go."""
        points = points_of(action)
        if self._viewport is None or not points:
            return self.context()["title"] if action.type in ("type", "keys", "key_down") else ""
        found = []
        for point in dict.fromkeys((points[0], points[-1])):
            if self._viewport.contains(point):
                at = spot(self._viewport, point)
                found.append(self._ask("title_at", self.options.reply_seconds, at=at)[0]["title"])
        return " → ".join(title for title in dict.fromkeys(found) if title)[:_LONGEST]

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        """Let all keys go and end everything that was started; may be called again."""
        link, self._link = self._link, None
        sandbox, self._sandbox = self._sandbox, None
        try:
            if link is not None:
                link.close()
        finally:
            if sandbox is not None:
                sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _ask(self, name: str, seconds: float, /, **arguments: Any) -> tuple[dict[str, Any], bytes]:
        if self._link is None:
            raise EnvironmentDied("the desktop has been closed")
        return self._link.ask(name, seconds, **arguments)

    def _do(self, order: Order) -> None:
        try:
            self._ask(order.do, order.seconds + self.options.reply_seconds, **order.arguments)
        except UsedByPerson as used:
            if self.options.on_user_input == "stop":
                raise UserStopped(f"a person used the {used.what}") from used
            self._pause(used.what)
            raise ActionFailed(
                f"a person used the {used.what}, so this was not done (to its end); look again"
            ) from used

    def _pause(self, what: str) -> None:
        """Wait, as long as it takes, until the person is still. Raises UserStopped."""
        self._tell(f"paused: you are using the {what}")
        while True:
            still = float(self._ask("still", self.options.reply_seconds)[0]["seconds"])
            if still >= self.options.quiet_seconds:
                break
            time.sleep(min(_POLL_SECONDS, self.options.quiet_seconds - still))
        self._tell("going on")

    def _tell(self, line: str) -> None:
        if self.options.tell is not None:
            self.options.tell(line)


def _config(options: DesktopOptions) -> dict[str, Any]:
    return {
        "monitor": options.monitor,
        "region": options.region,
        "window": options.window,
        "on_user_input": options.on_user_input,
        "stop_chord": options.stop_chord(),
        "stop_hold_seconds": options.stop_hold_seconds,
    }


def _environment(options: DesktopOptions, sandbox: Sandbox | None) -> dict[str, str]:
    """The worker's variables. Raises SetupError where there is no X display to be had."""
    environment = dict(os.environ)
    if not sys.platform.startswith("linux"):
        return environment
    display = options.display or (sandbox.display if sandbox else environment.get("DISPLAY"))
    if not display:
        if environment.get("WAYLAND_DISPLAY"):
            raise SetupError(
                "this is Wayland without X, where programs may neither see nor drive the screen",
                "log in to an X11 session, or use --sandbox 1280x800",
            )
        raise SetupError(
            "there is no display: $DISPLAY is not set", "name one with --display, or use --sandbox 1280x800"
        )
    environment["DISPLAY"] = display
    return environment
