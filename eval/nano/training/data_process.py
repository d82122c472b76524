"""Data processes that build batches beside the trainer and die with it."""

from __future__ import annotations

import multiprocessing as mp
import os
import queue
from collections.abc import Callable, Iterator
from typing import Any

Batch = dict[str, Any]
Maker = Callable[[int, dict[str, Any]], Iterator[Batch]]
"""(seed, settings) -> endless batches; `settings` is updated in place while the maker runs."""


def _produce(maker: Maker, seed: int, settings: dict[str, Any], batches: Any, orders: Any, parent: int) -> None:
    """Body of a data process: fill the queue until the trainer is gone."""
    os.nice(5)
    for batch in maker(seed, settings):
        while not orders.empty():
            settings.update(orders.get())
        while True:
            if os.getppid() != parent:
                batches.cancel_join_thread()
                return
            try:
                batches.put(batch, timeout=1)
                break
            except queue.Full:
                continue


class DataProcess:
    """One data process with a short queue."""

    def __init__(self, maker: Maker, seed: int, settings: dict[str, Any], depth: int = 6) -> None:
        context = mp.get_context("spawn")
        self._batches, self._orders = context.Queue(depth), context.Queue()
        self._process = context.Process(
            target=_produce,
            args=(maker, seed, settings, self._batches, self._orders, os.getpid()),
            daemon=True,
        )
        self._process.start()

    def next(self) -> Batch:
        """The next batch; raises if the data process has died."""
        while True:
            try:
                batch: Batch = self._batches.get(timeout=5)
                return batch
            except queue.Empty:
                if not self._process.is_alive():
                    raise RuntimeError("the data process died") from None

    def update(self, **settings: Any) -> None:
        """Change settings of batches to come."""
        self._orders.put(settings)

    def close(self) -> None:
        """Stop the data process."""
        self._process.terminate()
        self._process.join(5)
