"""UGround's block form: how a page is cut into blocks, and the files of blocks that it published.

The published pages are cut by the same rule, so that both forms of the data are the same afterwards. The files are
cross_*_blocks.jsonl, and a folder of numbered blocks for each step.

Source: OSU-NLP-Group/UGround, make_blocks.py: blocks of 1280x1000 pixels from the left edge, every 800 pixels, the
last one shorter; an element belongs to the blocks that show it whole; a page whose element no block shows whole gets
one more block that does; a page without a right element is its first block. Two things differ. UGround draws the place
of the additional block, which stands in the middle here; and it cuts that block as narrow as the element, which as a
rule leaves the element out of its own picture, while it has the others' width here.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from envs.geometry import Size
from eval.benchmarks.base import Source
from eval.benchmarks.errors import DataError
from eval.benchmarks.mind2web.gold import Mind2WebGold, Place
from eval.benchmarks.mind2web.records import BlockRecord, RecordedStep
from eval.benchmarks.pictures import Picture
from eval.benchmarks.reading import check, inside, read_lines

WIDTH, HEIGHT, STRIDE = 1280, 1000, 800
OVERLAP = HEIGHT - STRIDE
_BLOCK = re.compile(r"(\d{1,3})\.png", re.ASCII)


@dataclass(frozen=True)
class Block:
    """A part of a page, in its pixels."""

    left: int
    top: int
    width: int
    height: int

    def place(self, box: Place) -> Place:
        """A place on the page → in the block."""
        return box[0] - self.left, box[1] - self.top, box[2], box[3]

    def shows(self, box: Place) -> bool:
        """Whether it shows all of a place of the page."""
        x, y, width, height = self.place(box)
        return 0 <= x < self.width and x + width <= self.width and 0 <= y < HEIGHT and y + height <= HEIGHT


def cut(page: Size, boxes: Sequence[Place]) -> tuple[Block, ...]:
    """The blocks of a page whose right elements have these places, from top to bottom."""
    width = min(page.width, WIDTH)
    if not boxes:
        return (Block(0, 0, width, min(page.height, HEIGHT)),)
    count = max(1, (page.height - OVERLAP) // STRIDE + 1)
    tops = [number * STRIDE for number in range(count)]
    blocks = [Block(0, top, width, min(HEIGHT, page.height - top)) for top in tops]
    if not any(block.shows(box) for block in blocks for box in boxes):
        blocks.append(_around(boxes[0], page, width))
    return tuple(sorted(blocks, key=lambda block: block.top))


def targets(blocks: Sequence[Block], boxes: Sequence[Place]) -> dict[int, tuple[Place, ...]]:
    """Block → places of the right elements that it shows whole, in its pixels; only blocks that show one."""
    shown = {index: tuple(block.place(box) for box in boxes if block.shows(box)) for index, block in enumerate(blocks)}
    return {index: places for index, places in shown.items() if places}


def clipped(box: Place, page: Size) -> Place | None:
    """The part of a place that is on the page; None where there is none."""
    x0, y0 = max(box[0], 0.0), max(box[1], 0.0)
    x1, y1 = min(box[0] + box[2], float(page.width)), min(box[1] + box[3], float(page.height))
    return (x0, y0, x1 - x0, y1 - y0) if x0 <= x1 and y0 <= y1 else None


def _around(box: Place, page: Size, width: int) -> Block:
    """A block with the place in its middle, as far as the page's edges allow; of a larger one the beginning."""
    height = min(page.height, HEIGHT)
    top = box[1] - max(0.0, (height - box[3]) / 2)
    left = 0.0 if box[0] + box[2] <= width else box[0] - max(0.0, (width - box[2]) / 2)
    return Block(_within(left, page.width - width), _within(top, page.height - height), width, height)


def _within(start: float, most: int) -> int:
    return int(min(max(start, 0.0), float(most)))


@dataclass(frozen=True)
class Cut(Picture):
    """A block of a whole page's picture; `stated` is the block's size."""

    left: int = 0
    top: int = 0

    def size(self) -> Size:
        """The block's; the page's picture is looked at, and what it raises is raised."""
        page = super().size()
        return self.stated or page

    def load(self) -> Image.Image:
        size = self.size()
        return super().load().crop((self.left, self.top, self.left + size.width, self.top + size.height))


def count_steps(source: Source, file: Path) -> Counter[str]:
    """Task → number of its steps in the file. All lines are checked. Raises DataError."""
    return Counter(record.annotation_id for record, _ in _records(source, file))


def read_steps(source: Source, file: Path, split: str) -> Iterator[RecordedStep]:
    """The steps of a file, in its order. Raises DataError."""
    for record, where in _records(source, file):
        with source.skipping_bad():
            yield _step(record, split, source.images or file.parent, where)


def _step(record: BlockRecord, split: str, images: Path, where: str) -> RecordedStep:
    folder = f"cross_{split}/{record.annotation_id}_{record.action_uid}"
    path = inside(images, folder, where)
    count = max(_there(path), max(record.target_blocks, default=0) + 1)
    size = Size(WIDTH, HEIGHT)
    names = [f"{folder}/{number}.png" for number in range(count)]
    views = tuple(Picture(name, inside(images, name, where), stated=size, where=where) for name in names)
    gold = Mind2WebGold(
        operation=record.operation,
        value=record.value,
        page=record.bbox,
        target_blocks=record.target_blocks,
        sizes=((WIDTH, HEIGHT),) * count,
    )
    return RecordedStep(
        split=split,
        task=record.annotation_id,
        key=record.action_uid,
        goal=record.task,
        website=record.website,
        domain=record.domain,
        subdomain=record.subdomain,
        gold=gold,
        previous=record.previous_actions,
        index=record.step,
        total=record.total_steps,
        views=views,
        where=where,
    )


def _records(source: Source, file: Path) -> Iterator[tuple[BlockRecord, str]]:
    for number, data in read_lines(file, source.skipping_bad):
        with source.skipping_bad():
            where = f"{file.name} line {number}"
            record = check(BlockRecord, data, where)
            for block, places in record.target_blocks.items():
                if any(x > WIDTH or y > HEIGHT or x + w < 0 or y + h < 0 for x, y, w, h in places):
                    raise DataError(
                        f"{where}: target_blocks.{block}: the place is outside of a block of {WIDTH}x{HEIGHT}"
                    )
            yield record, where


def _there(folder: Path) -> int:
    """One more than the highest number of a block's file; 0 where there is none."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}") from error
    numbers = [int(match[1]) for match in map(_BLOCK.fullmatch, names) if match]
    return max(numbers, default=-1) + 1
