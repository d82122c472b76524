"""What a sweep's folder holds: a folder for each cell, with its settings and a row for every step."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from eval.benchmarks import rules_of
from eval.benchmarks.reading import Record, check, first_problem, read_json
from eval.metrics.measures import Scored
from eval.replay.settings import ORACLE
from eval.rows import ROWS, Row, RowsError, from_line, read_rows
from eval.sweep.folder import CELLS, PLAN, SETTINGS
from guikv.budget import parse_budget
from guikv.errors import BudgetError, GuikvError

StepId = tuple[str, str, str]
"""Split, trajectory and key of a step."""


class ReportError(GuikvError):
    """A folder that is no sweep, or that holds damaged or contradictory cells; or a report that cannot be written."""


def _budget(value: str) -> str:
    try:
        parse_budget(value)
    except BudgetError as error:
        raise ValueError(str(error)) from error
    return value


class CacheRecord(Record):
    policy: str = ""
    budget: Annotated[str, AfterValidator(_budget)] = "100%"


class ConfigRecord(Record):
    cache: CacheRecord = CacheRecord()


class CellRecord(Record):
    """What the report reads of a cell's settings; all of them are shown."""

    benchmark: str
    path: Path
    images: Path | None = None
    splits: tuple[str, ...] = ()
    options: dict[str, str] = Field(default_factory=dict)
    history: str = "gold"
    seed: int = 0
    model: str = ""
    dialect: str = ""
    config: ConfigRecord = ConfigRecord()

    @property
    def policy(self) -> str:
        return ORACLE if self.model == ORACLE else self.config.cache.policy

    @property
    def budget(self) -> str:
        return self.config.cache.budget


@dataclass(frozen=True)
class StepRow:
    """What is kept of a row in memory: everything but texts and patches. `line` finds the rest again, from 1.

    step: its index in the trajectory, from 0
    cost: figures by name, `seconds` of all phases among them; None where no model answered
    """

    line: int
    step: int
    scored: Scored
    cost: Mapping[str, float] | None
    skipped: bool


@dataclass(frozen=True, eq=False)
class PlayedCell:
    """One cell. rows: by step, in the order of the file; identity: its settings as they were written."""

    folder: Path
    settings: CellRecord
    identity: Mapping[str, Any]
    rows: Mapping[StepId, StepRow] = field(repr=False)

    @property
    def name(self) -> str:
        return self.folder.name

    def reread(self, steps: Sequence[StepId]) -> dict[StepId, Row]:
        """The whole rows of these steps. Raises RowsError when the file is not what it was."""
        lines = {self.rows[step].line: step for step in steps if step in self.rows}
        path = self.folder / ROWS
        found: dict[StepId, Row] = {}
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if number in lines:
                        found[lines[number]] = from_line(line)
        except (OSError, ValueError, RecursionError) as error:
            raise RowsError(f"{path} cannot be read again: {error}") from error
        if len(found) != len(lines):
            raise RowsError(f"{path} has become shorter while it was read")
        return found


def read_sweep(folder: Path, begun: Callable[[str], None] = lambda name: None) -> list[PlayedCell]:
    """All cells by name, those without a row included. `begun` is told the name of each before it is read.

    Raises ReportError where there is none or they are of several benchmarks, DataError for damaged settings and
    RowsError for damaged rows, which name file, line and field.
    """
    places = folder / CELLS
    folders = sorted(path.parent for path in places.glob(f"*/{SETTINGS}")) if places.is_dir() else []
    if not folders:
        raise ReportError(f"{folder} holds no sweep: there is no {CELLS}/*/{SETTINGS} in it (guikv replay writes them)")
    cells: list[PlayedCell] = []
    facts: dict[StepId, Mapping[str, Any]] = {}
    for place in sorted(folders, key=_natural):
        begun(place.name)
        cells.append(read_cell(place, facts))
    names = sorted({cell.settings.benchmark for cell in cells})
    if len(names) > 1:
        raise ReportError(f"{folder} holds cells of several benchmarks ({', '.join(names)}): a report is of one")
    return cells


