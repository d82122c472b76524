"""Everything the worker holds of one desktop, and each request that it understands."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

from envs.base import ActionFailed, ScreenshotError, SetupError
from envs.desktop.area import Area, area_of
from envs.desktop.camera import Camera, Picture, Wanted
from envs.desktop.control import Control
from envs.desktop.pointer import Pointer, load_pyautogui

_GLANCE_SECONDS = 0.06
"""Between the two pictures that are to be equal."""

Answer = tuple[dict[str, Any], bytes]


class Keys(Protocol):
    """A keyboard, of X11 or another system."""

    def chord(self, names: list[str]) -> None: ...
    def down(self, name: str) -> None: ...
    def up(self, name: str) -> None: ...
    def write(self, text: str) -> None: ...
    def release_all(self) -> None: ...
    def close(self) -> None: ...


class Views(Protocol):
    """The windows of the system, where they can be asked for."""

    def active(self) -> tuple[str, str]: ...
    def title_at(self, x: int, y: int) -> str: ...


class Desk:
    """Camera, mouse, keyboard and windows of one display. Raises SetupError."""

    _keys: Keys

    def __init__(self, config: dict[str, Any], control: Control) -> None:
        self._control = control
        self._windows: Views | None = None
        follow: Callable[[str], Area] | None = None
        x11 = sys.platform.startswith("linux")
        display: str | None = None
        if x11:
            from envs.desktop.x11.start import open_x11

            display = os.environ["DISPLAY"]
            # First of all, so that a display that is not there is told in one way.
            self._keys, windows = open_x11(display, config, control)
            self._windows, follow = windows, windows.follow
        gui = load_pyautogui()
        if not x11:
            self._keys = _other_keyboard(gui, control)
        self._pointer = Pointer(gui, control)
        region = config.get("region")
        wanted = Wanted(config["monitor"], area_of(region) if region else None, config.get("window"))
        self._camera = Camera(display, wanted, follow)

    def close(self) -> None:
        """Let everything go that is held, and give back what was lent."""
        self._keys.close()
        self._camera.close()

    def rest(self) -> None:
        """Nothing stays held, now that a person has stopped the agent."""
        self._keys.release_all()

    def do(self, request: dict[str, Any]) -> Answer:
        """Answer a request. Raises EnvError or Interrupted."""
        name = request["do"]
        if name == "shot":
            return self._shot()
        if name == "still":
            return {"seconds": self._control.still_for()}, b""
        self._control.check_stop()
        if name == "settle":
            return self._settle(float(request["seconds"])), b""
        if name == "facts":
            title, kind = self._windows.active() if self._windows else ("", "")
            return {"title": title, "window_class": kind}, b""
        if name == "title_at":
            x, y = request["at"]
            return {"title": self._windows.title_at(x, y) if self._windows else ""}, b""
        self._control.check()
        self._act(name, request)
        return {}, b""

    def _act(self, name: str, request: dict[str, Any]) -> None:
        moved = self._moved(request)
        points = [(x + moved[0], y + moved[1]) for x, y in request.get("points", ())]
        match name:
            case "click":
                self._pointer.click(points[0], request["button"], request["count"])
            case "move":
                self._pointer.move(points[0])
            case "drag":
                self._pointer.drag(points, request["seconds"])
            case "hold":
                self._pointer.hold(points[0], request["seconds"])
            case "scroll":
                self._pointer.scroll(points[0], request["direction"], request["amount"])
            case "write":
                self._keys.write(request["text"])
            case "chord":
                self._keys.chord(request["keys"])
            case "down":
                self._keys.down(request["key"])
            case "up":
                self._keys.up(request["key"])
            case "wait":
                self._control.sleep(request["seconds"])
            case _:
                raise ActionFailed(f"the worker knows no {name!r}")

    def _moved(self, request: dict[str, Any]) -> tuple[int, int]:
        """How far the picture's place has moved since it was taken (a window can). Raises ActionFailed."""
        if "seen" not in request or not request.get("points"):
            return 0, 0
        seen, now = area_of(request["seen"]), self._where()
        if (seen.width, seen.height) != (now.width, now.height):
            raise ActionFailed("the window has another size than in the last picture; look again")
        return now.x - seen.x, now.y - seen.y

    def _where(self) -> Area:
        try:
            return self._camera.where()
        except SetupError as error:
            raise ScreenshotError(error.message, error.hint) from error

    def _take(self) -> Picture:
        try:
            return self._camera.take()
        except SetupError as error:
            # What was there at the start is gone by now.
            raise ScreenshotError(error.message, error.hint) from error

    def _shot(self) -> Answer:
        self._control.check_stop()
        self._control.looked()
        picture = self._take()
        return {"area": picture.area.listed(), "size": list(picture.size)}, picture.pixels

    def _settle(self, seconds: float) -> dict[str, Any]:
        end, last = time.monotonic() + seconds, b""
        while True:
            try:
                now = self._take().pixels
            except ScreenshotError:
                now = b""
            if now and now == last:
                return {"still": True}
            last = now
            pause = min(_GLANCE_SECONDS, end - time.monotonic())
            if pause <= 0:
                return {"still": False}
            time.sleep(pause)
            self._control.check_stop()


def _other_keyboard(gui: Any, control: Control) -> Keys:
    try:
        import pyperclip
    except ModuleNotFoundError as error:
        raise SetupError("text goes over the clipboard here, which needs pyperclip", "pip install pyperclip") from error
    from envs.desktop.non_x11 import OtherKeyboard

    return OtherKeyboard(gui, pyperclip, control)
