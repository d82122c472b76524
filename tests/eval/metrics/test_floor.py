"""Metrics are the ground floor of the evaluation."""

from __future__ import annotations

from pathlib import Path

import eval.metrics
from tests.structure import imports


def test_metrics_import_nothing_above_them() -> None:
    files = sorted(Path(eval.metrics.__file__).parent.rglob("*.py"))
    assert len(files) > 5
    for path in files:
        above = [name for name, _ in imports(path.read_text()) if name.split(".")[:2] not in (["eval", "metrics"],)]
        assert not [name for name in above if name.split(".")[0] == "eval"], path.name
