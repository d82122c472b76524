"""How much may be kept: `20%`, `2048 tokens` or `64MiB`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from guikv.errors import BudgetError

_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_FORMAT = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([A-Za-z%]+)\s*")
_HELP = "write a percentage (20%), a number of tokens (2048 tokens) or of bytes (64MiB)"


@dataclass(frozen=True)
class Budget:
    """`amount` percent, tokens or bytes.

    A percentage is taken of the tokens that the stateless protocol's prompt would hold at this step, so it means
    what it means in the paper and does not grow with the episode.
    """

    amount: float
    unit: Literal["percent", "tokens", "bytes"]

    def entries(self, stateless_tokens: int, bytes_per_entry: int) -> int:
        """Entries per layer and head. `bytes_per_entry` covers all layers and stored heads of one token."""
        if self.unit == "percent":
            return int(self.amount * stateless_tokens / 100)
        if self.unit == "tokens":
            return int(self.amount)
        return int(self.amount // bytes_per_entry)

    def check_whole(self, tokens: int, bytes_per_entry: int) -> None:
        """Raise BudgetError when a screenshot of `tokens`, which has to stay whole, is more than an absolute budget."""
        allowed = self.entries(0, bytes_per_entry)
        if self.unit != "percent" and tokens > allowed:
            raise BudgetError(
                f"a screenshot becomes {tokens:,} tokens and stays whole while it is acted on, but the budget of "
                f"{self} holds {allowed:,}: raise the budget, lower --max-pixels, or compress at the prefill"
            )

    def __str__(self) -> str:
        return f"{self.amount:g}" + {"percent": "%", "tokens": " tokens", "bytes": "B"}[self.unit]


def parse_budget(text: str) -> Budget:
    """Budget from its text. Raises BudgetError on anything but a positive amount, percentages up to 100."""
    match = _FORMAT.fullmatch(text)
    if match is None:
        raise BudgetError(f"budget {text!r} is not understood: {_HELP}")
    amount, unit = float(match[1]), match[2].lower()
    if unit == "%":
        if not 0 < amount <= 100:
            raise BudgetError(f"budget {text!r} must be above 0% and at most 100%")
        return Budget(amount, "percent")
    if unit in ("token", "tokens"):
        if amount < 1 or amount != int(amount):
            raise BudgetError(f"budget {text!r} must be a whole number of tokens, at least 1")
        return Budget(amount, "tokens")
    if unit in _UNITS:
        size = amount * _UNITS[unit]
        if size < 1:
            raise BudgetError(f"budget {text!r} must be at least one byte")
        return Budget(size, "bytes")
    raise BudgetError(f"budget {text!r} has the unknown unit {match[2]!r}: {_HELP}")
