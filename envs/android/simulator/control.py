"""How the commands of the device's shell reach the device: a socket, and a tiny script that each of them runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

_HEADER = struct.Struct("<iII")
_LONGEST_REQUEST = 4 * 1024 * 1024

SCRIPT = """\
import json, socket, struct, sys
def exactly(size):
    data = answer.read(size)
    if len(data) < size:
        sys.exit("the device is gone")
    return data
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
answer = link.makefile("rb")
link.sendall(json.dumps(sys.argv[2:]).encode() + b"\\n")
status, out, err = struct.unpack("<iII", exactly(12))
sys.stdout.buffer.write(exactly(out))
sys.stderr.buffer.write(exactly(err))
sys.stdout.flush()
sys.exit(status)
"""
"""Run as `python SCRIPT SOCKET COMMAND ARGUMENT …`; ends with the command's output and exit status."""


@dataclass
class Output:
    """What a command says. Its exit status is what the command returns."""

    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)

    def say(self, text: str) -> None:
        """A line on stdout."""
        self.out += text.encode("utf-8", "surrogateescape") + b"\n"

    def complain(self, text: str) -> None:
        """A line on stderr."""
        self.err += text.encode("utf-8", "surrogateescape") + b"\n"


class Runner(Protocol):
    def run(self, command: list[str], output: Output) -> int:
        """Do a command of the device; returns its exit status."""
        ...


async def serve(runner: Runner, path: Path) -> asyncio.Server:
    """Answer the script's requests, each on a thread of its own. Raises OSError."""

    async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.LimitOverrunError):
            command = json.loads(await reader.readuntil(b"\n"))
            output = Output()
            status = await asyncio.to_thread(runner.run, command, output)
            writer.write(_HEADER.pack(status & 0xFF, len(output.out), len(output.err)) + output.out + output.err)
            await writer.drain()

    return await asyncio.start_unix_server(arrived, path, limit=_LONGEST_REQUEST)
