"""One conversation with the adb server at a time, each within a time limit.

adbutils starts a server of its own, on its usual port, where none answers; and it limits the wait for a single piece
of an answer, not for the whole. Neither happens here.
"""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass

from adbutils import AdbClient, AdbConnection, AdbDevice, AdbError
from adbutils.errors import AdbConnectionError, AdbTimeout

_STDOUT, _STDERR, _EXIT = 1, 2, 3
_PACKET = struct.Struct("<BI")
_LARGEST = 256 * 2**20
"""Bytes that no answer of a phone exceeds; a count above it is taken for noise."""


class LinkError(Exception):
    """The server or the device did not do what was asked. `sent`: the device may have begun to do it all the same."""

    def __init__(self, text: str, sent: bool = False) -> None:
        super().__init__(text)
        self.text, self.sent = text, sent


class NoServer(LinkError):
    """No adb server answers at the address."""


class Late(LinkError):
    """The time limit has passed."""


@dataclass(frozen=True)
class Output:
    """What a command on the device answered."""

    status: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "replace").replace("\r\n", "\n")

    @property
    def error(self) -> str:
        return self.err.decode("utf-8", "replace").replace("\r\n", "\n")


class _Connection(AdbConnection):
    """Never starts a server; `deadline` (time.monotonic) holds for all that is read."""

    deadline = 0.0

    def _safe_connect(self) -> socket.socket:
        return self._create_socket()

    def _read_fully(self, n: int) -> bytes:
        if n > _LARGEST:
            raise EOFError(f"an answer of {n} bytes")
        data = bytearray(n)
        got = 0
        with memoryview(data) as view:
            while got < n:
                left = self.deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self.conn.settimeout(left)
                count = self.conn.recv_into(view[got:])
                if not count:
                    break
                got += count
        return bytes(data[:got])


class Client(AdbClient):
    """adbutils' client on an adb server that runs already. Its methods raise LinkError."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        super().__init__(host=host, port=port, socket_timeout=seconds)
        self._seconds = seconds
        self._version: int | None = None

    def make_connection(self, timeout: float | None = None) -> AdbConnection:
        """A connection whose every read ends by `timeout` seconds from now. Raises NoServer."""
        try:
            connection = _Connection(self.host, self.port)
        except (AdbConnectionError, AdbTimeout, OSError) as error:
            self._version = None
            raise NoServer(f"no adb server answers at {self.host}:{self.port}") from error
        connection.conn.settimeout(timeout or self._seconds)
        connection.deadline = time.monotonic() + (timeout or self._seconds)
        return connection

    def server_version(self) -> int:
        """adb's protocol version; asked for once."""
        if self._version is None:
            self._version = int(self.ask("host:version"), 16)
        return self._version

    def ask(self, service: str, seconds: float | None = None) -> str:
        """The server's own answer to a `host` service. Raises LinkError."""
        with self.make_connection(seconds) as connection:
            try:
                connection.send_command(service)
                connection.check_okay()
                return connection.read_string_block()
            except AdbTimeout as error:
                raise Late(f"the adb server did not answer {service!r}") from error
            except (AdbError, OSError, EOFError, ValueError) as error:
                raise LinkError(_told(error)) from error

    def states(self) -> dict[str, str]:
        """Serial and state (device, offline, unauthorized …) of all devices that the server knows."""
        rows = (line.split("\t", 1) for line in self.ask("host:devices").splitlines())
        return {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}

    def open(self, serial: str, service: str, seconds: float) -> AdbConnection:
        """A stream to a service of the device, which has accepted it. Raises LinkError."""
        try:
            connection = AdbDevice(self, serial=serial).open_transport(timeout=seconds)
        except AdbTimeout as error:
            raise Late("the adb server did not answer") from error
        except (AdbError, OSError, EOFError, ValueError) as error:
            raise LinkError(_told(error)) from error
        try:
            connection.send_command(service)
            connection.check_okay()
            return connection
        except BaseException as error:
            connection.close()
            if isinstance(error, AdbTimeout):
                raise Late("the device did not answer", sent=True) from error
            if isinstance(error, (AdbError, OSError, EOFError, ValueError)):
                # The server says so itself where it did not even pass the request on.
                raise LinkError(_told(error), sent="device offline" not in _told(error)) from error
            raise

    def shell(self, serial: str, command: str, seconds: float) -> Output:
        """Run a command line in the device's shell. Raises LinkError."""
        with self.open(serial, f"shell,v2:{command}", seconds) as connection:
            try:
                return _output(connection)
            except AdbTimeout as error:
                raise Late("the device did not answer in time", sent=True) from error
            except (AdbError, OSError, EOFError) as error:
                raise LinkError("the connection was cut", sent=True) from error

    def read(self, connection: AdbConnection, size: int) -> bytes:
        """Exactly `size` bytes of a stream. Raises LinkError."""
        try:
            return connection.read_exact(size)
        except AdbTimeout as error:
            raise Late("the device did not answer in time", sent=True) from error
        except (AdbError, OSError, EOFError) as error:
            raise LinkError("the connection was cut", sent=True) from error


def _output(connection: AdbConnection) -> Output:
    parts: dict[int, list[bytes]] = {_STDOUT: [], _STDERR: []}
    while True:
        kind, size = _PACKET.unpack(connection.read_exact(_PACKET.size))
        data = connection.read_exact(size)
        if kind == _EXIT and data:
            return Output(data[0], b"".join(parts[_STDOUT]), b"".join(parts[_STDERR]))
        parts.get(kind, []).append(data)


def _told(error: Exception) -> str:
    """The server's first sentence; nothing at all means that it went away."""
    text = str(error).strip()
    if not text or text.startswith("Unknown data: b''") or text == "connection closed":
        return "the connection was cut"
    return text.splitlines()[0][:200]
