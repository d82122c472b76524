"""What a sweep found: each cell's measures with intervals, what it held, what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from rich import box
from rich.table import Table

from eval.benchmarks import rules_of
from eval.benchmarks.base import Benchmark
from eval.metrics.measures import Scored, Value, evaluate
from eval.rows import read_rows
from eval.sweep.folder import rows_path
from eval.sweep.plan import Cell

NARROW, ROOMY = 6, 2
"""Cells that fit side by side, and with explanations beside them."""


@dataclass(frozen=True)
class CellSummary:
    """A cell's outcome over all rows that it has.

    skipped: steps left out, since their image is missing; unread: answers that held no action
    kv_bytes, full_kv_bytes: mean over the steps, of the session and of the stateless full cache; None for an oracle
    """

    name: str
    dialect: str
    policy: str
    budget: str
    seed: int
    steps: int
    skipped: int
    unread: int
    kv_bytes: float | None
    full_kv_bytes: float | None
    measures: tuple[Value, ...]

    def value(self, name: str) -> Value | None:
        return next((value for value in self.measures if value.name == name), None)


def summarise(out: Path, cells: Sequence[Cell], benchmark: Benchmark) -> list[CellSummary]:
    """Every cell's outcome, in order. Raises RowsError."""
    return [_summary(out, cell, benchmark) for cell in cells]


def _summary(out: Path, cell: Cell, benchmark: Benchmark) -> CellSummary:
    scored: list[Scored] = []
    held: list[float] = []
    full: list[float] = []
    skipped = 0
    for row in read_rows(rows_path(out, cell)):
        scored.append(row.scored)  # some measures count what was left out, too
        skipped += bool(row.skipped)
        if "kv_bytes" in row.cost:
            held.append(row.cost["kv_bytes"])
            full.append(row.cost["full_kv_bytes"])
    settings, cache = cell.settings, cell.settings.config.cache
    oracle = settings.is_oracle
    return CellSummary(
        name=cell.name,
        dialect=settings.dialect,
        policy=settings.model if oracle else cache.policy,
        budget="" if oracle else cache.budget,
        seed=settings.seed,
        steps=len(scored) - skipped,
        skipped=skipped,
        unread=sum(bool(row.error) for row in scored),
        kv_bytes=fmean(held) if held else None,
        full_kv_bytes=fmean(full) if full else None,
        measures=tuple(evaluate(benchmark.measures, scored)),
    )


def as_json(found: Sequence[CellSummary], benchmark: Benchmark, failed: dict[str, str], out: Path) -> dict[str, Any]:
    """Everything, for programs."""
    cells = []
    for cell in found:
        data = asdict(cell)
        data["measures"] = {value.name: asdict(value) for value in cell.measures}
        cells.append(data)
    helps = {measure.name: measure.help for measure in benchmark.measures}
    return {"benchmark": benchmark.name, "out": str(out), "cells": cells, "measures": helps, "failed": failed}


def tables(found: Sequence[CellSummary], benchmark: Benchmark) -> list[Table | str]:
    """Policy and budget against the two scores and what was held, with what the columns are; and all measures, where
    the cells are few."""
    result: list[Table | str] = [_main(found, benchmark), _legend(found)]
    if any(measure.name not in rules_of(benchmark.name) for measure in benchmark.measures) and len(found) <= NARROW:
        result.append(_measures(found, benchmark))
    return result


def _main(found: Sequence[CellSummary], benchmark: Benchmark) -> Table:
    """Only the columns that say something."""
    columns: dict[str, list[str]] = {}
    if any(cell.budget for cell in found):
        columns["policy"] = [cell.policy for cell in found]
        columns["budget"] = ["" if cell.policy == "full" else cell.budget for cell in found]
        if any(cell.seed for cell in found):
            columns["seed"] = [str(cell.seed) for cell in found]
    else:
        columns["dialect"] = [cell.dialect for cell in found]
    for name in rules_of(benchmark.name):
        if any(cell.value(name) for cell in found):
            columns[f"{name} %"] = [_shown(cell.value(name)) for cell in found]
    steps = {cell.steps for cell in found}
    if len(steps) > 1:
        columns["steps"] = [str(cell.steps) for cell in found]
    if any(cell.unread for cell in found):
        columns["unread"] = [str(cell.unread) for cell in found]
    if any(cell.kv_bytes for cell in found):
        columns["KV MiB"] = [_mebibytes(cell.kv_bytes) for cell in found]
        columns["KV %"] = [_share(cell) for cell in found]
    table = Table(title=benchmark.name, box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for line in zip(*columns.values(), strict=True):
        table.add_row(*line)
    return table


def _legend(found: Sequence[CellSummary]) -> str:
    """Only of what the table shows. Below the table, since a caption is no wider than its table."""
    steps = {cell.steps for cell in found}
    parts = [f"{steps.pop():,} steps"] if len(steps) == 1 else []
    parts.append("ranges: 95 % by bootstrap over trajectories")
    if any(cell.kv_bytes for cell in found):
        parts.append("KV %: of the stateless full cache")
    return "; ".join(parts)


def _measures(found: Sequence[CellSummary], benchmark: Benchmark) -> Table:
    table = Table(title="all measures that there are rows for, %", box=box.SIMPLE_HEAD)
    table.add_column("")
    for cell in found:
        table.add_column(cell.name, justify="right")
    explained = len(found) <= ROOMY
    if explained:
        table.add_column("what it is")
    for measure in benchmark.measures:
        values = [cell.value(measure.name) for cell in found]
        if not any(values):
            continue
        table.add_row(
            measure.name,
            *("–" if v is None else f"{100 * v.value:.1f}" for v in values),
            *([measure.help] if explained else []),
        )
    return table


def _shown(value: Value | None) -> str:
    return "–" if value is None else f"{100 * value.value:.1f} {100 * value.low:.0f}–{100 * value.high:.0f}"


def _mebibytes(count: float | None) -> str:
    return "–" if count is None else f"{count / 2**20:.2f}"


def _share(cell: CellSummary) -> str:
    return f"{100 * cell.kv_bytes / cell.full_kv_bytes:.0f}" if cell.kv_bytes and cell.full_kv_bytes else "–"
