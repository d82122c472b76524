"""Finding calls in text that is not Python as a whole. An index goes over the text once; nothing is evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from agent.dialects.reading import CallError
from agent.dialects.scanner import name_end, scan_call

MODULES = ("pyautogui", "computer", "browser", "mobile", "time")
BARE = ("answer", "terminate")
"""Functions that are called without a module."""
_MAX_LOOSE = 8_192
_MAX_NAME = 64
_OPEN, _CLOSE = "([{", ")]}"


@dataclass(frozen=True)
class Piece:
    """A call's text: `rest` from its name to the next call, `whole` the call alone where brackets and quotes match."""

    name: str
    rest: str
    whole: str | None


def pieces(text: str, inside: bool, limit: int) -> list[Piece]:
    """At most `limit` calls in order, those that open a line or the first one `inside` each, and what follows there."""
    starts = _inside_lines(text) if inside else _line_starts(text)
    return list(_cut(text, starts, limit))


def _cut(code: str, starts: list[int], limit: int) -> Iterator[Piece]:
    count = 0
    for start, following in pairwise([*starts, len(code)]):
        index = start
        while count < limit:
            name = _head(code, index)
            if not name:
                break
            end = _call_end(code, index + len(name), following)
            yield Piece(name, code[index:following], None if end is None else code[index:end])
            count += 1
            if end is None:
                break
            index = _skip(code, end, following)


def _skip(code: str, index: int, stop: int) -> int:
    while index < stop and code[index] in " \t;,":
        index += 1
    return index


def _line_starts(code: str) -> list[int]:
    found, index = [], 0
    for line in code.split("\n"):
        blank = len(line) - len(line.lstrip())
        if _head(code, index + blank):
            found.append(index + blank)
        index += len(line) + 1
    return found


def _inside_lines(code: str) -> list[int]:
    """The first call with a module in each line."""
    found = []
    bracket = code.find("(")
    while bracket >= 0:
        start = bracket
        while start > 0 and bracket - start < _MAX_NAME and (code[start - 1].isalnum() or code[start - 1] in "_."):
            start -= 1
        if "." in code[start:bracket] and _head(code, start):
            found.append(start)
            line_end = code.find("\n", bracket)
            bracket = len(code) if line_end < 0 else line_end
        bracket = code.find("(", bracket + 1)
    return found


def first_call(text: str) -> int:
    """Where the first call begins; the length of the text when there is none."""
    return min((*_line_starts(text)[:1], *_inside_lines(text)[:1]), default=len(text))


def _head(code: str, index: int) -> str:
    """`module.name` or a bare name with a bracket behind it, at `index`; else empty."""
    stop = name_end(code, index)
    name = code[index:stop]
    if name in MODULES and code.startswith(".", stop):
        end = name_end(code, stop + 1)
        return code[index:end] if end > stop + 1 and code.startswith("(", end) else ""
    return name if name in BARE and code.startswith("(", stop) else ""


def _call_end(code: str, index: int, stop: int) -> int | None:
    """Index after the bracket that closes the one at `index`, strings left out; None when there is none."""
    depth = 0
    while index < stop:
        char = code[index]
        if char in "'\"":
            after = _string_end(code, index, stop)
            if after is None:
                return None
            index = after
            continue
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
            if depth == 0:
                return index + 1
        index += 1
    return None


def _string_end(code: str, index: int, stop: int) -> int | None:
    """Index after the string literal at `index`, None when it is not closed before `stop` as Python wants it."""
    quote = code[index]
    triple = code.startswith(quote * 3, index)
    closing = quote * 3 if triple else quote
    index += len(closing)
    while index < stop:
        if code[index] == "\\":
            index += 2
        elif code.startswith(closing, index, stop):
            return index + len(closing)
        elif code[index] == "\n" and not triple:
            return None
        else:
            index += 1
    return None


def nesting(code: str) -> tuple[int, int] | None:
    """(characters outside of strings and comments, deepest nesting of brackets); None when a string is not closed."""
    plain = depth = deepest = index = 0
    while index < len(code):
        char = code[index]
        if char == "#":
            end = code.find("\n", index)
            index = len(code) if end < 0 else end
            continue
        if char in "'\"":
            after = _string_end(code, index, len(code))
            if after is None:
                return None
            index = after
            continue
        depth += (char in _OPEN) - (char in _CLOSE)
        deepest = max(deepest, depth)
        plain += 1
        index += 1
    return plain, deepest


def loose_values(piece: Piece) -> tuple[tuple[str, ...], dict[str, str]] | None:
    """Values of a call that is no Python, such as one with a quote inside a string; None when unreadable.

    All values are text. (positional, by name)
    """
    rest = piece.rest[len(piece.name) :]
    if len(rest) > _MAX_LOOSE:
        return None
    try:
        call = scan_call("call" + rest, 0)
    except CallError:
        return None
    return call.positional, dict(call.values)
