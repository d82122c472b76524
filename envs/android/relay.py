"""A loopback port that leads to a Unix socket, for processes of this user alone.

A Unix socket is guarded by the folder it lies in, a port by nothing. Programs that can only speak to a port therefore
meet a gate that looks at who is asking before a byte is passed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path

from envs.android.peer import same_user

_HOST = "127.0.0.1"
_PIECE = 256 * 1024
_WAIT_SECONDS = 10.0
_LAST_WORDS_SECONDS = 2.0


class Relay:
    """Listens at once, on a thread of its own; `port` is a free one."""

    def __init__(self, target: Path) -> None:
        """Raises OSError where no port is free."""
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="adb-relay", daemon=True)
        self._thread.start()
        try:
            listening = asyncio.start_server(self._arrived, _HOST, 0, limit=_PIECE)
            self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(_WAIT_SECONDS)
        except BaseException:
            self._end_thread()
            raise
        self.port = int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Cut all connections and free the port. May be called twice, and from any thread."""
        with self._closing:
            if self._thread.is_alive():
                asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(_WAIT_SECONDS)
                self._end_thread()

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WAIT_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        tasks = tuple(self._tasks)
        if tasks:
            # Where what is inside has ended, its last words are still on their way.
            await asyncio.wait(tasks, timeout=_LAST_WORDS_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            if not same_user(writer.get_extra_info("sockname"), writer.get_extra_info("peername")):
                return
            try:
                inside, into = await asyncio.open_unix_connection(self._target, limit=_PIECE)
            except OSError:
                # Nobody is behind the gate any more, so that nobody is to be met here either.
                self._server.close()
                return
            with contextlib.closing(into):
                asking = asyncio.ensure_future(_carry(reader, into))
                try:
                    # What listens inside hangs up when it is done, whatever the asker still has to say.
                    await _carry(inside, writer)
                finally:
                    asking.cancel()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """All bytes one way, and that there are no more."""
    with contextlib.suppress(OSError):
        while data := await source.read(_PIECE):
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError, RuntimeError):
        sink.write_eof()
