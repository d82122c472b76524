"""The services that carry TCP: `tcp:PORT` (for `adb forward`) and `reverse:` (for `adb reverse`)."""

from __future__ import annotations

import asyncio
import contextlib

from envs.android.simulator.connection import Connection
from envs.android.simulator.streams import Refused, Stream, StreamClosed

LOOPBACK = "127.0.0.1"
_PIECE = 64 * 1024


def port_of(address: str) -> int:
    """Number in "tcp:8000". Raises Refused on anything else."""
    kind, _, number = address.partition(":")
    if kind != "tcp" or not number.isdecimal() or int(number) > 65535:
        raise Refused(f"only tcp:PORT can be reached, not {address}")
    return int(number)


async def connect_port(stream: Stream, address: str) -> None:
    """Join the stream with a port of the device. Raises OSError when nobody listens there."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port_of(address))
    await stream.accept()
    await _join(stream, reader, writer)


async def serve_reverse(connection: Connection, stream: Stream, request: str) -> None:
    """`forward:[norebind:]LOCAL;REMOTE`, `killforward:LOCAL`, `killforward-all` or `list-forward`."""
    await stream.accept()
    verb, _, rest = request.partition(":")
    try:
        if verb == "list-forward":
            rows = "".join(f"host-1 {local} {to}\n" for local, (_, to) in connection.listeners.items())
            await stream.write(_counted(rows))
        elif verb == "killforward-all":
            for local in tuple(connection.listeners):
                _drop(connection, local)
            await stream.write(b"OKAY")
        elif verb == "killforward":
            _drop(connection, rest)
            await stream.write(b"OKAY")
        elif verb == "forward":
            port = await _listen(connection, rest)
            await stream.write(b"OKAY" + (_counted(str(port)) if port else b""))
        else:
            raise Refused(f"unknown request {request}")
    except (Refused, OSError) as error:
        await stream.write(b"FAIL" + _counted(str(error)))
    await stream.flushed()


async def _listen(connection: Connection, request: str) -> int:
    """Listen as asked; returns the number that was chosen where "tcp:0" left the choice, else 0."""
    free = request.removeprefix("norebind:")
    local, _, remote = free.partition(";")
    port_of(remote)
    if local in connection.listeners:
        if free != request:
            raise Refused("cannot rebind existing socket")
        server, _ = connection.listeners[local]
        connection.listeners[local] = server, remote
        return 0

    async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            stream = await connection.open(connection.listeners[name][1])
        except (StreamClosed, KeyError):
            writer.close()
            return
        try:
            await _join(stream, reader, writer)
        finally:
            await connection.finish(stream)

    wanted = port_of(local)
    server = await asyncio.start_server(arrived, LOOPBACK, wanted)
    port = server.sockets[0].getsockname()[1]
    name = f"tcp:{port}"
    connection.listeners[name] = server, remote
    return 0 if wanted else port


def _drop(connection: Connection, local: str) -> None:
    found = connection.listeners.pop(local, None)
    if found is None:
        raise Refused(f"listener '{local}' not found")
    found[0].close()


def _counted(text: str) -> bytes:
    """With its length before it, as four hexadecimal digits."""
    return f"{len(text):04x}{text}".encode()


async def _join(stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes both ways until either side is done."""

    async def out() -> None:
        while data := await reader.read(_PIECE):
            await stream.write(data)
        await stream.flushed()

    async def back() -> None:
        while data := await stream.read():
            writer.write(data)
            await writer.drain()

    tasks = [asyncio.ensure_future(out()), asyncio.ensure_future(back())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, OSError | StreamClosed):
                raise result
        with contextlib.suppress(OSError):
            writer.close()
