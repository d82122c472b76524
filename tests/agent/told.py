"""A real session on a model with random weights whose words are put into its mouth.

Everything but the choice of tokens is real: prefill, cache, compression, accounting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.model import SessionBrain
from guikv.session import Generation


@dataclass
class ToldBrain(SessionBrain):
    """`words` is asked for each answer."""

    words: Callable[[], str] = str

    def generate(self, max_new_tokens: int) -> Generation:
        ids = tuple(self.adapter.tokenizer.encode(self.words(), add_special_tokens=False))
        with self.session.counter.stopwatch.phase("decoding"):
            for token in ids:
                self.session.feed(token)
        self.session.counter.generated += len(ids)
        return Generation(self.adapter.decode_text(ids), ids, True)
