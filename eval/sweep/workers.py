"""Who plays: this process, several processes on this machine, or a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from agent.config import Config
from agent.errors import ConfigError
from agent.interrupts import shielded
from envs import processes
from eval.sweep.events import Event, MakePlayer, PlayerDied, going_on, play_job

MOST = 1024
PATIENCE = 30.0
"""Seconds that a process which was killed has for being gone."""


class Pool(Protocol):
    """Players, numbered from 0; each is given a job when it has none."""

    @property
    def size(self) -> int: ...

    def give(self, player: int, job: Any) -> None:
        """Begin a job; somebody takes the place of a player that died."""
        ...

    def wait(self) -> tuple[int, Event]:
        """The next event of any player."""
        ...


@dataclass(frozen=True)
class Workers:
    """count: None lets the cluster's size decide; address: of a Ray cluster that runs already."""

    count: int | None = 1
    ray: bool = False
    address: str | None = None


def read_workers(text: str, address: str | None = None) -> Workers:
    """`1`, `4`, `ray` or `ray:4`. Raises ConfigError."""
    match = re.fullmatch(r"(?P<ray>ray)(:(?P<actors>\d{1,4}))?|(?P<processes>\d{1,4})", text.strip())
    number = match and (match["actors"] or match["processes"])
    count = int(number) if number else None
    if match is None or (count is not None and not 1 <= count <= MOST):
        raise ConfigError(f"--workers {text}: expected a number of processes, ray, or ray:2")
    return Workers(count, match["ray"] is not None, address)


def shares_gpus(config: Config) -> bool:
    """Would the model go to whatever GPU there is?"""
    return config.model.device in ("auto", "cuda")


def open_pool(
    workers: Workers, make: MakePlayer, jobs: int, gpu: bool = False, patience: float = 0.0
) -> AbstractContextManager[Pool]:
    """As many players as there are jobs, at most, for `with`. None is left afterwards. Entering raises ClusterError.

    gpu: share out the GPUs there are; patience: seconds that a player has for putting away what it holds
    """
    if workers.ray:
        from eval.sweep.ray_pool import Cluster

        return Cluster(make, workers.count, jobs, workers.address, gpu, patience)

    count = min(workers.count or 1, jobs)
    return InProcess(make) if count <= 1 else Processes(make, count, visible_gpus() if gpu else (), patience)


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
