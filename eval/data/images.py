"""The images of a benchmark: which are there and whole, how large they are, and what they cost a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from agent.dialects import DIALECTS, find_family
from envs.geometry import Size
from eval.benchmarks.errors import DataError, MissingImage
from eval.benchmarks.pictures import Picture
from eval.data.tally import Problems, spread
from eval.replay.offline_dialect import speaker
from guikv.errors import ImageError
from guikv.models.images import check_size

MISSING, DAMAGED = "images missing", "images damaged"
OTHER_SIZE, UNFIT = "images of another size than the annotations state or let expect", "images that no model takes"


class Images:
    """Sees pictures one at a time and keeps their names and sizes only. Each file counts once."""

    def __init__(self, problems: Problems, opened: bool = True) -> None:
        """opened: whether the files are read and decoded; otherwise sizes are those that the annotations state."""
        self.notes = Problems()
        """What is worth knowing, but wrong only where the size was stated and not deduced."""
        self._problems, self._opened = problems, opened
        self._sizes: dict[str, Size | None] = {}
        self._whole: bytes | None = None

    def see(self, picture: Picture) -> Size | None:
        """The picture's size: its own, or the stated one when the file cannot be read; None when there is neither."""
        if picture.data is not None:
            # Pictures within the annotations share names but no files.
            size = self._look(picture)
            self._sizes[f"{picture.where} {picture.name} {len(self._sizes)}"] = size
            return size
        name = str(picture.path or picture.name)
        if name not in self._sizes:
            self._sizes[name] = self._look(picture)
        return self._sizes[name]

    def _look(self, picture: Picture) -> Size | None:
        size = self._measured(picture) if self._opened else picture.stated
        if size is not None:
            try:
                check_size((size.width, size.height))
            except ImageError as error:
                self._problems.add(UNFIT, f"{_where(picture)}: {error}")
        return size

    def _measured(self, picture: Picture) -> Size | None:
        try:
            size = self._decoded(picture)
        except MissingImage:
            self._problems.add(MISSING, _where(picture))
            return picture.stated
        except DataError as error:
            self._problems.add(DAMAGED, str(error))
            return picture.stated
        stated = picture.stated
        if stated is not None and stated != size:
            self.notes.add(OTHER_SIZE, f"{_where(picture)}: {_text(size)}, not {_text(stated)}")
        return size

    def _decoded(self, picture: Picture) -> Size:
        if picture.data is not None and picture.data is self._whole:
            # Another part of a page that was decoded just now.
            return picture.size()
        size = Size(*picture.load().size)
        self._whole = picture.data
        return size

    def to_dict(self) -> dict[str, Any]:
        """JSON: how many, the sizes from the most frequent on, and the visual tokens for each dialect."""
        sizes = Counter(size for size in self._sizes.values() if size is not None)
        by_area = sorted(sizes, key=lambda size: (size.width * size.height, size.width))
        return {
            "distinct": len(self._sizes),
            "opened": self._opened,
            "missing": self._problems.count(MISSING),
            "damaged": self._problems.count(DAMAGED),
            "of_known_size": sizes.total(),
            "sizes": [[size.width, size.height, count] for size, count in sizes.most_common()],
            "smallest": [by_area[0].width, by_area[0].height] if by_area else None,
            "largest": [by_area[-1].width, by_area[-1].height] if by_area else None,
            "tokens": {name: spread(visual_tokens(name, sizes)) for name in DIALECTS},
        }


def visual_tokens(dialect: str, sizes: Mapping[Size, int]) -> Counter[int]:
    """Number of images by the tokens that each is for the published models of the dialect."""
    see, eyes = speaker(dialect).image_size, find_family(dialect).eyes
    side = eyes.patch_size * eyes.merge_size
    tokens: Counter[int] = Counter()
    for size, count in sizes.items():
        try:
            width, height = see((size.width, size.height))
        except ImageError:
            continue
        tokens[(width // side) * (height // side)] += count
    return tokens


def _where(picture: Picture) -> str:
    place = str(picture.path) if picture.path is not None else picture.name
    return f"{picture.where}: {place}" if picture.where else place


def _text(size: Size) -> str:
    return f"{size.width}x{size.height}"
