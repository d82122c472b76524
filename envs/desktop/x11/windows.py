"""The windows of a display: titles, places, and which one is in use."""

from __future__ import annotations

from typing import Literal

from Xlib import X, Xatom
from Xlib.display import Display
from Xlib.error import XError
from Xlib.xobject.drawable import Window

from envs.base import ScreenshotError, SetupError
from envs.desktop.area import Area

_LONGEST = 200
_DEPTH = 12
_PLANES, _PIXEL = 0xFFFFFFFF, 4

Look = Literal["none", "blank", "drawn"]


class Windows:
    """Looks up windows; keeps to the one that `follow` found, even when its title changes."""

    def __init__(self, display: str) -> None:
        self._display = Display(display)
        self._root = self._display.screen().root
        self._followed: Window | None = None

    def close(self) -> None:
        self._display.close()

    def follow(self, title: str) -> Area:
        """Inside of the window whose title has this part, in screen units. Raises ScreenshotError."""
        if self._followed is None or not self._exists(self._followed):
            self._followed = self._find(title)
        return self._inside(self._followed, title)

    def active(self) -> tuple[str, str]:
        """Title and class of the window in use, or empty strings."""
        found = self._number("_NET_ACTIVE_WINDOW")
        window = self._window(found) if found else self._with_title(self._display.get_input_focus().focus)
        return (self._title(window), self._class(window)) if window is not None else ("", "")

    def title_at(self, x: int, y: int) -> str:
        """Title of the topmost window at a place of the screen, or the empty string."""
        for window in reversed(self._listed()):
            place = self._place(window)
            if place is not None and self._shown(window) and Area(x, y, 1, 1).within(place):
                return self._title(window)
        return ""

    def titles(self) -> list[str]:
        """Titles of all windows, topmost first."""
        found = [self._title(window) for window in reversed(self._listed())]
        return [title for title in found if title]

    def look(self, title: str = "") -> Look:
        """Of the windows whose title has this part: whether one is on the screen, and has drawn itself.

        A window is there before its program draws into it; until then it is of one colour, or shows what was below.
        """
        wanted = title.casefold().strip()
        found: Look = "none"
        for window in self._listed():
            name = self._title(window)
            if name and wanted in name.casefold() and self._shown(window):
                if not self._of_one_colour(window):
                    return "drawn"
                found = "blank"
        return found

    def _of_one_colour(self, window: Window) -> bool:
        screen, place = self._display.screen(), self._place(window)
        if place is None:
            return True
        left, top = max(0, place.x), max(0, place.y)
        right = min(screen.width_in_pixels, place.x + place.width)
        bottom = min(screen.height_in_pixels, place.y + place.height)
        if right <= left or bottom <= top:
            return True
        try:
            data = window.get_image(left - place.x, top - place.y, right - left, bottom - top, X.ZPixmap, _PLANES).data
        except XError:
            return True
        return bytes(data) == bytes(data[:_PIXEL]) * (len(data) // _PIXEL)

    def _find(self, title: str) -> Window:
        wanted = title.casefold().strip()
        matching = [window for window in self._listed() if wanted in self._title(window).casefold()]
        if not matching:
            there = ", ".join(repr(found) for found in self.titles()) or "none"
            raise SetupError(f"no window has {title!r} in its title", f"windows here: {there}")
        active = self._number("_NET_ACTIVE_WINDOW")
        # The one in use before the others, else the topmost.
        return next((window for window in matching if window.id == active), matching[-1])

    def _inside(self, window: Window, title: str) -> Area:
        if not self._shown(window):
            raise ScreenshotError(f"the window {title!r} is minimised or hidden, so there is nothing to see")
        place = self._place(window)
        if place is None:
            raise ScreenshotError(f"the window {title!r} is gone")
        return place

    def _place(self, window: Window) -> Area | None:
        try:
            size = window.get_geometry()
            corner = self._root.translate_coords(window, 0, 0)
        except XError:
            return None
        return Area(corner.x, corner.y, size.width, size.height)

    def _shown(self, window: Window) -> bool:
        try:
            return bool(window.get_attributes().map_state == X.IsViewable)
        except XError:
            return False

    def _exists(self, window: Window) -> bool:
        try:
            window.get_attributes()
        except XError:
            return False
        return True

    def _listed(self) -> list[Window]:
        """Windows of programs, the topmost last."""
        for name in ("_NET_CLIENT_LIST_STACKING", "_NET_CLIENT_LIST"):
            found = self._root.get_full_property(self._display.intern_atom(name), Xatom.WINDOW)
            if found is not None:
                return [self._window(number) for number in found.value]
        managed = self._display.intern_atom("_NET_SUPPORTING_WM_CHECK")
        if self._root.get_full_property(managed, Xatom.WINDOW) is not None:
            return []
        # Without a window manager every child of the root is a window of its own.
        return [window for window in self._root.query_tree().children if self._shown(window)]

    def _number(self, name: str) -> int:
        found = self._root.get_full_property(self._display.intern_atom(name), Xatom.WINDOW)
        return int(found.value[0]) if found is not None and len(found.value) else 0

    def _window(self, number: int) -> Window:
        return self._display.create_resource_object("window", number)

    def _with_title(self, window: object) -> Window | None:
        """The window itself, or the nearest one around it that has a title."""
        for _ in range(_DEPTH):
            if not isinstance(window, Window) or window == self._root:
                return None
            if self._title(window):
                return window
            try:
                window = window.query_tree().parent
            except XError:
                return None
        return None

    def _title(self, window: Window) -> str:
        try:
            found = window.get_full_property(
                self._display.intern_atom("_NET_WM_NAME"), self._display.intern_atom("UTF8_STRING")
            )
            raw = found.value if found is not None else window.get_wm_name() or ""
        except XError:
            return ""
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
        return " ".join(text.split())[:_LONGEST]

    def _class(self, window: Window) -> str:
        try:
            found = window.get_wm_class()
        except XError:
            return ""
        return str(found[1])[:_LONGEST] if found else ""
