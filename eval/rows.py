"""What is written of a replayed step: one JSON line each, flushed, enough to score it again and to look at it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from envs.actions import load_action
from envs.geometry import Resize, Size
from eval.metrics.measures import Scored
from eval.metrics.prediction import Prediction
from guikv.errors import GuikvError

ROWS = "rows.jsonl"
_BLOCK = 2**16


class RowsError(GuikvError):
    """Rows cannot be written or read, or are of something else."""


class Row(BaseModel):
    """One step.

    trajectory, key, split, kind, where: as the benchmark has them; step: index in the trajectory, from 0
    picture: name of the first view's image; size: of the last view; image: what the model saw of it
    skipped: why the step was left out (its image is missing); nothing below is filled then
    texts, views, actions, error: the prediction
    gold, facts: as the benchmark has them; scores: by name
    cost: `StepCost.to_dict()` over all answers of the step, without its seconds; kept: frame → rows, cols and digits
    seconds: by phase; the only part that differs from run to run
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmark: str
    trajectory: str
    step: int
    key: str
    split: str = ""
    kind: str = ""
    goal: str = ""
    note: str = ""
    where: str = ""
    picture: str = ""
    size: tuple[int, int] = (1, 1)
    image: tuple[int, int] = (1, 1)
    skipped: str = ""
    dialect: str = ""
    texts: tuple[str, ...] = ()
    views: tuple[int, ...] = ()
    actions: tuple[dict[str, Any], ...] = ()
    error: str = ""
    gold: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    scores: dict[str, float] = {}
    cost: dict[str, Any] = {}
    kept: dict[str, dict[str, Any]] = {}
    seconds: dict[str, float] = {}

    @property
    def prediction(self) -> Prediction:
        """Raises RowsError when something among the actions is not one."""
        try:
            actions = tuple(load_action(dict(action)) for action in self.actions)
        except ValidationError as error:
            raise RowsError(
                f"{self.trajectory} {self.key}: the row holds what is no action: {error.errors()[0]['msg']}"
            ) from error
        resize = Resize(Size(*self.size), Size(*self.image))
        return Prediction(self.texts, actions, resize, self.dialect, self.views, self.error)

    @property
    def scored(self) -> Scored:
        return Scored(self.trajectory, self.split, self.kind, self.scores, self.facts, self.error)

    @property
    def comparable(self) -> dict[str, Any]:
        """Everything but the seconds: equal in two runs of the same settings on one machine."""
        return self.model_dump(mode="json", exclude={"seconds"})


class RowFile:
    """Appends rows. Half a line at the end, of a run that was killed, is cut off when it is opened."""

    def __init__(self, path: Path) -> None:
        """Raises RowsError when it cannot be opened."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _cut_half_line(path)
            self._file: IO[bytes] = path.open("ab")
        except OSError as error:
            raise RowsError(f"{path} cannot be written: {error.strerror or error}") from error

    def write(self, row: Row) -> None:
        """One row, on the disk when this returns. Raises RowsError; the rows before stay as they are."""
        line = to_line(row)
        try:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RowsError(f"{self.path} cannot be written: {error.strerror or error}; is the disk full?") from error

    def close(self) -> None:
        """Raises RowsError when what is left cannot be written."""
        try:
            self._file.close()
        except OSError as error:
            raise RowsError(f"{self.path} cannot be written: {error.strerror or error}; is the disk full?") from error


def to_line(row: Row) -> bytes:
    """A row as its line, line break included. Raises RowsError for numbers that JSON has none of (NaN, infinity)."""
    try:
        return json.dumps(row.model_dump(mode="json"), ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"
    except ValueError as error:
        raise RowsError(f"{row.trajectory} {row.key}: the row cannot be written as JSON: {error}") from error


def from_line(line: bytes) -> Row:
    """The row of a line. Raises ValueError (pydantic's among them) and RecursionError."""
    # Python's own reader: texts may hold half of a character pair, which pydantic's refuses.
    return Row.model_validate(json.loads(line))


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, in order; a last line without its line break was cut off and is left out.

    Nothing where there is no file. Raises RowsError for anything else that is no row.
    """
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield from_line(line)
                except (ValueError, RecursionError) as error:
                    raise RowsError(f"{path} line {number} is no row: {str(error)[:300]}") from error
    except OSError as error:
        raise RowsError(f"{path} cannot be read: {error.strerror or error}") from error


def _cut_half_line(path: Path) -> None:
    if not path.is_file():
        return
    with path.open("rb+") as file:
        size = end = file.seek(0, os.SEEK_END)
        whole = 0
        while end and not whole:
            start = max(0, end - _BLOCK)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            end, whole = start, start + found + 1 if found >= 0 else 0
        if whole < size:
            file.truncate(whole)
