"""Decoding in slots beside the memory's speed, on a tiny model; times are reported, never judged here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eval.bench.slots import bytes_per_second, decode_rates, decoder_bytes, slots_table
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model, random_qwen3


@pytest.mark.parametrize("make", [random_model, random_qwen3])
def test_all_numbers_of_sessions_are_timed(make: Callable[[], Adapter]) -> None:
    told: list[str] = []
    result = decode_rates(make(), (1, 3), entries=40, new=3, report=told.append)
    assert [row["sessions"] for row in result["rows"]] == [1, 3]
    assert told == ["1 sessions in slots, PyTorch", "3 sessions in slots, PyTorch"]
    for row in result["rows"]:
        assert row["ms_per_token"] == pytest.approx(row["ms_per_step"] / row["sessions"], abs=1e-3)
        assert row["over_memory"] > 0
        assert row["peak_memory"] is None, "counted on a GPU only"
    assert slots_table(result).row_count == 2


def test_the_bytes_are_those_of_the_decoder_and_its_head() -> None:
    adapter = random_model()
    linears = [
        module.weight.numel()
        for module in (*adapter.model.model.language_model.modules(), adapter.model.get_output_embeddings())
        if type(module).__name__ == "Linear"
    ]
    assert decoder_bytes(adapter) == 4 * sum(linears)
    assert bytes_per_second(adapter.device) > 0
