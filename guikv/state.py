"""What a session is at one moment: the tokens it stands for, what is cached of them, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from guikv.attention import Watch
from guikv.cache import CompressedCache
from guikv.ledger import Ledger
from guikv.places import Places


@dataclass(frozen=True)
class State:
    """A session's content.

    The fields are only ever replaced together with what they belong to. The cache is the one thing in it that changes
    in place: `copy` before work that removes entries.

    ledger: all tokens that went through, evicted ones included
    cache: keys and values of what is left of them
    watch: queries that the last prefill left for the policy
    observed: tokens in the ledger when that prefill ended
    next_logits: [vocabulary] float32, what the model says next; None until something was prefilled
    norms: [layers, 1, last tokens] float32 norms of hidden states, where the policy asks for them
    forgotten: number and picture's hash of the screenshots that are left out of what comes
    """

    ledger: Ledger
    cache: CompressedCache
    watch: Watch = field(default_factory=Watch)
    observed: int = 0
    next_logits: Tensor | None = None
    norms: Tensor | None = None
    forgotten: Mapping[int, str] = field(default_factory=dict)

    def copy(self) -> State:
        """The same content in a cache of its own; the tensors are shared until one of the two changes."""
        return replace(self, cache=self.cache.copy())

    def moved(self, device: torch.device, places: Places | None = None) -> State:
        """The same content, bit for bit, on another device or in other places."""
        cache = self.cache.moved(device, places)
        queries = {number: query.to(device) for number, query in self.watch.queries.items()}
        return replace(
            self,
            cache=cache,
            watch=replace(self.watch, cache=cache, queries=queries),
            next_logits=None if self.next_logits is None else self.next_logits.to(device),
            norms=None if self.norms is None else self.norms.to(device),
        )

    def truncate(self, length: int) -> State:
        """The first `length` tokens; the cache is cut in place.

        Raises SessionError inside a screenshot, and where the cache cannot come back to.
        """
        if length == len(self.ledger):
            return self
        ledger = self.ledger.truncate(length)
        self.cache.truncate(length)
        gone = len(self.ledger) - length
        norms = None if self.norms is None else self.norms[..., : max(0, self.norms.shape[-1] - gone)]
        return replace(self, ledger=ledger, norms=norms, next_logits=None)

    def drop(self, frames: list[int]) -> State:
        """Without the entries of these screenshots and their turns, as `remove`."""
        return self.remove(self.ledger.turns_of(frames) & ~self.ledger.dropped)

    def remove(self, gone: Tensor) -> State:
        """Without the entries of the tokens marked in `gone` [n] bool, which go in place; nobody's position moves.

        Raises SessionError for a cache whose states cannot forget.
        """
        if not bool(gone.any()):
            return self
        self.cache.drop(gone)
        return replace(self, ledger=self.ledger.drop(gone))


class Holder(Protocol):
    """Whatever has a state that work replaces: a session."""

    state: State


@contextmanager
def rollback(holder: Holder, removes: bool) -> Iterator[None]:
    """Work that fails on its way (out of memory, interrupted) leaves the holder's state as it was.

    removes: whether the work takes entries away; where it only appends, they need not be held to be brought back.
    """
    held = holder.state.copy() if removes else holder.state
    try:
        yield
    except BaseException:
        if not removes:
            held.cache.truncate(len(held.ledger))
        holder.state = held
        raise
