"""The X server without a monitor whose top left corner is the phone's screen: its picture, windows and pointer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from PIL import Image

from envs.base import EnvironmentDied, SetupError
from envs.xvfb import Xvfb

_HINT = "pip install --force-reinstall --no-deps mss python-xlib"

try:
    import mss
    from Xlib import X
    from Xlib.display import Display
    from Xlib.error import ConnectionClosedError, DisplayError, XError
    from Xlib.ext import xtest
except ImportError as error:
    raise SetupError("the simulated phone needs mss and python-xlib", _HINT) from error

_SMALLEST_WINDOW = 50
"""Narrower ones are there for the clipboard and the like."""
_GONE = (mss.ScreenShotError, ConnectionClosedError, DisplayError, XError, AssertionError, OSError)
"""What mss and python-xlib raise when the server has died."""


class XScreen:
    """`side` pixels each way, of which the phone takes the top left corner.

    Raises SetupError when it cannot be had, EnvironmentDied once its X server is gone.
    """

    def __init__(self, side: int) -> None:
        self.side = side
        self._x = Xvfb((side, side))
        try:
            self._display = Display(self._x.display)
            self._grabber = mss.MSS(display=self._x.display)
        except _GONE as error:
            self._x.close()
            raise SetupError(f"the phone's X server cannot be used: {error}", _HINT) from error
        except BaseException:
            self._x.close()
            raise

    @property
    def display(self) -> str:
        """Name of the X display, such as ":7"."""
        return self._x.display

    @property
    def pid(self) -> int:
        """Process id of the X server."""
        return self._x.pid

    def picture(self, size: tuple[int, int]) -> Image.Image:
        """What the top left corner of this size shows, RGB."""
        with _alive():
            grab = self._grabber.grab({"left": 0, "top": 0, "width": size[0], "height": size[1]})
        return Image.frombytes("RGB", grab.size, grab.bgra, "raw", "BGRX")

    def fill(self, size: tuple[int, int]) -> None:
        """Give all windows this size, at the top left. There is no window manager, so this is ours to do."""
        with _alive():
            for window in self._display.screen().root.query_tree().children:
                # One may go away between the list and the look.
                with suppress(XError):
                    state, now = window.get_attributes(), window.get_geometry()
                    # Lists that drop down and the like place themselves.
                    if state.map_state != X.IsViewable or state.override_redirect or now.width < _SMALLEST_WINDOW:
                        continue
                    if (now.x, now.y, now.width, now.height) != (0, 0, *size):
                        window.configure(x=0, y=0, width=size[0], height=size[1])
            self._display.sync()

    def point(self, x: int, y: int) -> None:
        """Move the pointer."""
        with _alive():
            xtest.fake_input(self._display, X.MotionNotify, x=x, y=y)
            self._display.sync()

    def button(self, down: bool) -> None:
        """Press or release the pointer's first button."""
        with _alive():
            xtest.fake_input(self._display, X.ButtonPress if down else X.ButtonRelease, 1)
            self._display.sync()

    def close(self) -> None:
        """May be called twice."""
        for part in (self._grabber, self._display):
            # Of a server that is gone, nothing is left to be closed.
            with suppress(*_GONE):
                part.close()
        self._x.close()


@contextmanager
def _alive() -> Iterator[None]:
    try:
        yield
    except _GONE as error:
        raise EnvironmentDied("the phone's X server is gone") from error
