"""Budgets: what is understood, what it means, and what is refused."""

from __future__ import annotations

import pytest

from guikv.budget import parse_budget
from guikv.errors import BudgetError


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("20%", 200),
        ("12.5 %", 125),
        ("100%", 1000),
        ("2048 tokens", 2048),
        ("64KiB", 64),
        ("1.5 kib", 1),
        ("2MB", 1953),
    ],
)
def test_entries(text: str, entries: int) -> None:
    assert parse_budget(text).entries(stateless_tokens=1000, bytes_per_entry=1024) == entries


@pytest.mark.parametrize(
    "text",
    [
        "0%",
        "300%",
        "-5%",
        "20",
        "",
        "%",
        "nan%",
        "inf tokens",
        "0 tokens",
        "1.5 tokens",
        "10 apples",
        "9" * 50 + "%",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(BudgetError):
        parse_budget(text)
