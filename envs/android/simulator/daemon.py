"""The daemon of the device (adbd): listens for adb servers on a thread of its own and offers the services."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from PIL import Image

from envs.android.peer import same_user
from envs.android.simulator import control, ports
from envs.android.simulator.connection import Connection
from envs.android.simulator.files import serve_files
from envs.android.simulator.framebuffer import serve_framebuffer
from envs.android.simulator.shell import run_command
from envs.android.simulator.streams import Refused, Stream
from envs.base import EnvError, SetupError

T = TypeVar("T")

_WAIT_SECONDS = 60.0
_EMULATORS = range(5555, 5586)
"""Ports where every adb server looks for emulators by itself."""
_ATTEMPTS = 50
_THREADS = 16
"""So many commands of the device run at once; more wait."""


class Device(control.Runner, Protocol):
    """What the daemon asks of the device that it serves. Called on other threads than the daemon's own."""

    @property
    def environment(self) -> Mapping[str, str]: ...

    @property
    def home(self) -> Path: ...

    @property
    def authorized(self) -> bool: ...

    stalled: bool

    def banner(self) -> bytes: ...

    def resolve(self, path: str) -> Path: ...

    def framebuffer(self) -> Image.Image | None:
        """None where the device refuses the service."""
        ...


class Daemon:
    """`port` stays the same through `drop` and `listen`. Raises SetupError when it cannot start."""

    def __init__(self, device: Device, control_socket: Path) -> None:
        self._device = device
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._control: asyncio.Server | None = None
        self.port = 0
        self._threads = ThreadPoolExecutor(_THREADS, "simulated-device")
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(self._threads)
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulated-adbd", daemon=True)
        self._thread.start()
        try:
            self._run(self._start(control_socket))
        except (OSError, TimeoutError) as error:
            self.close()
            raise SetupError(f"the simulated phone cannot listen: {error}", "set TMPDIR to a short path") from error
        except BaseException:
            self.close()
            raise

    def listen(self) -> None:
        """Take connections again. May be called while it does."""
        self._run(self._listen())

    def drop(self) -> None:
        """Cut all connections and refuse new ones."""
        self._run(self._drop())

    def close(self) -> None:
        """End the thread and everything on it; may be called twice."""
        if not self._thread.is_alive():
            return
        try:
            self._run(self._stop())
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_WAIT_SECONDS)
            if not self._thread.is_alive():
                self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_WAIT_SECONDS)

    async def _start(self, control_socket: Path) -> None:
        self._control = await control.serve(self._device, control_socket)
        await self._listen()

    async def _listen(self) -> None:
        if self._server is not None:
            return
        for _ in range(_ATTEMPTS):
            server = await asyncio.start_server(self._arrived, ports.LOOPBACK, self.port)
            port: int = server.sockets[0].getsockname()[1]
            if port not in _EMULATORS:
                self.port, self._server = port, server
                return
            server.close()
        raise OSError("no free port")

    async def _drop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await asyncio.gather(*(connection.close() for connection in tuple(self._connections)))

    async def _stop(self) -> None:
        await self._drop()
        if self._control is not None:
            self._control.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None or not same_user(writer.get_extra_info("sockname"), writer.get_extra_info("peername")):
            writer.close()
            return
        device = self._device
        connection = Connection(
            reader, writer, self._serve, device.banner, lambda: device.authorized, lambda: device.stalled
        )
        self._connections.add(connection)
        try:
            await connection.serve()
        finally:
            self._connections.discard(connection)

    async def _serve(self, connection: Connection, stream: Stream, name: str) -> None:
        """Do what the other side asks for by `name`. Raises Refused when there is no such service."""
        kind, _, rest = name.partition(":")
        device = self._device
        service, *options = kind.split(",")
        if service in ("shell", "exec"):
            await run_command(stream, rest, "v2" in options, device.environment, device.home)
        elif kind == "sync":
            await serve_files(stream, device.resolve)
        elif kind == "framebuffer":
            try:
                picture = await asyncio.to_thread(device.framebuffer)
            except EnvError as error:
                raise Refused(f"{name} {error}") from error
            if picture is None:
                raise Refused(name)
            await serve_framebuffer(stream, picture)
        elif kind == "tcp":
            await ports.connect_port(stream, name)
        elif kind == "reverse":
            await ports.serve_reverse(connection, stream, rest)
        else:
            raise Refused(name)
