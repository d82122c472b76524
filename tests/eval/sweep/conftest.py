"""One model for the tests of this folder, and one sweep that nothing interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from eval.sweep.cell_player import CellPlayer
from eval.sweep.plan import Axes, Cell
from eval.sweep.workers import InProcess
from tests.eval.sweep.tools import cells_of, comparable, drive, few


@dataclass(frozen=True)
class Whole:
    """An uninterrupted serial sweep with nano: data, cells, and their rows without seconds."""

    path: Path
    out: Path
    cells: list[Cell]
    rows: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    path = few(folder, "click-95000", "remember_3-95000", "dialog-95000")
    cells = cells_of(path, "nano", Axes(("gui_kv", "random"), ("20%",), (1,)))
    drive(folder / "out", cells, InProcess(CellPlayer))
    return Whole(path, folder / "out", cells, comparable(folder / "out", cells))
