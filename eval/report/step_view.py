"""What the page shows of a single step: the picture, what was asked, said and right, and what was kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.report.html import Raw
from agent.report.markers import marker_svg
from agent.report.pictures import MAX_SIDE, data_uri, veil_of
from agent.text import describe, plain
from envs.actions import Action, dump_action, points_of
from envs.geometry import Size
from eval.benchmarks.errors import DataError
from eval.report.cells import PlayedCell, StepId
from eval.report.data import Data, box_svg, gold_boxes
from eval.report.series import Sweep
from eval.report.tables import Table, outcome_table
from eval.report.worst import Worst
from eval.rows import ROWS, Row, RowsError
from guikv.errors import GuikvError

LONGEST = 4000
"""Characters of an answer that are shown."""
THUMB = 320
"""Pixels of the longer side of earlier screenshots."""


@dataclass(frozen=True)
class Answer:
    """An answer. text: as written, all views' one after another; done: what was read from it"""

    who: str
    text: str
    done: str
    error: str
    scores: Mapping[str, float]


@dataclass(frozen=True)
class FrameView:
    """An earlier screenshot, or the current one, and how much of it the cache holds, in percent.

    picture: data URI, empty where there is none; ratio: width / height as CSS
    """

    label: str
    picture: str
    veil: str
    percent: float
    ratio: str
    current: bool


@dataclass(frozen=True)
class WorstView:
    """One of the worst steps. row: whose answer is `shown`, beside those of `others`."""

    row: Row
    facts: tuple[tuple[str, str], ...]
    picture: str
    missing: str
    veil: str
    marks: Raw
    right: Raw
    gold: str
    gold_action: str
    shown: Answer
    others: tuple[Answer, ...]
    kept: tuple[FrameView, ...]
    outcomes: Table
    worst: Worst


def worst_views(sweep: Sweep, worst: Sequence[Worst], data: Data) -> list[WorstView]:
    """Views of the worst steps. Raises RowsError for damaged rows."""
    rows = _rows(sweep, worst)
    return [_worst_view(sweep, one, rows, data) for one in worst]


def _rows(sweep: Sweep, worst: Sequence[Worst]) -> dict[tuple[str, StepId], Row]:
    """All rows that the views need, by cell and step; each file is gone through once."""
    wanted: dict[str, set[StepId]] = {}
    cells: dict[str, PlayedCell] = {cell.name: cell for cell in sweep.cells}
    for one in worst:
        for cell in _asked(sweep, one):
            wanted.setdefault(cell.name, set()).add(one.step)
        wanted.setdefault(one.cell.name, set()).update(_before(one))
    return {
        (name, step): row for name, steps in wanted.items() for step, row in cells[name].reread(list(steps)).items()
    }


def _asked(sweep: Sweep, one: Worst) -> list[PlayedCell]:
    """The cell shown, the full cache's, and the first of every other series at the same budget."""
    beside = [sweep.at(series, one.shown.budget) for series in sweep.series]
    cells = [other.cells[0] for other in beside if other is not None and other is not one.shown]
    return list(dict.fromkeys([one.cell, *([one.full] if one.full else []), *cells]))


def _before(one: Worst) -> list[StepId]:
    """The steps of the trajectory up to this one, in order."""
    rows, last = one.cell.rows, one.cell.rows[one.step].step
    found = [step for step in rows if step[:2] == one.step[:2] and rows[step].step <= last and not rows[step].skipped]
    return sorted(found, key=lambda step: rows[step].step)


