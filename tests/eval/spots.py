"""A benchmark of clicks for tests: lists of records, a file for each split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import ConfigError
from envs.actions import Action, Click
from envs.geometry import Size
from eval.benchmarks.base import Device, Gold, Kind, OneView, Source, Step, Trajectory
from eval.benchmarks.pictures import Picture
from eval.benchmarks.reading import Record, check, inside, json_files, read_items
from eval.metrics.measures import Measure
from eval.metrics.prediction import Prediction


class Row(Record):
    id: str
    images: tuple[str, ...]
    point: tuple[float, float]
    size: tuple[int, int] | None = None


class Spot(Gold):
    x: float
    y: float


@dataclass(frozen=True)
class Spots(OneView):
    """A benchmark of lists of records, a file for each split; a record is a trajectory with a step for each image."""

    name: str = "spots"
    device: Device = "computer"
    kind: Kind = "grounding"
    gold_type: type[Gold] = Spot
    capabilities: frozenset[str] = frozenset({"click"})
    environment_variables: tuple[str, str] = ("SPOTS_TEST", "SPOTS_IMGS")
    measures: tuple[Measure, ...] = ()

    def trajectories(self, source: Source) -> Iterator[Trajectory]:
        if set(source.options) - {"level"}:
            raise ConfigError("spots has no such option")
        files = json_files(source.path) if source.path.is_dir() else [source.path]
        for file in files:
            if not source.splits or file.stem in source.splits:
                for index, item in enumerate(read_items(file, source.skipping_bad)):
                    with source.skipping_bad():
                        row = check(Row, item, f"{file} record {index}")
                        yield self._trajectory(row, file, source.images or file.parent, f"{file} record {index}")

    def _trajectory(self, row: Row, file: Path, images: Path, where: str) -> Trajectory:
        stated = Size(*row.size) if row.size else None
        gold = Spot(x=row.point[0], y=row.point[1])
        pictures = [Picture(name, inside(images, name, where), stated=stated, where=where) for name in row.images]
        steps = [Step(each.name, (each,), gold, "click", where=where) for each in pictures]
        return Trajectory(row.id, "find it", tuple(steps), file.stem, where)

    def oracle(self, step: Step, size: Size) -> tuple[Action, ...]:
        return (Click(x=step.gold.x, y=step.gold.y),)

    def score(self, gold: Any, kind: str, prediction: Prediction) -> dict[str, float]:
        return {"official": 1.0, "release": 1.0}


SPOTS = Spots()
