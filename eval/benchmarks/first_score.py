"""Which scores are shown first."""

from __future__ import annotations

from eval.benchmarks import BENCHMARKS

MAIN = ("official", "release")


def rules_of(benchmark: str) -> tuple[str, ...]:
    """The two scorers, of which the release may lack one; without an official score, the benchmark's first measure."""
    known = BENCHMARKS.get(benchmark)
    names = [] if known is None else [measure.name for measure in known.measures]
    return MAIN if not names or "official" in names else (names[0],)
