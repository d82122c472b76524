"""The ledger: which token every cached entry stands for.

One row per token the session has seen, in order. Cache layers point into it by row number, so the cache can be
checked against it at any time, whatever was evicted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from guikv.cache import PADDING, CompressedCache
from guikv.errors import SessionError
from guikv.prompt import Prompt
from guikv.rows import NO_FRAME, Columns, Rows, text_piece


@dataclass(frozen=True)
class FrameInfo:
    """A screenshot in the ledger: hash of its content, and its image tokens as rows × cols."""

    digest: str
    rows: int
    cols: int


class Ledger(Columns):
    """The tokens in order: ids, positions, frames, turns, protected as in `Columns`; screenshots by number.

    `dropped` rows belong to removed screenshots: they stay as rows, so that later positions and numbers hold. A value:
    nothing in it changes.
    """

    def __init__(
        self,
        ids: Tensor | None = None,
        positions: Tensor | None = None,
        frames: Tensor | None = None,
        turns: Tensor | None = None,
        protected: Tensor | None = None,
        dropped: Tensor | None = None,
        screenshots: dict[int, FrameInfo] | None = None,
    ) -> None:
        """From a value for every token, [n] and positions [axes, n]; without them empty."""
        given = {"frame": frames, "turn": turns, "protected": protected, "dropped": dropped}
        columns = {name: column for name, column in given.items() if column is not None}
        self.rows = Rows() if ids is None or positions is None else Rows.of(ids, positions, columns)
        self.screenshots = screenshots or {}
        self._prompt = Rows()

    @classmethod
    def of(cls, rows: Rows, screenshots: dict[int, FrameInfo], prompt: Rows | None = None) -> Ledger:
        """From rows as they are. prompt: the prompt whose tokens the first of them are"""
        ledger = cls.__new__(cls)
        ledger.rows, ledger.screenshots, ledger._prompt = rows, screenshots, prompt or Rows()
        return ledger

    @cached_property
    def dropped(self) -> Tensor:
        """[n] bool, removed."""
        return self.rows.column("dropped")

    @property
    def text_ids(self) -> list[int]:
        """Ids of all tokens but the screenshots'."""
        texts = [piece.ids for piece in self.rows.pieces if piece.frame == NO_FRAME]
        return torch.cat(texts).tolist() if texts else []

    @property
    def newest_frame(self) -> int | None:
        return max(self.screenshots) if self.screenshots else None

    def append(self, prompt: Prompt, start: int) -> Ledger:
        """The ledger with the prompt's tokens from `start` on, which follow the ledger's own in position."""
        new = prompt.rows.cut(start)
        shown = {piece.frame: prompt.images[piece.frame] for piece in new if piece.frame != NO_FRAME}
        infos = {n: FrameInfo(p.digest, p.rows, p.cols) for n, p in shown.items()}
        same = prompt.rows if start == len(self) else None
        # A prompt counts as if nothing had ever closed up.
        shift = self.next_position - prompt.position(start)
        moved = [piece.at(piece.start + shift) for piece in new]
        return Ledger.of(Rows(moved, before=self.rows), {**self.screenshots, **infos}, same)

    def append_generated(self, ids: Sequence[int]) -> Ledger:
        """The ledger with text tokens that the model itself wrote."""
        piece = text_piece(list(ids), self.rows.axes, self.next_position)
        return Ledger.of(Rows([piece], before=self.rows), self.screenshots, self._prompt)

    def at(self, positions: Tensor) -> Ledger:
        """The same tokens at `positions` [axes, n]."""
        return Ledger.of(self.rows.moved(positions), self.screenshots, self._prompt)

    def truncate(self, length: int) -> Ledger:
        """The first `length` rows. Raises SessionError if that would cut a screenshot in two."""
        if length > len(self):
            raise SessionError(f"cannot truncate to {length} tokens: the session holds {len(self)}")
        if self.rows.inside(length):
            frame = self.rows.at(length).frame
            raise SessionError(f"cannot truncate to {length} tokens: that is inside screenshot {frame}")
        rows = self.rows.first(length)
        left = {piece.frame for piece in rows.pieces}
        screenshots = {n: info for n, info in self.screenshots.items() if n in left}
        return Ledger.of(rows, screenshots, self._prompt.first(min(length, len(self._prompt))))

    def drop(self, rows: Tensor) -> Ledger:
        """The ledger with `rows` [n] bool marked as removed."""
        return Ledger.of(self.rows.dropped(rows), self.screenshots, self._prompt)

    def turns_of(self, frames: Iterable[int]) -> Tensor:
        """[n] bool: the rows that go away with these screenshots."""
        rows = torch.zeros(len(self), dtype=torch.bool)
        for first, end in self.rows.turn_rows(set(frames)):
            rows[first:end] = True
        return rows

    def common_prefix(self, prompt: Prompt) -> int:
        """How many tokens the prompt shares with the ledger, by ids and image content, never half a screenshot."""
        known = self._shared(prompt)
        length = min(len(self), len(prompt))
        mine, others = (Rows(rows.cut(known, length)) for rows in (self.rows, prompt.rows))
        differs = (mine.ids_from() != others.ids_from()) | (mine.column("frame") != others.column("frame"))
        for number, (first, end) in mine.frame_rows().items():
            if number in prompt.images and prompt.images[number].digest != self.screenshots[number].digest:
                differs[first:end] = True
        shared = known + int(differs.nonzero()[0]) if bool(differs.any()) else length
        while prompt.rows.inside(shared):
            shared -= 1
        while self.rows.inside(shared):
            shared -= 1
        return shared

    def _shared(self, prompt: Prompt) -> int:
        """Rows that both have because the same messages were encoded once: no token of them is looked at."""
        rows = 0
        for end, piece, other in zip(self._prompt.ends, self._prompt.pieces, prompt.rows.pieces, strict=False):
            if piece is not other:
                break
            rows = end
        return rows

    def verify(self, cache: CompressedCache) -> None:
        """Check the cache against the ledger. Raises SessionError naming the layer that disagrees."""
        for number, layer in cache.kv:
            if not layer.is_initialized:
                continue
            index = layer.index
            if layer.seen != len(self):
                raise SessionError(f"layer {number} saw {layer.seen} tokens, the ledger has {len(self)}")
            real = index[index != PADDING]
            if real.numel() and (int(real.min()) < 0 or int(real.max()) >= len(self)):
                raise SessionError(f"layer {number} points outside of the ledger")
            if bool((index.diff(dim=-1) <= 0)[index[..., :-1] != PADDING].any()):
                raise SessionError(f"layer {number} has entries out of order or twice")
            if bool(self.dropped[real.cpu()].any()):
                raise SessionError(f"layer {number} still holds entries of a removed screenshot")
            if layer.keys.shape[:3] != index.shape or layer.values.shape[:3] != index.shape:
                raise SessionError(f"layer {number} has keys or values without a ledger row")
