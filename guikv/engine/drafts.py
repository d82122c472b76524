"""Drafts of a reply from what was said before: an agent's replies repeat each other, and what they name stands in the
prompt (prompt look-up decoding, Saxena 2023). A draft costs nothing but a wider forward pass."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 8
"""Tokens in a draft."""
MATCHED = (4, 3, 2)
"""So many of the newest tokens are looked for in what came before, the longest first."""
REACH = 8192
"""Tokens back that are searched, so that the cost of a reply does not grow with the episode."""


class Lookup:
    """Finds what followed the newest tokens when they were there before."""

    def __init__(self, before: Sequence[int]) -> None:
        """before: tokens of the text so far, oldest first"""
        self.tokens: list[int] = []
        self.places: dict[tuple[int, ...], int] = {}
        for token in before[-REACH:]:
            self.add(token)

    def add(self, token: int) -> None:
        """The text goes on with this token."""
        self.tokens.append(token)
        end = len(self.tokens)
        # What ends here is followed by the next token; the newest place counts.
        for length in MATCHED:
            if end > length:
                self.places[tuple(self.tokens[end - 1 - length : end - 1])] = end - 1

    def draft_after(self, token: int, most: int = LONGEST) -> tuple[int, ...]:
        """At most so many tokens that may follow `token`, which comes next; () where nothing like it was there."""
        for length in MATCHED:
            newest = (*self.tokens[len(self.tokens) - length + 1 :], token)
            start = self.places.get(newest) if len(newest) == length else None
            if start is not None:
                return tuple(self.tokens[start : start + most])
        return ()
