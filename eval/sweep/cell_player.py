"""Playing one cell: trajectory after trajectory, those that have all their rows left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from agent.assemble import load_adapter
from eval.benchmarks import BENCHMARKS
from eval.replay.play import play
from eval.replay.settings import ReplaySettings
from eval.sweep.events import Event, RowMade, Stopping, TrajectoryDone, going_on
from eval.sweep.plan import Cell
from eval.sweep.survey import Known, check_keys, named_once

if TYPE_CHECKING:
    from guikv.models import Adapter


@dataclass(frozen=True)
class CellJob:
    """A cell to play.

    known: trajectory → keys of the steps whose rows exist; those that are complete are not played again
    limit: trajectories, from the first; None for all
    """

    cell: Cell
    known: Known = field(default_factory=dict)
    limit: int | None = None


class CellPlayer:
    """Plays cells; the model is loaded once, when the first trajectory needs it."""

    def __init__(self, stopping: Stopping = going_on) -> None:
        """A cell holds nothing that would have to be put away, so nobody waits until it has stopped."""
        self._adapter: Adapter | None = None
        self._loaded = ""

    def play(self, job: CellJob) -> Iterator[Event]:
        """Every row of the trajectories that lack some. Raises what `play` of a trajectory raises, and MixError."""
        settings = job.cell.settings
        benchmark = BENCHMARKS[settings.benchmark]
        for trajectory in islice(named_once(settings.source, benchmark), job.limit):
            keys = tuple(step.key for step in trajectory.steps)
            known = job.known.get(trajectory.id, ())
            check_keys(job.cell.name, trajectory.id, keys, known)
            if len(known) < len(keys):
                for row in play(settings, benchmark, trajectory, self._model(settings)):
                    yield RowMade(row)
                yield TrajectoryDone(trajectory.id)

    def close(self) -> None:
        """There is nothing to end."""

    def _model(self, settings: ReplaySettings) -> Adapter | None:
        if settings.is_oracle:
            return None
        wanted = settings.config.model.model_dump_json()
        if self._adapter is None or self._loaded != wanted:
            self._adapter = None  # two models may not fit
            self._adapter, self._loaded = load_adapter(settings.config), wanted
        return self._adapter
