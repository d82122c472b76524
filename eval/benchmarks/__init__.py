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

__all__ = ["BENCHMARKS", "Benchmark"]