def _worst_view(sweep: Sweep, one: Worst, rows: Mapping[tuple[str, StepId], Row], data: Data) -> WorstView:
    row = rows[one.cell.name, one.step]
    size = Size(*row.size)
    label = {cell.name: point.label for point in sweep.points for cell in point.cells}
    told = [_answer(label[cell.name], rows[cell.name, one.step]) for cell in _asked(sweep, one)]
    picture, missing = _picture(data, row, row.views[-1]) if row.views else ("", "no picture was shown")
    frames = data.frames([rows[one.cell.name, step] for step in _before(one)], one.cell.settings.history)
    kept = _kept(one.cell, one.step, row, frames, data)
    wanted, unknown = _wanted(data, row)
    boxes = gold_boxes(row.benchmark, row.gold, size, row.views[-1]) if row.views and _same_view(data, row) else ()
    facts = {"action type": row.kind, "split": row.split, "seed": str(one.cell.settings.seed), "at": row.where}
    return WorstView(
        row=row,
        facts=tuple((name, text) for name, text in facts.items() if text),
        picture=picture,
        missing=missing,
        veil=next((frame.veil for frame in kept if frame.current), ""),
        marks=_marks(row.prediction.actions, size),
        right=Raw(box_svg(boxes, size).text + _marks(wanted, size).text),
        gold=json.dumps(row.gold, ensure_ascii=False, indent=1)[:LONGEST],
        gold_action="; ".join(map(describe, wanted)) or unknown,
        shown=told[0],
        others=tuple(told[1:]),
        kept=kept,
        outcomes=outcome_table(sweep, one.scores),
        worst=one,
    )


def _answer(who: str, row: Row) -> Answer:
    text = "\n———\n".join(row.texts)
    text = text if len(text) <= LONGEST else text[:LONGEST] + " …"
    return Answer(who, text, "; ".join(map(describe, row.prediction.actions)), plain(row.error, 300), row.scores)


def _picture(data: Data, row: Row, view: int, side: int = MAX_SIDE) -> tuple[str, str]:
    """Data URI, and why there is none. side: pixels of the longer one, at most."""
    try:
        return data_uri(data.load(row, view), side), ""
    except DataError as error:
        return "", str(error)


def _same_view(data: Data, row: Row) -> bool:
    """Whether gold places belong to the picture shown; without the data, where there is only one."""
    step = data.step(row)
    if data.benchmark is None or step is None:
        return len(row.views) == 1
    return data.benchmark.oracle_view(step) == row.views[-1]


def _wanted(data: Data, row: Row) -> tuple[tuple[Action, ...], str]:
    """The right actions, and what to say where there are none."""
    try:
        wanted = data.wanted(row)
    except (GuikvError, ValueError) as error:
        return (), f"cannot be said as an action: {plain(str(error), 200)}"
    if not wanted and data.step(row) is not None and not _same_view(data, row):
        return (), "in another view of this step than the one shown"
    return wanted, ""


def _marks(actions: Sequence[Action], size: Size) -> Raw:
    done = []
    for action in actions:
        data = dump_action(action)
        done.append({"executed": data, "wanted": data, "points": points_of(action)})
    return marker_svg(done, size.width, size.height)


def _kept(
    cell: PlayedCell, step: StepId, row: Row, frames: Sequence[tuple[Row, int]], data: Data
) -> tuple[FrameView, ...]:
    """Screenshots of which the cache still holds something; the current one is the last."""
    views = []
    for name, patches in row.kept.items():
        try:
            number, (shade, percent) = int(name), veil_of(patches)
        except (KeyError, TypeError, ValueError) as error:
            where = f"{cell.folder / ROWS} line {cell.rows[step].line}"
            raise RowsError(f"{where}: kept.{name}: {error}") from error
        current = number == len(frames) - 1
        if percent == 0 and not current:
            continue
        owner, view = frames[number] if 0 <= number < len(frames) else (None, 0)
        label = "now" if current else f"step {owner.step + 1}" if owner is not None else f"picture {number + 1}"
        width, height = owner.size if owner is not None else row.size
        picture = _picture(data, owner, view, THUMB)[0] if owner is not None else ""
        views.append((number, FrameView(label, picture, shade, percent, f"{width} / {height}", current)))
    return tuple(view for _, view in sorted(views, key=lambda pair: pair[0]))
