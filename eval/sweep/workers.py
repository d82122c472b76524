"""Who plays: this process, several processes, or a Ray cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from agent.config import Config
from agent.errors import ConfigError
from eval.sweep.events import Event, MakePlayer

MOST = 1024


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


@contextmanager
def open_pool(
    workers: Workers, make: MakePlayer, jobs: int, gpu: bool = False, patience: float = 0.0
) -> Iterator[Pool]:
    """As many players as there are jobs, at most. None is left afterwards. Raises ClusterError.

    gpu: share out the GPUs there are; patience: seconds that a player has for putting away what it holds
    """
    if workers.ray:
        from eval.sweep.ray_pool import Cluster

        with Cluster(make, workers.count, jobs, workers.address, gpu, patience) as cluster:
            yield cluster
        return

    from eval.sweep.process_pool import InProcess, Processes, visible_gpus

    count = min(workers.count or 1, jobs)
    if count <= 1:
        with InProcess(make) as alone:
            yield alone
        return
    with Processes(make, count, visible_gpus() if gpu else (), patience) as several:
        yield several
