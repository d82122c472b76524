"""Counting what a benchmark's trajectories hold."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

NAMED = 10
"""Examples of each problem that are named."""


@dataclass
class Problem:
    """Something wrong, how often, and where it was first."""

    what: str
    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, where: str) -> None:
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append(where)

    def __str__(self) -> str:
        """One line: how often, and the first place."""
        return f"{self.count:,} {self.what}; the first: {self.first[0]}" if self.first else f"0 {self.what}"

    def to_dict(self) -> dict[str, Any]:
        return {"what": self.what, "count": self.count, "first": self.first}


@dataclass
class Problems:
    """By what is wrong, in the order in which it was found first."""

    found: dict[str, Problem] = field(default_factory=dict)

    def add(self, what: str, where: str) -> None:
        self.found.setdefault(what, Problem(what)).add(where)

    def count(self, what: str) -> int:
        return self.found[what].count if what in self.found else 0

    def to_list(self) -> list[dict[str, Any]]:
        return [problem.to_dict() for problem in self.found.values()]


@dataclass
class Split:
    """lengths: number of trajectories by their number of steps"""

    lengths: Counter[int] = field(default_factory=Counter)

    def to_dict(self) -> dict[str, Any]:
        return {
            "trajectories": self.lengths.total(),
            "steps": sum(length * count for length, count in self.lengths.items()),
            "steps_per_trajectory": spread(self.lengths),
        }


def spread(counts: Counter[int]) -> dict[str, float] | None:
    """Least, median and most of the values, each as often as it was counted; None for none."""
    if not counts:
        return None
    return {"min": min(counts), "median": float(statistics.median(_all(counts))), "max": max(counts)}


def _all(counts: Counter[int]) -> Iterable[int]:
    return list(counts.elements())
