"""What can be known of applications from outside: windows, their places and properties, selections."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from tests import patience
from tests.patience import PATIENCE

Box = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the display."""


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that an application does in its own time."""
    assert patience.until(holds), f"not so within {patience.PATIENCE:g} s: {what}"


@dataclass(frozen=True)
class Outside:
    """Looks at the display of `environment` with the tools of X, not with ours."""

    environment: Mapping[str, str]

    def say(self, *command: str) -> str:
        """What a program prints; nothing when it fails."""
        done = subprocess.run(
            command, env=dict(self.environment), capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        return done.stdout

    def selection(self, which: Literal["primary", "clipboard"]) -> str:
        return self.say("xclip", "-o", "-selection", which)

    def forget_selection(self, which: Literal["primary", "clipboard"]) -> None:
        """Put something in it that no test looks for."""
        subprocess.run(
            ["xclip", "-i", "-selection", which],
            env=dict(self.environment),
            input="(nothing)",
            text=True,
            check=True,
            timeout=PATIENCE,
            stdout=subprocess.DEVNULL,
        )

    def windows(self, name: str) -> list[int]:
        """Managed windows whose class or whole title is `name`, oldest first."""
        rows = [line.split(maxsplit=4) for line in self.say("wmctrl", "-lx").splitlines()]
        return [int(row[0], 16) for row in rows if row[2].rpartition(".")[2].casefold() == name or row[4:] == [name]]

    def window(self, name: str) -> Window:
        """The newest window of that class or title, when it is there."""
        until(lambda: bool(self.windows(name)), f"there is a window of {name}")
        return Window(self, self.windows(name)[-1])

    def popups(self, kind: str) -> list[int]:
        """Windows on the screen whose property _NET_WM_WINDOW_TYPE is `kind`, such as TOOLTIP."""
        found = re.findall(r"^\s+(0x[0-9a-f]+) ", self.say("xwininfo", "-root", "-children"), re.MULTILINE)
        return [
            int(number, 16)
            for number in found
            if f"_NET_WM_WINDOW_TYPE_{kind}" in self.say("xprop", "-id", number, "_NET_WM_WINDOW_TYPE")
            and "IsViewable" in self.say("xwininfo", "-id", number)
        ]


@dataclass(frozen=True)
class Window:
    outside: Outside
    number: int

    @property
    def title(self) -> str:
        return self.outside.say("xdotool", "getwindowname", str(self.number)).strip()

    @property
    def box(self) -> Box:
        """Its inside, without the frame."""
        said = self.outside.say("xwininfo", "-id", str(self.number))
        keys = ("Absolute upper-left X", "Absolute upper-left Y", "Width", "Height")
        found = [re.search(rf"{key}:\s+(-?\d+)", said) for key in keys]
        left, top, width, height = (int(match[1]) for match in found if match)
        return left, top, width, height

    @property
    def frame_top(self) -> int:
        """Height of the title bar."""
        extents = self.outside.say("xprop", "-id", str(self.number), "_NET_FRAME_EXTENTS")
        return int(extents.rpartition("=")[2].split(",")[2])

    def at(self, x: float, y: float) -> tuple[int, int]:
        """A place on the display, by shares of the window's width and height."""
        left, top, width, height = self.box
        return round(left + x * width), round(top + y * height)
