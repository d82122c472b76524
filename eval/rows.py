"""Row files, one JSON line a row, each on the disk before the next begins; and the row of a replayed step."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar, overload

from pydantic import BaseModel, ConfigDict, ValidationError

from envs.actions import load_action
from envs.geometry import Resize, Size
from eval.metrics.measures import Scored
from eval.metrics.prediction import Prediction
from guikv.errors import GuikvError
from guikv.files import appending, make_folder, replace_file

ROWS = "rows.jsonl"
_BLOCK = 2**16
_HEADER, _HEADER_START, _LONGEST_HEADER = "settings", b'{"settings": ', 2**20
_ABSENT = object()


class RowsError(GuikvError):
    """Rows cannot be written or read, or are of something else."""


class JsonRow(BaseModel):
    """A line of a row file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def label(self) -> str:
        """What the row is of, in messages."""
        raise NotImplementedError


R = TypeVar("R", bound=JsonRow)


class Row(JsonRow):
    """One step of a replay.

    trajectory, key, split, kind, where: as the benchmark has them; step: index in the trajectory, from 0
    picture: name of the first view's image; size: of the last view; image: what the model saw of it
    skipped: why the step was left out (its image is missing); nothing below is filled then
    texts, views, actions, error: the prediction
    gold, facts: as the benchmark has them; scores: by name
    cost: `StepCost.to_dict()` over all answers of the step, without its seconds; kept: frame → rows, cols and digits
    seconds: by phase; the only part that differs from run to run
    """

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
    def label(self) -> str:
        return f"{self.trajectory} {self.key}"

    @property
    def prediction(self) -> Prediction:
        """Raises RowsError when something among the actions is not one."""
        try:
            actions = tuple(load_action(dict(action)) for action in self.actions)
        except ValidationError as error:
            raise RowsError(f"{self.label}: the row holds what is no action: {error.errors()[0]['msg']}") from error
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

    def __init__(self, path: Path, settings: Mapping[str, Any] | None = None) -> None:
        """settings: what all rows agree in, the first line of the file; None where another file says it.

        Raises RowsError when it cannot be opened, and where the rows that are there are of other settings.
        """
        self.path = path
        try:
            make_folder(path.parent)
            self._file = appending(path)
            try:
                if settings is not None:
                    _check_settings(path, self._file, settings)
                _cut_half_line(self._file)
            except BaseException:
                self._file.close()
                raise
        except OSError as error:
            raise RowsError(f"{path} cannot be written: {error.strerror or error}") from error
        if settings is not None and not self._file.seek(0, os.SEEK_END):
            self._append(json.dumps({_HEADER: settings}).encode("ascii") + b"\n")

    def write(self, row: JsonRow) -> None:
        """One row, on the disk when this returns. Raises RowsError; the rows before stay as they are."""
        self._append(to_line(row))

    def _append(self, line: bytes) -> None:
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


def to_line(row: JsonRow) -> bytes:
    """A row as its line, line break included. Raises RowsError for numbers that JSON has none of (NaN, infinity)."""
    try:
        return json.dumps(row.model_dump(mode="json"), ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"
    except ValueError as error:
        raise RowsError(f"{row.label}: the row cannot be written as JSON: {error}") from error


def from_line(line: bytes) -> Row:
    """The row of a line. Raises ValueError (pydantic's among them) and RecursionError."""
    return Row.model_validate(json.loads(line))


@overload
def read_rows(path: Path) -> Iterator[Row]: ...


@overload
def read_rows(path: Path, kind: type[R]) -> Iterator[R]: ...


def read_rows(path: Path, kind: type[JsonRow] = Row) -> Iterator[Any]:
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
                if number == 1 and line.startswith(_HEADER_START):
                    continue
                try:
                    # Python's own reader: texts may hold half of a character pair, which pydantic's refuses.
                    yield kind.model_validate(json.loads(line))
                except (ValueError, RecursionError) as error:
                    raise RowsError(f"{path} line {number} is no row: {str(error)[:300]}") from error
    except OSError as error:
        raise RowsError(f"{path} cannot be read: {error.strerror or error}") from error


def check_csv(path: Path, rows: Path) -> None:
    """Raises RowsError where a CSV file is there without the rows that it is made of: it must not be replaced."""
    if path.is_file() and not rows.is_file():
        raise RowsError(f"{path} is there without {rows.name}, of an earlier version: choose another --out")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[object]) -> None:
    """These attributes of the rows for spreadsheets, numbers with four decimals.

    The file is the old one until the new one is complete. Raises RowsError.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        values = (getattr(row, name) for name in columns)
        writer.writerow([round(value, 4) if isinstance(value, float) else value for value in values])
    try:
        replace_file(path, text.getvalue().encode())
    except OSError as error:
        raise RowsError(f"{path} cannot be written: {error.strerror or error}; is the disk full?") from error


def difference(theirs: Any, mine: Any, key: str = "") -> str:
    """The first difference of two JSON values as `key is … there and … now`, in the order of mine; empty for none."""
    if not (isinstance(theirs, dict) and isinstance(mine, dict)):
        return "" if theirs == mine else f"{key} is {_shown(theirs)} there and {_shown(mine)} now"
    below = ((name, f"{key}.{name}" if key else name) for name in {**mine, **theirs})
    found = (difference(theirs.get(name, _ABSENT), mine.get(name, _ABSENT), path) for name, path in below)
    return next(filter(None, found), "")


def _shown(value: Any) -> str:
    return "absent" if value is _ABSENT else json.dumps(value, ensure_ascii=False)


def _check_settings(path: Path, file: IO[bytes], mine: Mapping[str, Any]) -> None:
    """Raises RowsError where a file that has a line is of other settings, or does not say of which."""
    file.seek(0)
    line = file.readline(_LONGEST_HEADER)
    if _HEADER_START.startswith(line) or (line.startswith(_HEADER_START) and not line.endswith(b"\n")):
        return  # there is none, or half of one
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or list(header) != [_HEADER]:
        raise RowsError(f"{path} does not say of which settings its rows are: choose another --out")
    different = difference(header[_HEADER], json.loads(json.dumps(mine)))
    if different:
        raise RowsError(
            f"{path} is of other settings: {different}; choose another --out, or give the settings of that file"
        )


def _cut_half_line(file: IO[bytes]) -> None:
    size = end = file.seek(0, os.SEEK_END)
    whole = 0
    while end and not whole:
        start = max(0, end - _BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        end, whole = start, start + found + 1 if found >= 0 else 0
    if whole < size:
        file.truncate(whole)
