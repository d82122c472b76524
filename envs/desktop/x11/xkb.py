"""Reading and writing the keyboard extension's map (XKB), as far as keysyms go.

Own code, because python-xlib has no XKB extension, and xcffib has its own connections: a second one to keep in step.
X's older request changes one stretch of keys at a time, and every change makes every program read the whole map
anew; here many keys change in one request. All other keys are written back exactly as they were read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from Xlib.display import Display
from Xlib.error import CatchError
from Xlib.protocol import rq

from envs.base import ActionFailed, SetupError

_CORE_KEYBOARD = 0x100
_KEYSYMS = 2
_ENTRY = struct.Struct("=4BBBH")
"""Of one key: its types, groups, width, number of keysyms; the keysyms follow."""


class _UseExtension(rq.ReplyRequest):
    _request = rq.Struct(
        rq.Card8("opcode"), rq.Opcode(0), rq.RequestLength(), rq.Card16("major_version"), rq.Card16("minor_version")
    )
    _reply = rq.Struct(
        rq.ReplyCode(), rq.Card8("supported"), rq.Card16("sequence_number"), rq.ReplyLength(), rq.Pad(24)
    )


class _GetMap(rq.ReplyRequest):
    _request = rq.Struct(
        rq.Card8("opcode"), rq.Opcode(8), rq.RequestLength(), rq.Card16("device"), rq.Card16("full"),
        rq.Card16("partial"), rq.Pad(2), rq.Card8("first"), rq.Card8("count"), rq.Pad(14),
    )  # fmt: skip
    _reply = rq.Struct(
        rq.ReplyCode(), rq.Card8("device"), rq.Card16("sequence_number"), rq.ReplyLength(), rq.Pad(2),
        rq.Card8("lowest"), rq.Card8("highest"), rq.Card16("present"), rq.Pad(3), rq.Card8("first"),
        rq.Card16("total"), rq.Card8("count"), rq.Pad(19), rq.Binary("data"),
    )  # fmt: skip


class _SetMap(rq.Request):
    _request = rq.Struct(
        rq.Card8("opcode"), rq.Opcode(9), rq.RequestLength(), rq.Card16("device"), rq.Card16("present"),
        rq.Card16("flags"), rq.Card8("lowest"), rq.Card8("highest"), rq.Pad(2), rq.Card8("first"), rq.Card8("count"),
        rq.Card16("total"), rq.Pad(18), rq.Binary("data"),
    )  # fmt: skip


@dataclass(frozen=True)
class Key:
    """What one key gives: the first `width` keysyms are those of the first group."""

    types: tuple[int, int, int, int]
    groups: int
    width: int
    keysyms: tuple[int, ...]


EMPTY = Key((0, 0, 0, 0), 0, 0, ())


def single(keysym: int) -> Key:
    """A key that gives the same whatever modifiers and groups are on."""
    return Key((0, 0, 0, 0), 1, 1, (keysym,))


class Xkb:
    """The map of one display. Raises SetupError where the server has no such extension."""

    def __init__(self, display: Display) -> None:
        self._display = display
        found = display.query_extension("XKEYBOARD")
        if not found or not found.present:
            raise SetupError("this X server has no XKEYBOARD extension", "use another server, or --sandbox 1280x800")
        self._opcode: int = found.major_opcode
        _UseExtension(display=display.display, opcode=self._opcode, major_version=1, minor_version=0)
        self.first: int = display.display.info.min_keycode
        self._last: int = display.display.info.max_keycode

    def read(self) -> list[Key]:
        """All keys, from `first` on."""
        reply = _GetMap(
            display=self._display.display,
            opcode=self._opcode,
            device=_CORE_KEYBOARD,
            full=0,
            partial=_KEYSYMS,
            first=self.first,
            count=self._last - self.first + 1,
        )
        data, at, keys = bytes(reply.data), 0, []
        for _ in range(reply.count):
            *types, groups, width, count = _ENTRY.unpack_from(data, at)
            at += _ENTRY.size
            keysyms = struct.unpack_from(f"={count}I", data, at)
            at += 4 * count
            keys.append(Key((types[0], types[1], types[2], types[3]), groups, width, keysyms))
        return keys

    def write(self, keys: list[Key]) -> None:
        """Replace all keys, as `read` gave them. Raises ActionFailed where the server refuses."""
        data = b"".join(
            _ENTRY.pack(*key.types, key.groups, key.width, len(key.keysyms))
            + struct.pack(f"={len(key.keysyms)}I", *key.keysyms)
            for key in keys
        )
        refused = CatchError()
        _SetMap(
            display=self._display.display,
            onerror=refused,
            opcode=self._opcode,
            device=_CORE_KEYBOARD,
            present=_KEYSYMS,
            flags=0,
            lowest=self.first,
            highest=self._last,
            first=self.first,
            count=len(keys),
            total=sum(len(key.keysyms) for key in keys),
            data=data,
        )
        self._display.sync()
        if refused.get_error() is not None:
            raise ActionFailed("the X server does not let the key map be changed")
