"""The ledger: which token every cached entry stands for.

One row per token the session has seen, in order. Cache layers point into it by row number, so the cache can be
checked against it at any time, whatever was evicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from guikv.cache import PADDING, CompressedCache
from guikv.errors import SessionError
from guikv.prompt import NO_FRAME, Prompt


def _empty(dtype: torch.dtype = torch.long) -> Tensor:
    return torch.empty(0, dtype=dtype)


@dataclass(frozen=True)
class FrameInfo:
    """A screenshot in the ledger: hash of its content, and its image tokens as rows × cols."""

    digest: str
    rows: int
    cols: int


@dataclass(frozen=True)
class Ledger:
    """ids, frames, turns [n] long; protected, dropped [n] bool; positions [axes, n]; screenshots by number.

    `dropped` rows belong to removed screenshots: they stay as rows, so that later positions and numbers hold.
    """

    ids: Tensor = field(default_factory=_empty)
    positions: Tensor = field(default_factory=lambda: torch.empty(0, 0, dtype=torch.long))
    frames: Tensor = field(default_factory=_empty)
    turns: Tensor = field(default_factory=_empty)
    protected: Tensor = field(default_factory=lambda: _empty(torch.bool))
    dropped: Tensor = field(default_factory=lambda: _empty(torch.bool))
    screenshots: dict[int, FrameInfo] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.ids.shape[0])

    @property
    def next_position(self) -> int:
        """Rotary position of the next text token, on every axis."""
        if not len(self):
            return 0
        # Text stands behind all that is before it.
        last = self.positions[:, -1] if self.frames[-1] == NO_FRAME else self.positions
        return int(last.max()) + 1

    @property
    def newest_frame(self) -> int | None:
        return max(self.screenshots) if self.screenshots else None

    def append(self, prompt: Prompt, start: int) -> Ledger:
        """The ledger with the prompt's tokens from `start` on, which follow the ledger's own in position."""
        infos = {n: FrameInfo(p.digest, p.rows, p.cols) for n, p in prompt.images.items()}
        present = set(prompt.frames[start:].tolist())
        fresh = torch.zeros(len(prompt) - start, dtype=torch.bool)
        # A prompt counts as if nothing had ever closed up.
        positions = prompt.positions[:, start:] + self.next_position - prompt.position(start)
        return Ledger(
            ids=torch.cat([self.ids, prompt.ids[start:]]),
            positions=torch.cat([self.positions, positions], dim=1) if len(self) else positions,
            frames=torch.cat([self.frames, prompt.frames[start:]]),
            turns=torch.cat([self.turns, prompt.turns[start:]]),
            protected=torch.cat([self.protected, prompt.protected[start:]]),
            dropped=torch.cat([self.dropped, fresh]),
            screenshots={**self.screenshots, **{n: i for n, i in infos.items() if n in present}},
        )

    def append_generated(self, ids: Sequence[int]) -> Ledger:
        """The ledger with text tokens that the model itself wrote."""
        axes, count = self.positions.shape[0], len(ids)
        prompt = Prompt(
            ids=torch.tensor(ids, dtype=torch.long),
            positions=torch.arange(count).expand(axes, count),
            frames=torch.full((count,), NO_FRAME),
            turns=torch.full((count,), NO_FRAME),
            protected=torch.zeros(count, dtype=torch.bool),
        )
        return self.append(prompt, 0)

    def truncate(self, length: int) -> Ledger:
        """The first `length` rows. Raises SessionError if that would cut a screenshot in two."""
        if length > len(self):
            raise SessionError(f"cannot truncate to {length} tokens: the session holds {len(self)}")
        if (
            0 < length < len(self)
            and self.frames[length] != NO_FRAME
            and self.frames[length] == self.frames[length - 1]
        ):
            raise SessionError(f"cannot truncate to {length} tokens: that is inside screenshot {self.frames[length]}")
        left = set(self.frames[:length].tolist())
        return Ledger(
            ids=self.ids[:length],
            positions=self.positions[:, :length],
            frames=self.frames[:length],
            turns=self.turns[:length],
            protected=self.protected[:length],
            dropped=self.dropped[:length],
            screenshots={n: info for n, info in self.screenshots.items() if n in left},
        )

    def drop(self, rows: Tensor) -> Ledger:
        """The ledger with `rows` [n] bool marked as removed."""
        return replace(self, dropped=self.dropped | rows)

    def common_prefix(self, prompt: Prompt) -> int:
        """How many tokens the prompt shares with the ledger, by ids and image content, never half a screenshot."""
        length = min(len(self), len(prompt))
        differs = (self.ids[:length] != prompt.ids[:length]) | (self.frames[:length] != prompt.frames[:length])
        changed = [n for n, i in self.screenshots.items() if n in prompt.images and prompt.images[n].digest != i.digest]
        if changed:
            differs |= torch.isin(self.frames[:length], torch.tensor(changed))
        shared = int(differs.nonzero()[0]) if bool(differs.any()) else length
        while 0 < shared < len(prompt) and self._inside(prompt.frames, shared):
            shared -= 1
        while 0 < shared < len(self) and self._inside(self.frames, shared):
            shared -= 1
        return shared

    @staticmethod
    def _inside(frames: Tensor, row: int) -> bool:
        return bool(frames[row] != NO_FRAME and frames[row] == frames[row - 1])

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
