"""The published parquet files of osunlp/Multimodal-Mind2Web, one row group at a time and only the needed columns."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from envs.geometry import Size
from eval.benchmarks.base import Source
from eval.benchmarks.errors import DataError
from eval.benchmarks.mind2web.blocks import HEIGHT, STRIDE, WIDTH, Cut, clipped, cut, targets
from eval.benchmarks.mind2web.gold import Mind2WebGold, Place
from eval.benchmarks.mind2web.records import COLUMNS, RecordedStep, RowRecord
from eval.benchmarks.pictures import Picture
from eval.benchmarks.reading import check


def count_steps(source: Source, files: Sequence[Path]) -> Counter[str]:
    """Task → number of its steps in the files. Raises DataError."""
    counts: Counter[str] = Counter()
    for file in files:
        with source.skipping_bad():
            counts.update(row["annotation_id"] for row, _ in _rows(file, ("annotation_id",)))
    return counts


def read_steps(source: Source, files: Sequence[Path], split: str) -> Iterator[RecordedStep]:
    """The steps of a split's files, in their order. Raises DataError."""
    for file in files:
        with source.skipping_bad():
            for row, where in _rows(file, COLUMNS):
                with source.skipping_bad():
                    yield _step(check(RowRecord, row, where), split, where)


def _step(record: RowRecord, split: str, where: str) -> RecordedStep:
    name = f"{record.annotation_id}_{record.action_uid}.png"
    data = record.screenshot.data if record.screenshot else None
    boxes = [candidate.attributes.bounding_box_rect for candidate in record.pos_candidates]
    whole = Picture(name, data=data, where=where)
    page = whole.size() if whole.exists else _page_for(boxes)
    places = tuple(_on_page(box, page, where) for box in boxes)
    blocks = cut(page, places)
    views = tuple(
        Cut(f"{name}#{number}", None, data, Size(block.width, block.height), where, block.left, block.top)
        for number, block in enumerate(blocks)
    )
    gold = Mind2WebGold(
        operation=record.operation.op,
        value=record.operation.value,
        page=places,
        target_blocks=targets(blocks, places),
        sizes=tuple((block.width, block.height) for block in blocks),
    )
    index, reprs = record.target_action_index, record.action_reprs
    if index >= len(reprs):
        raise DataError(f"{where}: target_action_index: {index} is none of {len(reprs)} steps")
    return RecordedStep(
        split=split,
        task=record.annotation_id,
        key=record.action_uid,
        goal=record.confirmed_task,
        website=record.website,
        domain=record.domain,
        subdomain=record.subdomain,
        gold=gold,
        previous=reprs[:index],
        index=index,
        total=len(reprs),
        views=views,
        where=where,
    )


def _on_page(box: Place, page: Size, where: str) -> Place:
    place = clipped(box, page)
    if place is None:
        raise DataError(f"{where}: bounding_box_rect: {box} is not on the page, which is {page.width}x{page.height}")
    return place


def _page_for(boxes: Sequence[Place]) -> Size:
    """A page that holds the boxes, for rows without a screenshot: just as long as their blocks need."""
    bottom = max((y + height for _, y, _, height in boxes), default=0.0)
    right = max((x + width for x, _, width, _ in boxes), default=0.0)
    # Where this is more than any page has, the blocks would be too many to count.
    bottom, right = min(bottom, 1e5), min(right, 1e5)
    longer = -(-max(0, int(bottom) + 1 - HEIGHT) // STRIDE) * STRIDE
    return Size(max(WIDTH, int(right) + 1), HEIGHT - 1 + longer)


def _rows(file: Path, columns: Sequence[str]) -> Iterator[tuple[dict[str, Any], str]]:
    """Row and where it is, as plain values."""
    parquet, arrow = _library("pyarrow.parquet"), _library("pyarrow")
    number = 0
    try:
        with parquet.ParquetFile(file) as opened:
            lacking = [name for name in columns if name not in opened.schema_arrow.names]
            if lacking:
                raise DataError(f"{file.name}: the column {lacking[0]} is missing")
            for group in range(opened.num_row_groups):
                table = opened.read_row_group(group, columns=list(columns))
                for row in range(table.num_rows):
                    # A row at a time: as plain values a whole group would be there twice.
                    yield table.slice(row, 1).to_pylist()[0], f"{file.name} row {number}"
                    number += 1
    except FileNotFoundError as error:
        raise DataError(f"{file} is missing") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file.name} row {number} is not UTF-8 text: {error.reason}") from error
    except (arrow.ArrowException, OSError) as error:
        raise DataError(f"{file.name} cannot be read as parquet, row {number} or later: {error}") from error


def _library(name: str) -> Any:
    """Raises DataError where pyarrow is not installed: nothing else needs it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DataError("parquet files need pyarrow: pip install 'guikv[data]'") from error
