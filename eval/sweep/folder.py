"""The folder of a sweep's results, and what keeps rows of different settings apart.

Settings bind once there is a row: what a run left that wrote none (its model did not fit, say) gives way to others.

sweep.json                    what all cells share
cells/<name>/settings.json    what the rows of a cell agree in (`ReplaySettings.identity`)
cells/<name>/rows.jsonl       a row for every step
plan.json                     the cells that are to be played, the steps of each, and the records that were left out
sweep.lock                    held by the one process that writes
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.recorder import write_atomically
from eval.replay.settings import ORACLE
from eval.rows import ROWS, difference
from eval.sweep.plan import Cell
from guikv.errors import GuikvError
from guikv.files import appending, make_folder

SWEEP, CELLS, SETTINGS, LOCK, PLAN = "sweep.json", "cells", "settings.json", "sweep.lock", "plan.json"
_AXES = ("seed", "config.cache.policy", "config.cache.options", "config.cache.budget")
_ORACLE_AXES = ("dialect", "config.prompt.dialect")


class SweepError(GuikvError):
    """A results folder that cannot be used, or a sweep that cannot go on."""


class MixError(SweepError):
    """A results folder holds rows of other settings or data."""


@dataclass(frozen=True)
class StoredCell:
    """A cell that lies in a folder. settings: its identity."""

    name: str
    settings: Mapping[str, Any]
    folder: Path

    @property
    def rows(self) -> Path:
        return self.folder / ROWS


def rows_path(out: Path, cell: Cell) -> Path:
    return out / CELLS / cell.name / ROWS


@contextmanager
def claimed(out: Path, folders: Sequence[str] = (CELLS,)) -> Iterator[None]:
    """Makes the folder, with these in it, and keeps other processes from writing there. Raises SweepError."""
    try:
        make_folder(out)
        for name in folders:
            make_folder(out / name)
        file = appending(out / LOCK)
    except OSError as error:
        raise SweepError(f"{out} cannot be written: {error.strerror or error}; choose another --out") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SweepError(f"another process writes into {out}: wait for it, or choose another --out") from error
        except OSError as error:
            raise SweepError(f"{out / LOCK} cannot be locked: {error.strerror or error}") from error
        yield


def admit(out: Path, cells: Sequence[Cell]) -> None:
    """Check that the cells belong with the rows in the folder, before anything is played; remember what they share.

    Raises MixError and SweepError.
    """
    bound = any(map(_has_rows, (out / CELLS).glob(f"*/{ROWS}")))
    for cell in cells if bound else ():
        _check(out / SWEEP, shared(cell.settings.identity()))
        _check_cell(out, cell)
    if cells and not bound:
        _write(out / SWEEP, shared(cells[0].settings.identity()))


def announce(out: Path, cells: Sequence[Cell], steps: int, bad_records: int = 0) -> None:
    """What is to be there in the end, so that a report knows whether it is; cells that were announced before stay.

    Raises SweepError.
    """
    path = out / PLAN
    before = _read(path).get("cells", ()) if path.is_file() else ()
    names = sorted({*before, *(cell.name for cell in cells)})
    left_out = {"bad_records": bad_records} if bad_records else {}
    _write(path, {"cells": names, "steps": steps, **left_out})


def begin(out: Path, cell: Cell) -> Path:
    """The cell's rows file, with its settings beside it. Raises MixError and SweepError."""
    _check_cell(out, cell)
    path = rows_path(out, cell)
    if not _has_rows(path):
        _write(path.parent / SETTINGS, cell.settings.identity())
    return path


def stored_cells(out: Path) -> list[StoredCell]:
    """The cells that have settings, by name. Raises SweepError where there is none."""
    found = [
        StoredCell(path.parent.name, _read(path), path.parent) for path in sorted((out / CELLS).glob(f"*/{SETTINGS}"))
    ]
    if not found:
        raise SweepError(f"{out} holds no results of `guikv replay`")
    return found


def shared(identity: Mapping[str, Any]) -> dict[str, Any]:
    """An identity without what may differ between the cells of a sweep."""
    axes = _AXES + (_ORACLE_AXES if identity.get("model") == ORACLE else ())
    data: dict[str, Any] = json.loads(json.dumps(identity))
    for axis in axes:
        *above, last = axis.split(".")
        place = data
        for key in above:
            place = place.get(key, {})
        place.pop(last, None)
    return data


def _check_cell(out: Path, cell: Cell) -> None:
    rows = rows_path(out, cell)
    if _has_rows(rows):
        _check(rows.with_name(SETTINGS), cell.settings.identity())


def _check(path: Path, mine: Mapping[str, Any]) -> None:
    """Raises MixError where the file that says what the rows beside it are of is missing, or says something else."""
    if not path.is_file():
        raise MixError(f"{path.parent} has rows, but no {path.name} that says of what: choose another --out")
    different = difference(_read(path), json.loads(json.dumps(mine)))
    if different:
        raise MixError(
            f"{path} is of other settings: {different}; choose another --out, or give the settings of that folder"
        )


def _has_rows(path: Path) -> bool:
    """Half a row counts, too."""
    return path.is_file() and path.stat().st_size > 0


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise SweepError(f"{path} cannot be read: {error}; choose another --out") from error
    if not isinstance(data, dict):
        raise SweepError(f"{path} is not what `guikv replay` writes: choose another --out")
    return data


def _write(path: Path, data: Mapping[str, Any]) -> None:
    try:
        make_folder(path.parent)
        write_atomically(path, data)
    except OSError as error:
        raise SweepError(f"{path} cannot be written: {error.strerror or error}; is the disk full?") from error
