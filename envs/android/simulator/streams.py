"""A stream: one of the many two-way flows of bytes that share a connection of adb."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from envs.android.simulator.wire import MAX_PAYLOAD, Command, Message


class StreamClosed(Exception):
    """The other side has closed the stream, or the connection is gone."""


class Refused(Exception):
    """The service is not to be had; the other side is told that the stream is closed."""


class Stream:
    """Each side sends one piece and waits for its receipt before the next.

    `send` puts a message on the connection; `limit` is the largest piece that the other side takes.
    """

    def __init__(
        self, send: Callable[[Message], Awaitable[None]], local: int, remote: int = 0, limit: int = MAX_PAYLOAD
    ) -> None:
        self.local, self.remote = local, remote
        self.accepted = False
        self.closed = asyncio.Event()
        self._send, self._limit = send, limit
        self._ready = asyncio.Event()
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._rest = b""

    async def accept(self) -> None:
        """Tell the other side, which opened the stream, that the service begins."""
        self.accepted = True
        self._ready.set()
        await self._send(Message(Command.OKAY, self.local, self.remote))

    async def opened(self) -> None:
        """Wait until the other side has accepted a stream that was opened here. Raises StreamClosed."""
        await self._ready.wait()
        self._check()
        self.accepted = True

    async def read(self) -> bytes:
        """What came next, at least one byte; b"" at the end."""
        if self._rest:
            piece, self._rest = self._rest, b""
            return piece
        if self.closed.is_set() and self._pieces.empty():
            return b""
        piece = await self._pieces.get()
        # The receipt goes out when the piece is taken, so that nobody fills this machine's memory.
        if piece and not self.closed.is_set():
            await self._send(Message(Command.OKAY, self.local, self.remote))
        return piece

    async def read_exactly(self, size: int) -> bytes:
        """Raises StreamClosed when the stream ends before."""
        data = bytearray(self._rest)
        self._rest = b""
        while len(data) < size:
            piece = await self.read()
            if not piece:
                raise StreamClosed
            data += piece
        self._rest = bytes(data[size:])
        return bytes(data[:size])

    async def write(self, data: bytes) -> None:
        """Send all of it. Raises StreamClosed."""
        for start in range(0, len(data), self._limit):
            await self._ready.wait()
            self._check()
            self._ready.clear()
            piece = data[start : start + self._limit]
            await self._send(Message(Command.WRTE, self.local, self.remote, piece))

    async def flushed(self) -> None:
        """Wait until the other side has all that was written. Raises StreamClosed."""
        await self._ready.wait()
        self._check()

    def take(self, message: Message) -> None:
        """A message for this stream has come."""
        if message.command is Command.WRTE and message.payload:
            self._pieces.put_nowait(message.payload)
        elif message.command is Command.OKAY:
            self.remote = message.first
            self._ready.set()
        elif message.command is Command.CLSE:
            self.end()

    def end(self) -> None:
        """Nothing more comes or goes."""
        self.closed.set()
        self._ready.set()
        self._pieces.put_nowait(b"")

    def _check(self) -> None:
        if self.closed.is_set():
            raise StreamClosed
