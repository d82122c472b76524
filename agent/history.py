"""What happened so far, as far as a dialect needs it to write the prompt.

History only ever grows at its end, and what was rendered once is rendered the same again: that is what lets
the session reuse its cache.
"""

from __future__ import annotations

from dataclasses import dataclass

from guikv.content import Frame, Reply


@dataclass(frozen=True)
class Observation:
    """What the model is shown next: remarks of the harness, then a screenshot.

    `frame` is None when the model is only asked again about the screenshot it has seen already.
    """

    frame: Frame | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Turn:
    """An observation and what the model answered to it."""

    observation: Observation
    reply: Reply


@dataclass(frozen=True)
class History:
    turns: tuple[Turn, ...] = ()

    def add(self, turn: Turn) -> History:
        return History((*self.turns, turn))
