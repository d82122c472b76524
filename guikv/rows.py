"""Tokens in a row as pieces that each belong together: what all of a piece's tokens have in common is held once.

A screenshot's tokens differ in nothing but their place in it, so that one takes no more memory than a word, however
many tokens it becomes; columns with a value for every token are made when somebody asks for them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

NO_FRAME = -1
"""Frame number of a token that belongs to no screenshot: text, and the markers around pictures."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Tokens of one kind, one after the other.

    ids: [n] long, a view of one number where all are the same
    places: [axes, n] long, rotary positions counted from `start`; pictures of one shape share theirs
    reach: the position that the next token has; frame, turn, protected: as in `guikv.prompt.Prompt`
    dropped: removed, as in `guikv.ledger.Ledger`
    """

    ids: Tensor
    places: Tensor
    start: int
    reach: int
    frame: int = NO_FRAME
    turn: int = NO_FRAME
    protected: bool = False
    dropped: bool = False

    def __len__(self) -> int:
        return int(self.ids.shape[0])

    @property
    def positions(self) -> Tensor:
        """[axes, n] rotary positions."""
        return self.places + self.start if self.start else self.places

    def part(self, first: int, end: int) -> Piece:
        """Its tokens from `first` to before `end`."""
        if (first, end) == (0, len(self)):
            return self
        places = self.places[:, first:end]
        return replace(self, ids=self.ids[first:end], places=places, reach=self.start + int(places.max()) + 1)

    def at(self, start: int) -> Piece:
        """The same tokens, their positions counted from `start`."""
        return self if start == self.start else replace(self, start=start, reach=self.reach - self.start + start)


def text_piece(ids: list[int], axes: int, start: int, turn: int = NO_FRAME, protected: bool = False) -> Piece:
    """Text, whose tokens stand one after the other on every axis."""
    count = len(ids)
    places = torch.arange(count).expand(axes, count)
    return Piece(torch.tensor(ids, dtype=torch.long), places, start, start + count, NO_FRAME, turn, protected)


_ENDS = "end"


def _values(name: str, pieces: Sequence[Piece], ends: Sequence[int]) -> Tensor:
    """[pieces] what each has under `name`, or where it ends."""
    if name == _ENDS:
        return torch.tensor(ends, dtype=torch.long)
    kind = torch.bool if name in ("protected", "dropped") else torch.long
    return torch.tensor([getattr(piece, name) for piece in pieces], dtype=kind)


class Rows:
    """Pieces, one after the other. A value: nothing in it changes."""

    def __init__(self, pieces: Iterable[Piece] = (), before: Rows | None = None) -> None:
        """before: rows that the pieces follow"""
        self.reach: int = 0 if before is None else before.reach
        """The position behind all of them."""
        self._frames: dict[int, tuple[int, int]] = {} if before is None else dict(before._frames)
        self._turns: dict[int, tuple[tuple[int, int], ...]] = {} if before is None else dict(before._turns)
        self._commons: dict[str, Tensor] = {}
        new = [piece for piece in pieces if len(piece)]
        ends: list[int] = []
        first = 0 if before is None else len(before)
        for piece in new:
            end = first + len(piece)
            ends.append(end)
            self.reach = max(self.reach, piece.reach)
            if piece.frame != NO_FRAME:
                self._frames[piece.frame] = (self._frames.get(piece.frame, (first, end))[0], end)
            if piece.turn != NO_FRAME:
                self._turns[piece.turn] = (*self._turns.get(piece.turn, ()), (first, end))
            first = end
        self.pieces: tuple[Piece, ...] = (*(() if before is None else before.pieces), *new)
        self.ends: tuple[int, ...] = (*(() if before is None else before.ends), *ends)
        if before is not None:
            for name, values in before._commons.items():
                self._commons[name] = torch.cat([values, _values(name, new, ends)])

    @classmethod
    def of(cls, ids: Tensor, positions: Tensor, columns: Mapping[str, Tensor]) -> Rows:
        """From a value for each token: ids [n], positions [axes, n], and the `columns` frame, turn … [n]."""
        count = ids.shape[0]
        if not count:
            return cls()
        new = torch.zeros(count, dtype=torch.bool)
        for column in columns.values():
            new[1:] |= column[1:] != column[:-1]
        starts = [0, *new.nonzero().flatten().tolist()]
        pieces = []
        for first, end in zip(starts, [*starts[1:], count], strict=True):
            common: dict[str, Any] = {name: column[first].item() for name, column in columns.items()}
            places = positions[:, first:end]
            pieces.append(Piece(ids[first:end], places, 0, int(places.max()) + 1, **common))
        return cls(pieces)

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def spans(self) -> Iterator[tuple[int, int, Piece]]:
        """Every piece with its first row and the row behind its last."""
        first = 0
        for end, piece in zip(self.ends, self.pieces, strict=True):
            yield first, end, piece
            first = end

    def at(self, row: int) -> Piece:
        """The piece that the row is in."""
        return self.pieces[bisect_right(self.ends, row)]

    def inside(self, row: int) -> bool:
        """Would a cut before the row go through a screenshot?"""
        if not 0 < row < len(self):
            return False
        frame = self.at(row).frame
        return frame != NO_FRAME and frame == self.at(row - 1).frame

    def cut(self, start: int, end: int | None = None) -> list[Piece]:
        """The pieces of the rows from `start` to before `end`, those at the edges cut."""
        end = len(self) if end is None else end
        if start >= end:
            return []
        first, last = bisect_right(self.ends, start), bisect_right(self.ends, end - 1)
        pieces = list(self.pieces[first : last + 1])
        before = self.ends[last - 1] if last else 0
        pieces[-1] = pieces[-1].part(0, end - before)
        before = self.ends[first - 1] if first else 0
        pieces[0] = pieces[0].part(start - before, len(pieces[0]))
        return pieces

    def first(self, length: int) -> Rows:
        """The first `length` rows."""
        return self if length == len(self) else Rows(self.cut(0, length))

    @property
    def axes(self) -> int:
        return self.pieces[-1].places.shape[0] if self.pieces else 0

    def position(self, row: int) -> int:
        """The first position, over the axes, of the row."""
        place = bisect_right(self.ends, row)
        piece = self.pieces[place]
        return piece.start + int(piece.places[:, row - (self.ends[place - 1] if place else 0)].min())

    def moved(self, positions: Tensor) -> Rows:
        """The same tokens at `positions` [axes, n]."""
        out = []
        for first, end, piece in self.spans():
            places = positions[:, first:end]
            out.append(replace(piece, places=places, start=0, reach=int(places.max()) + 1))
        return Rows(out)

    def frame_rows(self) -> Mapping[int, tuple[int, int]]:
        """Screenshot → the first of its image tokens' rows, and the row behind the last."""
        return self._frames

    def turn_rows(self, turns: set[int]) -> list[tuple[int, int]]:
        """First row and row behind the last of every piece that goes away with one of these screenshots."""
        return sorted(span for turn in turns for span in self._turns.get(turn, ()))

    def common_of(self, name: str, rows: Tensor) -> Tensor:
        """What the pieces of these `rows` say under `name` (frame, turn, protected, dropped), in the rows' shape."""
        values, ends = self._common(name).to(rows.device), self._common(_ENDS).to(rows.device)
        return values[torch.searchsorted(ends, rows, right=True)]

    def _common(self, name: str) -> Tensor:
        """[pieces], made once; rows that follow these go on with it."""
        if name not in self._commons:
            self._commons[name] = _values(name, self.pieces, self.ends)
        return self._commons[name]

    def column(self, name: str, start: int = 0) -> Tensor:
        """[n] what each token from row `start` on has under `name`."""
        if not start:
            ends = self._common(_ENDS)
            return self._common(name).repeat_interleave(ends.diff(prepend=ends.new_zeros(1)))
        pieces = self.cut(start)
        lengths = torch.tensor([len(piece) for piece in pieces], dtype=torch.long)
        return _values(name, pieces, ()).repeat_interleave(lengths)

    def ids_from(self, start: int = 0) -> Tensor:
        """[n] ids from row `start` on."""
        pieces = self.cut(start)
        return torch.cat([piece.ids for piece in pieces]) if pieces else torch.empty(0, dtype=torch.long)

    def positions_from(self, start: int = 0) -> Tensor:
        """[axes, n] rotary positions from row `start` on."""
        pieces = self.cut(start)
        if not pieces:
            return torch.empty(self.axes, 0, dtype=torch.long)
        return torch.cat([piece.positions for piece in pieces], dim=1)

    def dropped(self, gone: Tensor) -> Rows:
        """The rows with those marked in `gone` [n] bool as removed."""
        touched = set(torch.searchsorted(self._common(_ENDS), gone.nonzero().flatten(), right=True).unique().tolist())
        out: list[Piece] = []
        for place, (first, end, piece) in enumerate(self.spans()):
            if place not in touched or piece.dropped:
                out.append(piece)
                continue
            mine = gone[first:end]
            edges = [0, *((mine[1:] != mine[:-1]).nonzero().flatten() + 1).tolist(), end - first]
            for a, b in pairwise(edges):
                part = piece.part(a, b)
                out.append(replace(part, dropped=True) if bool(mine[a]) else part)
        return Rows(out)


class Columns:
    """The values of every token, made from `rows` when they are asked for."""

    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def ids(self) -> Tensor:
        """[n] long."""
        return self.rows.ids_from()

    @cached_property
    def positions(self) -> Tensor:
        """[axes, n] long, the rotary positions."""
        return self.rows.positions_from()

    @cached_property
    def frames(self) -> Tensor:
        """[n] long, the screenshot's number at image tokens, NO_FRAME elsewhere."""
        return self.rows.column("frame")

    @cached_property
    def turns(self) -> Tensor:
        """[n] long, the screenshot with which a token goes away (its image tokens, their markers, and the whole chat
        turn when the turn holds nothing else), NO_FRAME elsewhere."""
        return self.rows.column("turn")

    @cached_property
    def protected(self) -> Tensor:
        """[n] bool, never evicted."""
        return self.rows.column("protected")

    def without(self, turns: set[int]) -> int:
        """Length when the turns of these screenshots (their numbers) are left out."""
        return len(self) - sum(end - first for first, end in self.rows.turn_rows(turns))

    @property
    def next_position(self) -> int:
        """Rotary position of the next text token, on every axis."""
        return self.rows.reach
