"""The benchmark's bookkeeping on a tiny model; times are reported, never judged here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from eval.bench.session import SHAPES, BenchError, Track, run_bench, screenshots, session_table, summarise
from eval.commands.bench import Shape
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model, random_qwen3

DATA = Path(__file__).parents[1] / "data" / "trajectory"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    for number in range(2):
        Image.new("RGB", (168, 140), (90 * number, 80, 70)).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize("make", [random_model, random_qwen3])
def test_ratios_of_a_short_episode(small: Path, make: Callable[[], Adapter]) -> None:
    seen: list[int] = []
    result = run_bench(
        small, steps=7, history=3, new_tokens=4, adapter=make(), report=lambda step, tracks: seen.append(step)
    )
    assert seen == list(range(7))
    assert result["moments"].keys() == {"prefill", "next_observation"}
    for run in (result, *result["moments"].values(), result["persistent_full"]):
        assert {"prefill_ratio", "step_ratio", "kv_bytes_ratio", "compression_share"} <= run.keys()
        assert all(value >= 0 for key, value in run.items() if key.endswith("ratio"))
    assert result["moments"]["prefill"]["kv_bytes_ratio"] < result["kv_bytes_ratio"] < 1
    assert result["persistent_full"]["kv_bytes_ratio"] > 1, "a cache that keeps everything outgrows the window"
    assert result["one_shot"]["tokens"] > 0.8 * result["stateless_tokens"]
    assert session_table(result).row_count == 5


def test_growth_compares_late_steps_with_early_ones() -> None:
    def track(slow: float) -> Track:
        steps = [1.0] * 25 + [slow] * 5
        return Track([1.0] * 30, [0.5] * 30, [0.01] * 30, steps, [100] * 30, [10] * 30)

    tracks = {name: track(1.0) for name in ("stateless", "full", "prefill")} | {"next_observation": track(1.2)}
    result = summarise(tracks)
    assert result["growth"] == pytest.approx(1.2)
    assert result["moments"]["prefill"]["growth"] == pytest.approx(1.0)
    assert result["compression_share"] == pytest.approx(0.02)


def test_screenshots_are_all_different() -> None:
    pictures = screenshots(DATA, 16)
    assert len({p.tobytes() for p in pictures}) == 16
    assert {p.size for p in pictures} == {(1024, 768)}


def test_an_empty_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="--screenshots"):
        screenshots(tmp_path, 3)


def test_the_command_offers_every_shape() -> None:
    assert set(get_args(Shape)) == set(SHAPES)
