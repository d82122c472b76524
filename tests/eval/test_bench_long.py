"""The long run's bookkeeping on few steps; times are reported, never judged here."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from envs.geometry import Size
from eval.bench.long import Track, run_long, summarise
from eval.bench.long_plot import long_plot
from eval.commands.bench_long import ROWS, long_table


def test_a_scripted_run_does_not_grow(tmp_path: Path) -> None:
    seen: list[int] = []
    result = run_long("scripted", 48, tmp_path / "run", Size(280, 196), seen.append)
    assert seen == list(range(1, 49))
    assert (result["steps"], result["ended"]) == (48, "48 steps are used up")
    assert result["entries_ratio"] == pytest.approx(1, abs=0.05)
    assert result["record_line_ratio"] < 1.3
    assert result["record_bytes"] > 0 < result["picture_bytes"]
    assert all(key in result for _, key, _ in ROWS)
    assert long_table({"steps": 48, "runs": {"scripted": result}}).row_count == len(ROWS)


def test_late_steps_are_compared_with_early_ones() -> None:
    steps = 1000
    track = Track(
        cpu=[5.0] * 50 + [1.0] * 50 + [7.0] * 850 + [3.0] * 50,
        wall=[1.0] * steps,
        rss=[10**6 * n for n in range(steps)],
        chromium=[0] * steps,
        line=[10] * 950 + [20] * 50,
        entries=[7] * steps,
    )
    found = summarise(track)
    keys = ("time_ratio", "wall_ratio", "rss_growth_mb", "record_line_ratio", "entries_ratio")
    assert [found[key] for key in keys] == [3.0, 1.0, 899.0, 2.0, 1.0]
    assert list(found["at"]) == ["50", "100", "200", "300", "500", "1000"]
    with Image.open(io.BytesIO(long_plot({"runs": {"one": found, "two": found}}))) as picture:
        assert picture.format == "PNG"
        assert picture.width > picture.height > 100
