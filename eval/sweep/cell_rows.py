"""The rows of one cell while it is played: what is there, and what is added."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from eval.benchmarks.first_score import rules_of
from eval.rows import Row, RowFile, read_rows
from eval.sweep.errors import MixError


class CellRows:
    """A cell's rows file, open for appending."""

    def __init__(self, path: Path) -> None:
        """Reads what is there. Raises RowsError."""
        self.path = path
        self._rows: dict[tuple[str, str], str] = {}
        self._keys: dict[str, list[str]] = {}
        self._total, self._count = 0.0, 0
        for row in read_rows(path):
            self._remember(row)
        self._file = RowFile(path)

    @property
    def known(self) -> dict[str, tuple[str, ...]]:
        """Trajectory → keys of its steps that have rows, in order."""
        return {trajectory: tuple(keys) for trajectory, keys in self._keys.items()}

    @property
    def score(self) -> float | None:
        """The mean so far of the score that is shown first."""
        return self._total / self._count if self._count else None

    def add(self, row: Row) -> None:
        """Append the row; of a step that has one, see that they are the same. Raises MixError and RowsError."""
        before = self._rows.get((row.trajectory, row.key))
        if before is None:
            self._file.write(row)
            self._remember(row)
        elif before != _digest(row):
            raise MixError(
                f"{self.path}: the trajectory {row.trajectory} was played again from its beginning, and the row of its "
                f"step {row.key} came out differently in {self._different(row)}: the file was made with another model, "
                "program, machine or other data; choose another --out"
            )

    def close(self) -> None:
        """Raises RowsError when what is left cannot be written."""
        self._file.close()

    def _remember(self, row: Row) -> None:
        self._rows[row.trajectory, row.key] = _digest(row)
        self._keys.setdefault(row.trajectory, []).append(row.key)
        rule = rules_of(row.benchmark)[0]
        if rule in row.scores:
            self._total, self._count = self._total + row.scores[rule], self._count + 1

    def _different(self, row: Row) -> str:
        mine = row.comparable
        for other in read_rows(self.path):
            if (other.trajectory, other.key) == (row.trajectory, row.key):
                theirs = other.comparable
                return ", ".join(name for name in mine if mine[name] != theirs[name]) or "nothing that can be named"
        return "everything"


def read_known(path: Path) -> dict[str, tuple[str, ...]]:
    """Trajectory → keys of its steps that have rows, in order. Raises RowsError."""
    keys: dict[str, list[str]] = {}
    for row in read_rows(path):
        keys.setdefault(row.trajectory, []).append(row.key)
    return {trajectory: tuple(found) for trajectory, found in keys.items()}


def _digest(row: Row) -> str:
    """Rows of a long sweep are many; this is all of one that is kept in memory."""
    return hashlib.blake2b(json.dumps(row.comparable, sort_keys=True).encode(), digest_size=16).hexdigest()
