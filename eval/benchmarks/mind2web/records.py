"""Schemas of the two published forms, and a step as both give it.

Blocks: OSU-NLP-Group/UGround, offline_evaluation/Multimodal-Mind2Web (file_schema.py says what its lines hold).
Rows: the parquet files of osunlp/Multimodal-Mind2Web; candidates, their attributes and operations are JSON in texts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field, Json

from eval.benchmarks.mind2web.gold import Index, Mind2WebGold, Operation, Place
from eval.benchmarks.pictures import Picture
from eval.benchmarks.reading import Record

Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0, lt=1000)]


def _rect(value: object) -> object:
    """`x,y,width,height` → four finite numbers. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("is no text of four numbers")
    try:
        numbers = tuple(float(part) for part in value.split(","))
    except ValueError:
        raise ValueError(f"{value[:60]!r} is no text of four numbers") from None
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{value[:60]!r} is no text of four numbers")
    return numbers


def _lines(value: object) -> object:
    """A list of texts; some releases hold one text with a line for each."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    return value.split("\n") if isinstance(value, str) else value


class BlockRecord(Record):
    """A line of cross_*_blocks.jsonl. bbox: on the whole page; target_blocks: in the blocks that show it whole."""

    annotation_id: Name
    action_uid: Name
    task: str
    website: str
    domain: str
    subdomain: str = ""
    operation: Operation
    value: str
    bbox: tuple[Place, ...]
    target_blocks: dict[Index, tuple[Place, ...]]
    previous_actions: tuple[str, ...] = ()
    step: Count
    total_steps: Annotated[int, Field(ge=1, lt=1000)]


class OperationRecord(Record):
    op: Operation
    value: str = ""


class AttributesRecord(Record):
    """bounding_box_rect: x, y, width, height in pixels of the whole page."""

    bounding_box_rect: Annotated[Place, BeforeValidator(_rect)]


class CandidateRecord(Record):
    attributes: Json[AttributesRecord]


class ScreenshotRecord(Record):
    data: bytes | None = Field(default=None, alias="bytes")


class RowRecord(Record):
    """A row of test_*.parquet. action_reprs: all steps of the task in words, of which `target_action_index` is this."""

    annotation_id: Name
    action_uid: Name
    confirmed_task: str
    website: str
    domain: str
    subdomain: str
    operation: Json[OperationRecord]
    pos_candidates: tuple[Json[CandidateRecord], ...]
    screenshot: ScreenshotRecord | None
    action_reprs: Annotated[tuple[str, ...], BeforeValidator(_lines), Field(min_length=1, max_length=999)]
    target_action_index: Count


COLUMNS = tuple(RowRecord.model_fields)
"""All that is read of the parquet files: not the pages' HTML."""


@dataclass(frozen=True)
class RecordedStep:
    """A step before it is put into its task.

    index: in its task, from 0; total: steps that the task has, also those that are not in the data
    previous: the steps before it, in words; told: the text of the history that the model gets, "" for none
    """

    split: str
    task: str
    key: str
    goal: str
    website: str
    domain: str
    subdomain: str
    gold: Mind2WebGold
    previous: tuple[str, ...]
    index: int
    total: int
    views: tuple[Picture, ...]
    where: str
    told: str = ""
