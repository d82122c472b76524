"""A CSV file with one row per finished piece of work, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TypeVar

from guikv.errors import GuikvError
from guikv.files import appending

R = TypeVar("R")
_KINDS: dict[str, Callable[[str], object]] = {"str": str, "int": int, "float": float}


class RowsError(GuikvError):
    """The file of the rows holds something else."""


def columns(kind: Any) -> tuple[str, ...]:
    """The fields of a row's dataclass, which are the file's columns; each is a str, an int or a float."""
    return tuple(f.name for f in dataclasses.fields(kind))


def read_all(path: Path, kind: type[R]) -> list[R]:
    """All rows in file order; none when there is no file.

    A last line that was cut off is left out. Raises RowsError when the file is something else.
    """
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != columns(kind):
            raise RowsError(f"{path} has other columns than this writes: move it away or choose another --out")
        lines = [line for line in reader if None not in line and None not in line.values()]
    kinds = {f.name: _KINDS[str(f.type)] for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    try:
        return [kind(**{name: read(line[name]) for name, read in kinds.items()}) for line in lines]
    except ValueError as error:
        raise RowsError(f"{path} has a broken row: {error}; move it away or choose another --out") from error


def append_row(path: Path, row: object) -> None:
    """Write one row at the end, with the header where the file is new."""
    names = columns(row)
    with TextIOWrapper(appending(path), "utf-8", newline="") as file:
        fresh = not path.stat().st_size
        whole = fresh or path.read_bytes().endswith(b"\n")
        writer = csv.writer(file, lineterminator="\n")
        if not whole:
            file.write("\n")
        if fresh:
            writer.writerow(names)
        values = (getattr(row, name) for name in names)
        writer.writerow([round(value, 4) if isinstance(value, float) else value for value in values])
