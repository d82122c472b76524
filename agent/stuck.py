"""Notices when the model does the same thing to the same picture again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NOTE = "You have done the same thing {count} times and the screen has not changed. Try something else."


@dataclass
class StuckDetector:
    """`see` is told of every step; `note_at` repeats bring a note, `stop_at` the end."""

    note_at: int = 3
    stop_at: int = 5
    count: int = 0
    _last: tuple[str, str] | None = None

    def see(self, picture: str, doing: str) -> Literal["moving", "note", "stuck"]:
        """`picture` is the hash of what was acted on, `doing` any text that is equal for equal actions."""
        self.count = self.count + 1 if self._last == (picture, doing) else 1
        self._last = (picture, doing)
        if self.count >= self.stop_at:
            return "stuck"
        return "note" if self.count >= self.note_at else "moving"
