"""What happened so far, as far as a dialect needs it to write the prompt.

History only ever grows at its end, and what was rendered once is rendered the same again: that is what lets
the session reuse its cache.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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

    def released(self, pictures: int) -> History:
        """The same, with the pixels of its newest `pictures` screenshots only: hashes and sizes of the others stay.

        What a session has cached of an older one needs them no more, and the record has its file.
        """
        turns = list(self.turns)
        for place in range(len(turns) - 1, -1, -1):
            observation = turns[place].observation
            if observation.frame is None:
                continue
            if observation.frame.picture is None:
                break
            if pictures > 0:
                pictures -= 1
                continue
            turns[place] = replace(turns[place], observation=replace(observation, frame=observation.frame.released()))
        return History(tuple(turns))
