"""Messages of adb's wire protocol: a header of six little-endian words, then the payload."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from enum import IntEnum

_HEADER = struct.Struct("<6I")

VERSION = 0x01000001
"""From this version on nobody checks the payload's sum of bytes."""
MAX_PAYLOAD = 1024 * 1024
AUTH_TOKEN, AUTH_PUBLIC_KEY = 1, 3
TOKEN_BYTES = 20


class WireError(Exception):
    """What arrived is not adb's protocol."""


class Command(IntEnum):
    CNXN = 0x4E584E43
    AUTH = 0x48545541
    OPEN = 0x4E45504F
    OKAY = 0x59414B4F
    WRTE = 0x45545257
    CLSE = 0x45534C43


@dataclass(frozen=True)
class Message:
    """`first` and `second` are the sender's and the receiver's stream ids in all but CNXN and AUTH."""

    command: Command
    first: int
    second: int
    payload: bytes = b""

    def encoded(self) -> bytes:
        word = int(self.command)
        # Only before the versions are known may the sum be looked at.
        checked = self.command in (Command.CNXN, Command.AUTH)
        total = sum(self.payload) if checked else 0
        header = _HEADER.pack(word, self.first, self.second, len(self.payload), total, word ^ 0xFFFFFFFF)
        return header + self.payload


async def read_message(reader: asyncio.StreamReader) -> Message:
    """The next message. Raises WireError on anything else, asyncio.IncompleteReadError at the end."""
    word, first, second, size, _, magic = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    if word ^ 0xFFFFFFFF != magic or size > MAX_PAYLOAD:
        raise WireError("not a message of adb's protocol")
    try:
        command = Command(word)
    except ValueError as error:
        raise WireError(f"unknown message {word:#x}") from error
    return Message(command, first, second, await reader.readexactly(size))
