"""Jobs played in this process, or in several on this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from agent.interrupts import shielded
from envs import processes
from eval.sweep.events import Event, MakePlayer, PlayerDied, going_on, play_job

PATIENCE = 30.0
"""Seconds that a process which was killed has for being gone."""


class InProcess:
    """One player, in this process. Leave it with `with` where the player holds anything."""

    size = 1

    def __init__(self, make: MakePlayer) -> None:
        self._player = make(going_on)
        self._events: Iterator[Event] = iter(())

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *exc: object) -> None:
        with shielded():
            self._player.close()

    def give(self, player: int, job: Any) -> None:
        self._events = play_job(self._player, job)

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
    patience: seconds that a player has for putting away what it holds (a browser, say) before it is killed
    """

    def __init__(self, make: MakePlayer, size: int, gpus: tuple[str, ...] = (), patience: float = 0.0) -> None:
        self.size, self._make, self._gpus, self._patience = size, make, gpus, patience
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[int, _Worker] = {}
        self._events: deque[tuple[int, Event]] = deque()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *exc: object) -> None:
        with shielded():
            for worker in self._workers.values():
                worker.pipe.close()  # all begin to stop now
            for worker in self._workers.values():
                self._end(worker)
            self._workers.clear()

    def give(self, player: int, job: Any) -> None:
        if player not in self._workers:
            self._workers[player] = self._start(player)
        with suppress(BrokenPipeError, ConnectionResetError):  # it died meanwhile: `wait` says so
            self._workers[player].pipe.send(job)

    def wait(self) -> tuple[int, Event]:
        while not self._events:
            players = {worker.pipe: player for player, worker in self._workers.items()}
            for pipe in wait(list(players)):
                self._receive(players[pipe])  # type: ignore[index]
        return self._events.popleft()

    def _receive(self, player: int) -> None:
        worker = self._workers[player]
        try:
            self._events.append((player, worker.pipe.recv()))
        except (EOFError, OSError):
            worker.process.join(PATIENCE)
            why = f"the worker {worker.process.pid} ended by itself (exit code {worker.process.exitcode})"
            self._end(self._workers.pop(player))
            self._events.append((player, PlayerDied(why)))

    def _start(self, player: int) -> _Worker:
        here, there = self._context.Pipe()
        gpu = self._gpus[player % len(self._gpus)] if self._gpus else None
        arguments = (there, self._make, gpu, self._patience)
        process = self._context.Process(target=_work, args=arguments, name=f"player-{player}", daemon=True)
        # What is ignored now stays ignored in the child: a press of Ctrl-C reaches the parent alone.
        with shielded():
            process.start()
        there.close()
        return _Worker(process, here)

    def _end(self, worker: _Worker) -> None:
        worker.pipe.close()
        if self._patience:
            worker.process.join(self._patience)
            if worker.process.is_alive() and worker.process.pid is not None:
                processes.end(processes.tree([worker.process.pid]))
        worker.process.kill()
        worker.process.join(PATIENCE)


def _work(pipe: Connection, make: MakePlayer, gpu: str | None, patience: float) -> None:
    """A player's whole life: jobs come through the pipe, events go back; a closed pipe ends it."""
    threading.Thread(target=_follow_parent, args=(patience,), daemon=True).start()
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    player = make(pipe.poll)  # there is nothing to read while a job is under way, but the end
    try:
        with suppress(EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
            while True:
                for event in play_job(player, pipe.recv()):
                    pipe.send(event)
    finally:
        player.close()


def _follow_parent(patience: float) -> None:
    """A parent that was killed cannot end its players, and one may be in the middle of a long step."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        time.sleep(patience)
        os._exit(1)


def visible_gpus() -> tuple[str, ...]:
    """Names of the GPUs for CUDA_VISIBLE_DEVICES; looking does not open them."""
    import torch

    count = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = [name.strip() for name in named.split(",") if name.strip()] or [str(n) for n in range(count)]
    return tuple(names[:count])
