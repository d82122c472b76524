"""Playing one cell: trajectory after trajectory, those that have all their rows left out."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from agent.assemble import load_adapter
from agent.commands.common import error_code
from agent.errors import error_chain
from eval.benchmarks import BENCHMARKS
from eval.replay.play import play
from eval.replay.settings import ReplaySettings
from eval.sweep.events import Done, Event, Failed, Job, Over, Said
from eval.sweep.survey import check_keys

if TYPE_CHECKING:
    from guikv.models import Adapter


class Player:
    """Plays cells; the model is loaded once, when the first trajectory needs it."""

    def __init__(self) -> None:
        self._adapter: Adapter | None = None
        self._loaded = ""

    def play(self, job: Job) -> Iterator[Event]:
        """What happens, the last of it Done or Failed. What nobody foresaw is raised."""
        try:
            yield from self._play(job)
            return
        except Exception as error:
            if error_code(error) is None:
                raise
            failed = Failed(error)
        _let_go(failed.error)
        yield failed

    def _play(self, job: Job) -> Iterator[Event]:
        settings = job.cell.settings
        benchmark = BENCHMARKS[settings.benchmark]
        for trajectory in islice(benchmark.trajectories(settings.source), job.limit):
            keys = tuple(step.key for step in trajectory.steps)
            known = job.known.get(trajectory.id, ())
            check_keys(job.cell.name, trajectory.id, keys, known)
            if len(known) < len(keys):
                for row in play(settings, benchmark, trajectory, self._model(settings)):
                    yield Said(row)
                yield Over(trajectory.id)
        yield Done()

    def _model(self, settings: ReplaySettings) -> Adapter | None:
        if settings.is_oracle:
            return None
        wanted = settings.config.model.model_dump_json()
        if self._adapter is None or self._loaded != wanted:
            self._adapter = None  # two models may not fit
            self._adapter, self._loaded = load_adapter(settings.config), wanted
        return self._adapter


def _let_go(error: BaseException) -> None:
    """Free what the frames of the failed work hold: the next cell begins before the error is gone, and needs memory."""
    for one in error_chain(error):
        traceback.clear_frames(one.__traceback__)
