"""One reply in the making: chosen token by token, or several at a time where a draft of it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from guikv.engine.drafts import Lookup
from guikv.engine.sampling import Chooser, Sampling
from guikv.engine.writing import Writing
from guikv.errors import GuikvError
from guikv.models.base import Adapter
from guikv.state import State

GREEDY = Sampling()


@dataclass(frozen=True)
class Generation:
    """The model's reply: its text and ids without the end-of-turn token; `finished` if it ended by itself.

    Where the checkpoint's template opens the reply (with `<think>`, say), text and ids begin with what it wrote there.
    """

    text: str
    ids: tuple[int, ...]
    finished: bool


class Reply:
    """What was chosen so far, and what it is chosen from.

    Ask `next_ids` for tokens to run behind each other, run them, and give the logits after each of them to `take`;
    when there are none, the reply is over. `ids` are those of the reply, `finished` tells whether it ended by itself,
    `error` why it could not go on.
    """

    def __init__(
        self,
        adapter: Adapter,
        state: State,
        most: int,
        least: int = 0,
        sampling: Sampling = GREEDY,
        lookup: Lookup | None = None,
    ) -> None:
        """most, least: tokens; lookup: where drafts come from, without it there are none"""
        assert state.next_logits is not None
        self.adapter, self.most, self.least, self.sampling = adapter, most, least, sampling
        self.writing = Writing(state.cache, state.ledger.next_position)
        self.logits = state.next_logits
        self.ids: list[int] = []
        self.finished = False
        self.stopped_at: int | None = None
        """Characters of the text before the stop text that ended it."""
        self.recorded: tuple[int, ...] | None = None
        """What it is known to become, from a record; nothing is chosen then."""
        self.runs: list[tuple[int, int]] = []
        """Of every pass, the tokens that ran and those written before."""
        self.seconds = 0.0
        self.error: GuikvError | None = None
        self._ledger = state.ledger
        self._stops = adapter.stop_ids
        self._chooser = Chooser(sampling, state.next_logits.device)
        self._lookup = lookup if sampling.plain else None
        self.asked: tuple[int, ...] = ()
        self._likely: int | None = None
        """The most likely token of `logits`, where it is known already."""
        self._reach = 4 * max(map(len, sampling.stop), default=0) + 4

    def next_ids(self, draft: bool = True) -> tuple[int, ...]:
        """The next token, and behind it a draft of those that follow; () when the reply is over.

        Raises ContextError at the end of what the model was made for.
        """
        self.asked = ()
        if self.stopped_at is None and len(self.ids) < self.most:
            token = self._choose(self.logits, self._likely)
            if token in self._stops:
                self.finished = True
            else:
                drafted = self._lookup.draft_after(token) if draft and self._lookup is not None else ()
                self.adapter.check_context(self.writing.next_position + 1)
                room = min(self.most - len(self.ids), self.adapter.context - self.writing.next_position)
                self.asked = (token, *drafted[: max(0, room - 1)])
        return self.asked

    @property
    def shares(self) -> bool:
        """Whether it may run in a batch: a hybrid's states are its own."""
        return self.writing.cache.forgets

    def take(self, logits: Tensor, likely: Sequence[int] | None = None) -> None:
        """What follows each of the tokens asked; drafted ones stay while they are what would have been chosen.

        logits: [tokens asked, vocabulary] float32; likely: the most likely of each row
        """
        if likely is None:
            likely = logits.argmax(-1).tolist()
        self.runs.append((len(self.asked), self.writing.count))
        kept = 0
        for token in self.asked:
            if kept and not self._follows(logits[kept - 1], likely[kept - 1], token):
                break
            self._append(token)
            kept += 1
        self.writing.keep(kept)
        self.logits, self._likely = logits[kept - 1], likely[kept - 1]

    def _follows(self, logits: Tensor, likely: int, drafted: int) -> bool:
        """Would the drafted token have been taken here? One that ends the reply is none of its tokens."""
        return self.stopped_at is None and drafted not in self._stops and self._choose(logits, likely) == drafted

    def _choose(self, logits: Tensor, likely: int | None) -> int:
        if self.recorded is not None:
            written = len(self.ids)
            return self.recorded[written] if written < len(self.recorded) else next(iter(self._stops))
        if self.sampling.plain and likely is not None and (likely not in self._stops or len(self.ids) >= self.least):
            return likely
        if len(self.ids) < self.least:
            stops = torch.tensor(sorted(self._stops), device=logits.device)
            logits = logits.index_fill(0, stops, float("-inf"))
        before = torch.empty(0, dtype=torch.long)
        if self.sampling.repetition_penalty != 1:
            before = torch.cat([self._ledger.ids, torch.tensor(self.ids, dtype=torch.long)])
        return int(self._chooser.choose(logits, before))

    def _append(self, token: int) -> None:
        self.ids.append(token)
        if self._lookup is not None:
            self._lookup.add(token)
        # Only the end of the text is new; a character is one token or less.
        tail = self.adapter.decode_text(tuple(self.ids[-self._reach :])) if self.sampling.stop else ""
        if any(stop in tail for stop in self.sampling.stop):
            text = self.adapter.decode_text(tuple(self.ids))
            self.finished = True
            self.stopped_at = min(at for at in (text.find(stop) for stop in self.sampling.stop) if at >= 0)