def read_cell(folder: Path, facts: dict[StepId, Mapping[str, Any]]) -> PlayedCell:
    """One cell. `facts`: of the steps seen so far; cells share them, since they are the benchmark's own."""
    path = folder / SETTINGS
    identity = read_json(path)
    settings = check(CellRecord, identity, str(path))
    rows: dict[StepId, StepRow] = {}
    for line, row in enumerate(read_rows(folder / ROWS), start=1):
        where = f"{folder / ROWS} line {line}"
        step = (row.split, row.trajectory, row.key)
        if row.benchmark != settings.benchmark:
            raise RowsError(f"{where}: benchmark: {row.benchmark!r} is not {settings.benchmark!r} of {path}")
        if step in rows:
            raise RowsError(f"{where}: the step {row.trajectory} {row.key} is there already, in line {rows[step].line}")
        rows[step] = _step_row(row, line, where, facts)
    return PlayedCell(folder, settings, identity, rows)


def _step_row(row: Row, line: int, where: str, facts: dict[StepId, Mapping[str, Any]]) -> StepRow:
    for name, value in row.scores.items():
        if not math.isfinite(value):
            raise RowsError(f"{where}: scores.{name}: {value} is no score")
    if not row.skipped and rules_of(row.benchmark)[0] not in row.scores:
        raise RowsError(f"{where}: scores: there is no {rules_of(row.benchmark)[0]} score")
    known = facts.setdefault((row.split, row.trajectory, row.key), row.facts)
    shared = known if known == row.facts else row.facts
    scored = Scored(row.trajectory, row.split, row.kind, row.scores, shared, row.error)
    return StepRow(line, row.step, scored, _cost(row, where), bool(row.skipped))


def _cost(row: Row, where: str) -> dict[str, float] | None:
    if not row.cost:
        return None
    try:
        amounts = _Amounts.model_validate(row.cost).model_dump()
        seconds = _Seconds.model_validate({"seconds": row.seconds}).seconds
    except ValidationError as error:
        raise RowsError(f"{where}: {first_problem(error, 'cost')}") from error
    return {**amounts, "seconds": sum(seconds.values())}


class _Amounts(Record):
    """Figures of a row's cost that the report adds up."""

    kv_bytes: float = 0.0
    full_kv_bytes: float = 0.0
    tokens_new: float = 0.0
    tokens_reused: float = 0.0
    tokens_recomputed: float = 0.0
    tokens_generated: float = 0.0
    flops: float = 0.0
    flops_stateless: float = 0.0


COSTS = tuple(_Amounts.model_fields)
"""Names of the cost figures; `seconds` of all phases comes beside them."""


class _Seconds(Record):
    seconds: dict[str, float]


class PlanRecord(Record):
    """cells: their names; steps: that each will have; bad_records: of the data, left out since they cannot be used"""

    cells: tuple[str, ...]
    steps: int
    bad_records: int = 0


def shortfall(folder: Path, cells: Sequence[PlayedCell]) -> tuple[str, ...]:
    """Warnings when cells or steps are still to come, or records were left out that cannot be used.

    Nothing where nobody said what was planned. Raises DataError.
    """
    path = folder / PLAN
    if not path.is_file():
        return ()
    plan = check(PlanRecord, read_json(path), str(path))
    whole = sum(len(cell.rows) >= plan.steps for cell in cells if cell.name in plan.cells)
    warnings = []
    if whole < len(plan.cells):
        warnings.append(
            f"The sweep is not finished: {whole} of {len(plan.cells)} cells have all of their {plan.steps} steps"
        )
    if plan.bad_records:
        warnings.append(f"Records of the data that cannot be used were left out: {plan.bad_records:,}")
    return tuple(warnings)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Numbers in names by their size."""
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.findall(r"\d+|\D+", path.name)]
