"""A sweep that is not finished is said to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.benchmarks.errors import DataError
from eval.report.cells import read_sweep, shortfall
from tests.eval.report import made


def told(folder: Path) -> tuple[str, ...]:
    return shortfall(folder, read_sweep(folder))


def test_cells_and_steps_that_are_still_to_come(tmp_path: Path) -> None:
    rows = made.rows(made.FULL)
    made.cell(tmp_path, "one", made.settings(), rows)
    assert told(tmp_path) == (), "nobody said what was planned"
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"cells": ["one"], "steps": len(rows)}))
    assert told(tmp_path) == ()
    plan.write_text(json.dumps({"cells": ["one"], "steps": len(rows) + 1}))
    assert told(tmp_path) == (f"The sweep is not finished: 0 of 1 cells have all of their {len(rows) + 1} steps",)
    plan.write_text(json.dumps({"cells": ["one", "two"], "steps": len(rows)}))
    assert told(tmp_path) == (f"The sweep is not finished: 1 of 2 cells have all of their {len(rows)} steps",)


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": "one", "steps": 1}'])
def test_a_damaged_plan_is_named(tmp_path: Path, text: str) -> None:
    made.cell(tmp_path, "one", made.settings(), made.rows(made.FULL))
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(DataError, match=r"plan\.json"):
        told(tmp_path)
