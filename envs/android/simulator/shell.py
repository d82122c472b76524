"""The services that run a command line: `shell:`, `shell,v2:` and `exec:`."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path

from envs.android.simulator.streams import Stream, StreamClosed

_PACKET = struct.Struct("<BI")
_PIECE = 1024 * 1024
"""Much at a time: each piece waits for a receipt."""
KILLED = 128
"""Added to a signal's number, the exit status of what it ended."""


class _Kind(IntEnum):
    STDIN = 0
    STDOUT = 1
    STDERR = 2
    EXIT = 3
    CLOSE_STDIN = 4


async def run_command(stream: Stream, command: str, v2: bool, environment: Mapping[str, str], folder: Path) -> None:
    """Run `command` in /bin/sh. `v2` keeps stdout and stderr apart and ends with the exit status.

    Everything that the command started is ended with the stream.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *("/bin/sh", *(("-c", command) if command else ())),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE if v2 else STDOUT,
            env=dict(environment),
            cwd=folder,
            limit=_PIECE,
            start_new_session=True,
        )
    )
    cut_off = False
    while not starting.done():
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Left alone while it starts, it would go on with nobody who knows of it.
            cut_off = True
    process = starting.result()
    try:
        if cut_off:
            raise StreamClosed
        await stream.accept()
        await _carry(stream, process, v2)
    finally:
        end_group(process.pid)
        await process.wait()


async def _carry(stream: Stream, process: Process, v2: bool) -> None:
    lock = asyncio.Lock()

    async def put(kind: _Kind, data: bytes) -> None:
        async with lock:
            await stream.write(_PACKET.pack(kind, len(data)) + data if v2 else data)

    async def out(reader: asyncio.StreamReader | None, kind: _Kind) -> None:
        while reader is not None and (data := await reader.read(_PIECE)):
            await put(kind, data)

    feeding = asyncio.ensure_future(_feed(stream, process, v2))
    speaking = asyncio.gather(out(process.stdout, _Kind.STDOUT), out(process.stderr, _Kind.STDERR))
    gone = asyncio.ensure_future(stream.closed.wait())
    try:
        await asyncio.wait((speaking, gone), return_when=asyncio.FIRST_COMPLETED)
        if stream.closed.is_set():
            raise StreamClosed
        await speaking
        status = await process.wait()
        if v2:
            await put(_Kind.EXIT, bytes([KILLED - status if status < 0 else status]))
        await stream.flushed()
    finally:
        for task in (feeding, speaking, gone):
            task.cancel()
        await asyncio.gather(feeding, speaking, gone, return_exceptions=True)


async def _feed(stream: Stream, process: Process, v2: bool) -> None:
    """What arrives on the stream goes to the command's stdin."""
    stdin = process.stdin
    if stdin is None:
        return
    try:
        while True:
            if v2:
                kind, size = _PACKET.unpack(await stream.read_exactly(_PACKET.size))
                data = await stream.read_exactly(size)
                if kind == _Kind.CLOSE_STDIN:
                    stdin.close()
                if kind != _Kind.STDIN:
                    continue
            elif not (data := await stream.read()):
                return
            stdin.write(data)
            await stdin.drain()
    except (StreamClosed, OSError):
        # The command need not read what it is sent.
        return


def end_group(pid: int) -> None:
    """Kill what is left of the process group that `pid` leads."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
