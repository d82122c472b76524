"""Memory for the entries of one layer: fixed in its size, written in place.

A place has room for more entries than it holds, so that a new token costs no copy of the old ones. Several layers may
read one place (a session and its fork, or what a failed step is to come back to); who would write over columns that
another still reads moves elsewhere first.
"""

from __future__ import annotations

from typing import Any, Protocol
from weakref import WeakSet

import torch
from torch import Tensor

STEP = 256
"""Places grow by so many columns."""


class Place:
    """keys, values [batch, heads, columns, head_dim], index [batch, heads, columns], and the layers that read them."""

    def __init__(self, keys: Tensor, values: Tensor, index: Tensor) -> None:
        self.keys, self.values, self.index = keys, values, index
        self.holders: WeakSet[Any] = WeakSet()

    @property
    def columns(self) -> int:
        return self.keys.shape[2]

    def needed(self, start: int, asking: Any) -> bool:
        """Whether a layer other than the one `asking` reads columns from `start` on."""
        return any(layer is not asking and layer.entries > start for layer in self.holders)


class Places(Protocol):
    """Where layers get their places from."""

    def take(
        self, layer: int, shape: tuple[int, int, int, int], value_dim: int, dtype: torch.dtype, device: torch.device
    ) -> Place:
        """A free place for the decoder's layer of this number, its content undefined.

        shape: batch, heads, columns at least, dimension of a key; value_dim: dimension of a value
        """


class OwnPlaces:
    """Each place is memory of its own, rounded up to whole steps."""

    def take(
        self, layer: int, shape: tuple[int, int, int, int], value_dim: int, dtype: torch.dtype, device: torch.device
    ) -> Place:
        """As in `Places`."""
        batch, heads, columns, dim = shape
        columns = -(-columns // STEP) * STEP
        # What is made in inference mode could not be written to outside of it.
        with torch.inference_mode(False):
            return Place(
                torch.empty(batch, heads, columns, dim, dtype=dtype, device=device),
                torch.empty(batch, heads, columns, value_dim, dtype=dtype, device=device),
                torch.empty(batch, heads, columns, dtype=torch.long, device=device),
            )
