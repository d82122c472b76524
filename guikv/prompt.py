"""A conversation as tokens: what a session is extended with."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from guikv.rows import NO_FRAME, Columns, Rows

__all__ = ["NO_FRAME", "Pixels", "Prompt"]


@dataclass(frozen=True)
class Pixels:
    """A screenshot as the vision tower will see it; the patches are only made when it is encoded.

    grid: (t, h, w) in patches; digest: hash of the picture's content and size; rows, cols: its image tokens as a
    picture; image: the picture; values: [patches, channels·temporal·patch²] where they exist already; max_pixels: its
    limit, where that is not the processor's own
    """

    grid: tuple[int, int, int]
    digest: str
    rows: int
    cols: int
    image: Image.Image | None = None
    values: Tensor | None = None
    max_pixels: int | None = None

    @property
    def tokens(self) -> int:
        """Image tokens it becomes."""
        return self.grid[0] * self.rows * self.cols


class Prompt(Columns):
    """Tokens with everything the ledger must know of them: ids, positions, frames, turns, protected as in `Columns`.

    images: screenshot number → Pixels
    """

    def __init__(
        self,
        ids: Tensor,
        positions: Tensor,
        frames: Tensor,
        turns: Tensor,
        protected: Tensor,
        images: dict[int, Pixels] | None = None,
    ) -> None:
        """From a value for every token: [n], positions [axes, n]."""
        self.rows = Rows.of(ids, positions, {"frame": frames, "turn": turns, "protected": protected})
        self.images = images or {}

    @classmethod
    def of(cls, rows: Rows, images: dict[int, Pixels]) -> Prompt:
        """From rows as they are."""
        prompt = cls.__new__(cls)
        prompt.rows, prompt.images = rows, images
        return prompt

    def position(self, row: int) -> int:
        """Where text would stand before the row, which is none within a screenshot; behind the last row at the end."""
        return self.rows.position(row) if row < len(self) else self.next_position

    def first(self, length: int) -> Prompt:
        """The first `length` rows, which do not end within a screenshot."""
        rows = self.rows.first(length)
        present = {piece.frame for piece in rows.pieces}
        return Prompt.of(rows, {number: pixels for number, pixels in self.images.items() if number in present})
