"""Who plays the cells: this process, several processes, or a Ray cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agent.errors import ConfigError
from eval.replay.settings import ReplaySettings
from eval.sweep.scheduler import Pool

MOST = 1024


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


@contextmanager
def hired(workers: Workers, cells: int, settings: ReplaySettings) -> Iterator[Pool]:
    """As many as there are cells, at most. None is left afterwards. Raises ClusterError."""
    if workers.ray:
        from eval.sweep.ray_pool import Cluster

        with Cluster(workers.count, cells, workers.address, _on_gpu(settings)) as cluster:
            yield cluster
        return

    from eval.sweep.process_pool import Here, Processes, visible_gpus

    count = min(workers.count or 1, cells)
    if count <= 1:
        yield Here()
        return
    gpus = visible_gpus() if _on_gpu(settings) else ()
    with Processes(count, gpus) as processes:
        yield processes


def _on_gpu(settings: ReplaySettings) -> bool:
    """Would the model go to whatever GPU there is?"""
    return not settings.is_oracle and settings.config.model.device in ("auto", "cuda")
