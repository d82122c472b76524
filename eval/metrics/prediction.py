"""An answer to one recorded step, as scorers get it."""

from __future__ import annotations

from dataclasses import dataclass

from envs.actions import Action
from envs.geometry import Resize, Size


@dataclass(frozen=True)
class Prediction:
    """An answer after the dialect's own parser.

    texts: all the model wrote, one for each view it was shown, in order; views: the index of each view
    actions: of the last text, in pixels of the last view; () when it could not be read, and `error` says why then
    resize: of the last view; dialect: what the texts are written in
    """

    texts: tuple[str, ...]
    actions: tuple[Action, ...]
    resize: Resize
    dialect: str
    views: tuple[int, ...] = (0,)
    error: str = ""

    @property
    def size(self) -> Size:
        """Of the screenshot that the last answer was given to; points of `actions` are its pixels."""
        return self.resize.screenshot
