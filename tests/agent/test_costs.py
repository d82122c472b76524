"""Adding up costs."""

from __future__ import annotations

from agent.costs import add, tokens_processed


def test_work_adds_up_and_state_is_the_last() -> None:
    first = {"tokens_new": 10, "kv_bytes": 5, "flops": 1, "seconds": {"prefill": 1.0}}
    second = {"tokens_new": 2, "kv_bytes": 7, "flops": 2, "seconds": {"prefill": 0.5, "decoding": 1.0}}
    assert add(first, second) == {
        "tokens_new": 12,
        "kv_bytes": 7,
        "flops": 3,
        "seconds": {"prefill": 1.5, "decoding": 1.0},
    }


def test_tokens_processed() -> None:
    assert tokens_processed({"tokens_new": 10, "tokens_recomputed": 4, "tokens_generated": 3}) == 13
    assert tokens_processed({}) == 0
