"""Scores worked out anew from what the rows hold, without model, images or data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import ValidationError

from agent.config import PromptConfig
from envs.actions import dump_action
from eval.benchmarks import BENCHMARKS, Benchmark, rules_of
from eval.benchmarks.reading import first_problem
from eval.metrics.prediction import Prediction
from eval.replay.offline_dialect import as_set, predict
from eval.rows import Row, RowsError, read_rows, to_line
from eval.sweep.folder import StoredCell, SweepError, claimed, stored_cells
from guikv.files import replacing


@dataclass(frozen=True)
class Rescored:
    """A cell. changed: rows with another score than before; before, after: mean of the `rule`, None without rows"""

    name: str
    rule: str
    rows: int
    changed: int
    before: float | None
    after: float | None


def rescore(out: Path, parse: bool = False) -> list[Rescored]:
    """Score every cell of a folder again; with `parse`, read the answers again with their dialect first.

    A cell's file is replaced when it is complete. Raises SweepError, RowsError, ConfigError, DialectError.
    """
    if not out.is_dir():
        raise SweepError(f"there is no folder {out}")
    cells = stored_cells(out)
    with claimed(out):
        return [_cell(cell, parse) for cell in cells]


def _cell(cell: StoredCell, parse: bool) -> Rescored:
    name = cell.settings.get("benchmark")
    if name not in BENCHMARKS:
        raise SweepError(f"{cell.folder} is of the benchmark {name!r}, which is not known here")
    benchmark = BENCHMARKS[name]
    reread = _reader(cell, benchmark) if parse else None
    rule = rules_of(name)[0]
    before: list[float] = []
    after: list[float] = []
    rows = changed = 0

    def scored() -> Iterator[Row]:
        nonlocal rows, changed
        for row in read_rows(cell.rows):
            new = row if row.skipped else _scored(row, benchmark, reread, cell.rows)
            rows, changed = rows + 1, changed + (new.scores != row.scores)
            for scores, found in ((row.scores, before), (new.scores, after)):
                if rule in scores:
                    found.append(scores[rule])
            yield new

    if cell.rows.is_file():
        _replace(cell.rows, scored())
    means = (fmean(values) if values else None for values in (before, after))
    return Rescored(cell.name, rule, rows, changed, *means)


def _scored(row: Row, benchmark: Benchmark, reread: Callable[[Prediction], Prediction] | None, path: Path) -> Row:
    try:
        gold = benchmark.gold_type.model_validate(row.gold)
    except ValidationError as error:
        raise RowsError(f"{path}: {row.trajectory} {row.key}: {first_problem(error, 'gold')}") from error
    prediction = row.prediction
    update: dict[str, Any] = {}
    if reread is not None and row.texts:
        prediction = reread(prediction)
        update = {"actions": tuple(dump_action(a) for a in prediction.actions), "error": prediction.error}
    return row.model_copy(update={**update, "scores": benchmark.score(gold, row.kind, prediction)})


def _reader(cell: StoredCell, benchmark: Benchmark) -> Callable[[Prediction], Prediction]:
    """Reads answers as they were read when the cell was played."""
    config = cell.settings.get("config")
    try:
        prompt = PromptConfig.model_validate(config["prompt"] if isinstance(config, Mapping) else None)
    except (ValidationError, KeyError) as error:
        raise SweepError(f"{cell.folder}: its settings say nothing of the prompt: {error}") from error
    voice = cache(lambda name: as_set(name, prompt, benchmark))

    def reread(old: Prediction) -> Prediction:
        return predict(voice(old.dialect).dialect, old.texts, old.resize, old.views, benchmark.capabilities)

    return reread


def _replace(path: Path, rows: Iterator[Row]) -> None:
    """The file is the old one until the new one is complete. Raises RowsError."""
    try:
        with replacing(path) as file:
            for row in rows:
                file.write(to_line(row))
    except OSError as error:
        raise RowsError(f"{path} cannot be replaced: {error.strerror or error}; is the disk full?") from error
