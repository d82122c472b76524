"""The device's end of one connection from an adb server."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable

from envs.android.simulator.streams import Refused, Stream, StreamClosed
from envs.android.simulator.wire import (
    AUTH_PUBLIC_KEY,
    AUTH_TOKEN,
    MAX_PAYLOAD,
    TOKEN_BYTES,
    VERSION,
    Command,
    Message,
    WireError,
    read_message,
)

_STALL_SECONDS = 0.05
"""Between two looks whether a stalled device goes on."""

Service = Callable[["Connection", Stream, str], Awaitable[None]]


class Connection:
    """Greets the adb server, then gives each stream that it opens to `service`, all of them at the same time.

    `banner` says what the device is; `authorized` is asked at each greeting: where it is false, the device asks for
    signatures and accepts none, as a phone does whose user has not pressed "Allow". While `stalled`, nothing that
    arrives is answered.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        service: Service,
        banner: Callable[[], bytes],
        authorized: Callable[[], bool],
        stalled: Callable[[], bool],
    ) -> None:
        self._reader, self._writer = reader, writer
        self._service, self._banner, self._authorized = service, banner, authorized
        self._stalled = stalled
        self._streams: dict[int, Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_id = 0
        self._limit = MAX_PAYLOAD
        self._online, self._ended = False, False
        self.listeners: dict[str, tuple[asyncio.Server, str]] = {}

    async def serve(self) -> None:
        """Until the other side leaves, or `close`."""
        try:
            while True:
                message = await read_message(self._reader)
                while self._stalled() and not self._ended:
                    await asyncio.sleep(_STALL_SECONDS)
                # Much may lie here unread when the connection is cut.
                if self._ended:
                    return
                await self._take(message)
        except (asyncio.IncompleteReadError, OSError, WireError):
            return
        finally:
            await self.close()

    async def close(self) -> None:
        """End everything that runs on it, and wait for that; may be called twice."""
        tasks = self._tasks - {asyncio.current_task()}
        if not self._ended:
            self._ended = True
            for server, _ in self.listeners.values():
                server.close()
            self.listeners.clear()
            self._writer.close()
            for stream in self._streams.values():
                stream.end()
            # Once only: a second time would disturb what they do to end in order.
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def send(self, message: Message) -> None:
        if self._writer.is_closing():
            raise StreamClosed
        self._writer.write(message.encoded())
        try:
            await self._writer.drain()
        except OSError as error:
            raise StreamClosed from error

    async def open(self, destination: str) -> Stream:
        """A stream to something at the other end, such as "tcp:8000". Raises StreamClosed when there is nothing."""
        stream = self._new_stream(0)
        await self.send(Message(Command.OPEN, stream.local, 0, destination.encode() + b"\0"))
        await stream.opened()
        return stream

    async def finish(self, stream: Stream) -> None:
        """Close a stream from this side."""
        self._streams.pop(stream.local, None)
        if not stream.closed.is_set():
            stream.end()
            with contextlib.suppress(StreamClosed):
                await self.send(Message(Command.CLSE, stream.local if stream.accepted else 0, stream.remote))

    def start(self, work: Awaitable[None]) -> None:
        """Run beside everything else, until it ends or the connection does."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _new_stream(self, remote: int) -> Stream:
        self._last_id += 1
        stream = self._streams[self._last_id] = Stream(self.send, self._last_id, remote, self._limit)
        return stream

    async def _take(self, message: Message) -> None:
        if message.command in (Command.CNXN, Command.AUTH):
            await self._greet(message)
        elif not self._online:
            raise WireError("a message before the greeting")
        elif message.command is Command.OPEN:
            name = message.payload.rstrip(b"\0").decode("utf-8", "surrogateescape")
            self.start(self._run(self._new_stream(message.first), name))
        elif (stream := self._streams.get(message.second)) is not None:
            stream.take(message)
        elif message.command is Command.WRTE:
            # Its stream has ended here while this was on its way.
            await self.send(Message(Command.CLSE, 0, message.first))

    async def _greet(self, message: Message) -> None:
        if message.command is Command.CNXN:
            self._limit = min(MAX_PAYLOAD, message.second)
        if self._authorized():
            self._online = True
            await self.send(Message(Command.CNXN, VERSION, MAX_PAYLOAD, self._banner()))
        elif message.command is Command.CNXN or message.first != AUTH_PUBLIC_KEY:
            # After the public key the other side has nothing more to show and waits for the user.
            await self.send(Message(Command.AUTH, AUTH_TOKEN, 0, os.urandom(TOKEN_BYTES)))

    async def _run(self, stream: Stream, name: str) -> None:
        try:
            await self._service(self, stream, name)
        except (StreamClosed, Refused, OSError):
            # All three end a stream in the same way, below.
            return
        finally:
            await self.finish(stream)
