"""A thread with an event loop of its own, on which the browser is driven.

The caller's thread stays free of asyncio (a notebook or server may run a loop of its own), events such as dialogs
are answered while nobody is calling, every call has a time limit, and Ctrl-C meets the caller, never the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

T = TypeVar("T")

_GRACE = 5.0
"""Seconds that a cancelled call may take to end."""


class _Loop(asyncio.SelectorEventLoop):
    """Starts programs in sessions of their own, so that Ctrl-C in a terminal passes them by, and keeps their ids."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[int] = []

    async def subprocess_exec(
        self, protocol_factory: Callable[[], Any], *args: Any, **options: Any
    ) -> tuple[asyncio.SubprocessTransport, Any]:
        options["start_new_session"] = True
        transport, protocol = await super().subprocess_exec(protocol_factory, *args, **options)
        self.started.append(transport.get_pid())
        return transport, protocol


class Worker:
    """Runs coroutines on its thread, one caller at a time or several."""

    def __init__(self, name: str) -> None:
        self._loop = _Loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @property
    def started(self) -> tuple[int, ...]:
        """Ids of the processes started on this loop."""
        return tuple(self._loop.started)

    def run(self, coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
        """Result of the coroutine. Raises TimeoutError after `seconds`, and whatever the coroutine raises."""
        if not self._thread.is_alive():
            coroutine.close()
            raise RuntimeError("this worker has been stopped")
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, seconds), self._loop)
        try:
            return future.result(seconds + _GRACE)
        except FutureTimeout:
            future.cancel()
            raise TimeoutError(f"no answer within {seconds:g} s") from None
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """End the thread; what still runs on it is cancelled."""
        if not self._thread.is_alive():
            return
        future = asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop)
        try:
            future.result(_GRACE)
        except FutureTimeout:
            future.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_GRACE)
        if not self._thread.is_alive():
            self._loop.close()

    async def _cancel_all(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=1.0) if tasks else None
