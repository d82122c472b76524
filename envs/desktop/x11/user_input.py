"""Telling a person's mouse and keys from the agent's own.

X knows which device every event came from. What is injected through XTEST (the agent does so, xdotool and a VNC
server too) comes from a device of that name; all other devices are in somebody's hands.
"""

from __future__ import annotations

import importlib
import select
import struct
import threading
import time
from typing import Any

from Xlib import X
from Xlib.display import Display
from Xlib.error import ConnectionClosedError, XError

from envs.base import SetupError
from envs.desktop.control import Control
from envs.desktop.x11.keysyms import names_of

_HINT = "pip install --force-reinstall --no-deps python-xlib"
_HIERARCHY, _KEY_PRESS, _KEY_RELEASE, _BUTTON_PRESS, _BUTTON_RELEASE, _MOTION = 11, 13, 14, 15, 16, 17
_WHAT = {_KEY_PRESS: "keyboard", _KEY_RELEASE: "keyboard"} | dict.fromkeys(
    (_BUTTON_PRESS, _BUTTON_RELEASE, _MOTION), "mouse"
)
_REPEAT_SECONDS = 0.06
"""A key that comes back so soon was never let go: some servers repeat a held key in this way."""
_HOLD_SECONDS = 0.02
_CLOCK = 0xFFFFFFFF
_LOOK_SECONDS = 0.5
_RAW = struct.Struct("=HIIH")
"""Of a raw event: device, time, key or button, source."""


class Person(threading.Thread):
    """Watches the devices of one display and tells `control`."""

    def __init__(self, display: str, chord: tuple[str, ...], hold_seconds: float, control: Control) -> None:
        """Raises SetupError where X, or the library, cannot tell the devices."""
        super().__init__(name="person", daemon=True)
        self._chord, self._hold, self._control = frozenset(chord), hold_seconds, control
        try:
            self._xinput: Any = importlib.import_module("Xlib.ext.xinput")
            self._ge: Any = importlib.import_module("Xlib.ext.ge")
        except ModuleNotFoundError as error:
            raise SetupError(
                "the installed Xlib is too old to tell a person's keys from injected ones", _HINT
            ) from error
        self._display = Display(display)
        if not self._display.has_extension(self._xinput.extname):
            raise SetupError(
                "this X server has no XInput2, so a person's keys cannot be told from injected ones",
                'use another server, or set on_user_input="ignore" and stop_key=""',
            )
        self._down: dict[int, float] = {}
        self._pressed: dict[int, int] = {}
        self._let_go: dict[int, float] = {}
        self._select()
        self._injected = self._read_devices()

    def _select(self) -> None:
        # From 2.1 on raw events come while another program has grabbed the mouse, and name their source.
        self._xinput.XIQueryVersion(
            display=self._display.display,
            opcode=self._display.display.get_extension_major(self._xinput.extname),
            major_version=2,
            minor_version=2,
        )
        raw = sum(1 << kind for kind in _WHAT)
        root = self._display.screen().root
        root.xinput_select_events([(self._xinput.AllMasterDevices, raw), (self._xinput.AllDevices, 1 << _HIERARCHY)])
        self._display.sync()

    def _read_devices(self) -> frozenset[int]:
        found = self._display.xinput_query_device(self._xinput.AllDevices).devices
        return frozenset(device.deviceid for device in found if "XTEST" in str(device.name))

    def run(self) -> None:
        """Read events until the display is closed; the body of the thread."""
        try:
            while True:
                while self._display.pending_events():
                    self._see(self._display.next_event())
                self._look_at_clock()
                busy = bool(self._down) and bool(self._chord)
                select.select([self._display.fileno()], [], [], _HOLD_SECONDS if busy else _LOOK_SECONDS)
        except (ConnectionClosedError, XError, OSError, ValueError):
            # The server is gone.
            return
        finally:
            self._control.lost()

    def _see(self, event: Any) -> None:
        if event.type == X.MappingNotify:
            self._display.refresh_keyboard_mapping(event)
        elif event.type == self._ge.GenericEventCode and event.evtype == _HIERARCHY:
            self._injected = self._read_devices()
        elif event.type == self._ge.GenericEventCode and event.evtype in _WHAT:
            _, when, detail, source = _RAW.unpack_from(event.data)
            if source not in self._injected:
                self._control.person(_WHAT[event.evtype])
                if _WHAT[event.evtype] == "keyboard":
                    self._key(detail, event.evtype == _KEY_PRESS, when)

    def _key(self, code: int, pressed: bool, when: int) -> None:
        """`when` counts the server's milliseconds: on a busy machine a whole press may be read at once."""
        if not pressed:
            self._let_go[code] = time.monotonic()
            held = (when - self._pressed.get(code, when)) & _CLOCK
            if len(self._chord) == 1 and held >= 1000 * self._hold and self._key_name(code) in self._chord:
                self._control.stop()
            return
        if code not in self._down:
            self._pressed[code] = when
        self._let_go.pop(code, None)
        self._down.setdefault(code, time.monotonic())
        if len(self._chord) > 1 and self._chord <= self._names():
            self._control.stop()

    def _look_at_clock(self) -> None:
        now = time.monotonic()
        for code, since in list(self._let_go.items()):
            if now - since > _REPEAT_SECONDS:
                del self._let_go[code]
                self._down.pop(code, None)
        if len(self._chord) == 1:
            (wanted,) = self._chord
            for code, since in self._down.items():
                if now - since >= self._hold and self._key_name(code) == wanted:
                    self._control.stop()

    def _names(self) -> set[str]:
        return {self._key_name(code) for code in self._down}

    def _key_name(self, code: int) -> str:
        return names_of(self._display.keycode_to_keysym(code, 0))
