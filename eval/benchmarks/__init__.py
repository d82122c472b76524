"""Benchmarks of recorded steps by name."""

from __future__ import annotations

from eval.benchmarks.agentnetbench.benchmark import AGENTNETBENCH
from eval.benchmarks.aitz.benchmark import AITZ
from eval.benchmarks.androidcontrol.benchmark import ANDROIDCONTROL
from eval.benchmarks.base import Benchmark
from eval.benchmarks.mind2web.benchmark import MIND2WEB
from eval.benchmarks.playground.benchmark import PLAYGROUND
from eval.benchmarks.screenspot.benchmark import SCREENSPOT_PRO, SCREENSPOT_V2
from eval.benchmarks.webvoyager.benchmark import WEBVOYAGER

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        AGENTNETBENCH,
        ANDROIDCONTROL,
        MIND2WEB,
        SCREENSPOT_V2,
        SCREENSPOT_PRO,
        AITZ,
        WEBVOYAGER,
        PLAYGROUND,
    )
}

_MAIN = ("official", "release")

__all__ = ["BENCHMARKS", "Benchmark", "rules_of"]


def rules_of(benchmark: str) -> tuple[str, ...]:
    """The scores that are shown first: the two scorers, of which the release may lack one.

    Where there is no official score, the benchmark's first measure.
    """
    known = BENCHMARKS.get(benchmark)
    names = [] if known is None else [measure.name for measure in known.measures]
    return _MAIN if not names or "official" in names else (names[0],)
