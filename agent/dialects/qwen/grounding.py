"""The place that an answer to a grounding prompt names: the last one, in `<answer>` or behind the thinking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from agent.dialects.arguments import place_text
from agent.dialects.qwen.actions import NAMES
from agent.dialects.qwen.jsonish import Json, read_json, skip_blank
from agent.dialects.reading import CallError

CUT = "the answer was cut off: the first of its boxes was taken"
_ANSWER = re.compile(r"<answer>", re.I)
_ANSWERED = re.compile(r"</answer>", re.I)
_OPENERS = re.compile(r"[\[{(]")
_MAX_TRIES = 64
"""Brackets, counted from the end, that are tried as a place."""
_MAX_LINE = 200
_WORD = re.compile(r"[a-z_][a-z0-9_.]*$", re.I)
_MAX_WORD = 40
_CALLED = frozenset({"click", "point", "left_click", "tap", "click_absolute"})


@dataclass(frozen=True)
class Place:
    """A place in the model's own numbers, as text that `Coordinates` reads, and what is to be told of it."""

    text: str
    notes: tuple[str, ...] = ()


def answer_of(text: str) -> str | None:
    """What stands in the last `<answer>`, closed or not; None where there is none."""
    opened = list(_ANSWER.finditer(text))
    if not opened:
        return None
    rest = text[opened[-1].end() :]
    closed = _ANSWERED.search(rest)
    return rest[: closed.start()] if closed else rest


def find_place(text: str) -> Place:
    """The last object or list of an answer that is a place; without brackets the text itself, to be read as numbers.

    Raises CallError where none of its brackets holds a place and some are not closed.
    """
    starts = [match.start() for match in _OPENERS.finditer(text)]
    first = [at for at in (skip_blank(text, 0), _fenced(text)) if at in starts]
    found: Place | None = None
    reached = 0
    for start in sorted({*first, *starts[-_MAX_TRIES:]}):
        if start < reached or _is_argument(text, start):
            continue
        place, reached = _read(text, start)
        found = place or found
    if found is None and any(text.count(opening) != text.count(closing) for opening, closing in ("[]", "()", "{}")):
        raise CallError("the answer holds no place")
    return found or Place(text.strip().strip("`").strip())


def _fenced(text: str) -> int:
    """Where the content of the last code fence with a content begins."""
    at = text.rfind("```json")
    return skip_blank(text, at + len("```json")) if at >= 0 else -1


def _is_argument(text: str, start: int) -> bool:
    """Is this bracket an argument of a call in prose, as in `percentile(x, [2.5, 97.5])`?"""
    depth = 0
    for index in range(start, max(start - _MAX_LINE, -1), -1):
        char = text[index]
        if char == "\n":
            return False
        if char == ")":
            depth += 1
        elif char == "(" and depth and index < start:
            depth -= 1
        elif char == "(":
            word = _WORD.search(text, max(index - _MAX_WORD, 0), index)
            if word is not None and word[0].casefold() not in _CALLED:
                return True
    return False


def _read(text: str, start: int) -> tuple[Place | None, int]:
    """The place that begins at this bracket, or None, and the index after it."""
    try:
        found = read_json(text, start)
    except CallError:
        found = None
    if found is not None and _whole(text, found):
        place = _place(found.value)
        # What stands in an object under another name is no place.
        return place, found.end if place or isinstance(found.value, dict) else start + 1
    if text[start] != "[":
        return None, start + 1
    # A list that stops in the middle: what came first is whole.
    try:
        item = read_json(text, skip_blank(text, start + 1))
    except CallError:
        return None, start + 1
    place = _place(item.value) if isinstance(item.value, (dict, list)) and _whole(text, item) else None
    return (None, start + 1) if place is None else (Place(place.text, (CUT,)), len(text))


def _whole(text: str, found: Json) -> bool:
    """Was the value closed by a bracket of its own?"""
    return found.strict or text[found.end - 1 : found.end] in tuple("]})")


def _place(value: Any) -> Place | None:
    """The place that a value is; of a list the first one's, of objects in an object the last. None for others."""
    if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        return _place(value[0])
    if isinstance(value, dict):
        named = next((value[name] for name in NAMES.start if value.get(name) not in (None, "", [])), None)
        if named is not None:
            return Place(place_text(named))
        if {"x", "y"} <= set(value):
            return Place(place_text(value))
        inner = [_place(item) for item in value.values() if isinstance(item, dict)]
        return next((place for place in reversed(inner) if place), None)
    if isinstance(value, list) and len(value) in (2, 4) and all(_is_number(item) for item in value):
        return Place(place_text(value))
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
