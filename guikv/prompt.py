"""A conversation as tokens: what a session is extended with."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor

NO_FRAME = -1
"""Frame number of a token that belongs to no screenshot: text, and the markers around pictures."""


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


@dataclass(frozen=True)
class Prompt:
    """Tokens with everything the ledger must know of them; all tensors are of one length n.

    ids: [n]
    positions: [axes, n], the rotary positions
    frames: [n], the screenshot's number at image tokens, NO_FRAME elsewhere
    turns: [n], the screenshot with which a token goes away (its image tokens, their markers, and the whole chat
        turn when the turn holds nothing else), NO_FRAME elsewhere
    protected: [n] bool, never evicted
    images: screenshot number → Pixels
    """

    ids: Tensor
    positions: Tensor
    frames: Tensor
    turns: Tensor
    protected: Tensor
    images: dict[int, Pixels] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.ids.shape[0])

    def position(self, row: int) -> int:
        """Where text would stand before the row, which is none within a screenshot; behind the last row at the end."""
        if row < len(self):
            return int(self.positions[:, row].min())
        return int(self.positions.max()) + 1 if row else 0

    def first(self, length: int) -> Prompt:
        """The first `length` rows, which do not end within a screenshot."""
        present = set(self.frames[:length].tolist())
        return Prompt(
            ids=self.ids[:length],
            positions=self.positions[:, :length],
            frames=self.frames[:length],
            turns=self.turns[:length],
            protected=self.protected[:length],
            images={number: pixels for number, pixels in self.images.items() if number in present},
        )

    def without(self, dropped: Tensor) -> int:
        """Length when the turns of the `dropped` screenshots (their numbers) are left out."""
        return int((~torch.isin(self.turns, dropped)).sum())
