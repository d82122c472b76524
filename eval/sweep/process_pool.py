"""Cells played in this process, or in several on this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from agent.interrupts import shielded
from eval.sweep.events import Died, Event, Job
from eval.sweep.run import Player

PATIENCE = 30.0
"""Seconds that a process which was killed has for being gone."""


class Here:
    """One player, in this process."""

    size = 1

    def __init__(self) -> None:
        self._player = Player()
        self._events: Iterator[Event] = iter(())

    def give(self, player: int, job: Job) -> None:
        self._events = self._player.play(job)

    def wait(self) -> tuple[int, Event]:
        return 0, next(self._events)


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection


class Processes:
    """Players in processes of their own, each started when it first has something to do. Leave it with `with`.

    gpus: as CUDA_VISIBLE_DEVICES names them, given out one each in turn; without any, players see what this process
    sees
    """

    def __init__(self, size: int, gpus: tuple[str, ...] = ()) -> None:
        self.size, self._gpus = size, gpus
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[int, _Worker] = {}
        self._heard: deque[tuple[int, Event]] = deque()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *exc: object) -> None:
        with shielded():
            for worker in self._workers.values():
                _end(worker)
            self._workers.clear()

    def give(self, player: int, job: Job) -> None:
        if player not in self._workers:
            self._workers[player] = self._start(player)
        with suppress(BrokenPipeError, ConnectionResetError):  # it died meanwhile: `wait` says so
            self._workers[player].pipe.send(job)

    def wait(self) -> tuple[int, Event]:
        while not self._heard:
            players = {worker.pipe: player for player, worker in self._workers.items()}
            for pipe in wait(list(players)):
                self._hear(players[pipe])  # type: ignore[index]
        return self._heard.popleft()

    def _hear(self, player: int) -> None:
        worker = self._workers[player]
        try:
            self._heard.append((player, worker.pipe.recv()))
        except (EOFError, OSError):
            worker.process.join(PATIENCE)
            why = f"the worker {worker.process.pid} ended by itself (exit code {worker.process.exitcode})"
            _end(self._workers.pop(player))
            self._heard.append((player, Died(why)))

    def _start(self, player: int) -> _Worker:
        here, there = self._context.Pipe()
        gpu = self._gpus[player % len(self._gpus)] if self._gpus else None
        process = self._context.Process(target=_work, args=(there, gpu), name=f"replay-{player}", daemon=True)
        # What is ignored now stays ignored in the child: a press of Ctrl-C reaches the parent alone.
        with shielded():
            process.start()
        there.close()
        return _Worker(process, here)


def _end(worker: _Worker) -> None:
    """A player holds nothing that would have to be put away."""
    worker.pipe.close()
    worker.process.kill()
    worker.process.join(PATIENCE)


def _work(pipe: Connection, gpu: str | None) -> None:
    """A player's whole life: jobs come through the pipe, events go back; a closed pipe ends it."""
    threading.Thread(target=_follow_parent, daemon=True).start()
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    player = Player()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for event in player.play(pipe.recv()):
                pipe.send(event)


def _follow_parent() -> None:
    """A parent that was killed cannot end its players, and one may be in the middle of a long step."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def visible_gpus() -> tuple[str, ...]:
    """Names of the GPUs for CUDA_VISIBLE_DEVICES; looking does not open them."""
    import torch

    count = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = [name.strip() for name in named.split(",") if name.strip()] or [str(n) for n in range(count)]
    return tuple(names[:count])
