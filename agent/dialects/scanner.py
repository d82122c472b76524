"""A scanner for calls such as `click(start_box='(1,2)')`.

It reads what models write, not what a language allows: strings may hold unescaped quotes and line breaks,
values may lack quotes. It goes over the text with an index and no backtracking, and evaluates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_VALUE = 2_000
"""Characters of a value without quotes; more is garbage."""

_BLANK = " \t\r\n"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
_OPEN, _CLOSE = "([{", ")]}"


class CallError(ValueError):
    """No call stands here; the message says why."""


@dataclass(frozen=True)
class Call:
    """`args` by name and `positional` in order, both unescaped; `end` is the index after the last bracket."""

    name: str
    args: dict[str, str] = field(default_factory=dict)
    positional: tuple[str, ...] = ()
    end: int = 0


def skip_blank(text: str, index: int) -> int:
    while index < len(text) and text[index] in _BLANK:
        index += 1
    return index


def name_end(text: str, index: int) -> int:
    """Index after the identifier that starts at `index` (`index` itself when there is none)."""
    start = index
    while index < len(text) and (text[index] == "_" or (text[index].isascii() and text[index].isalnum())):
        index += 1
    return start if index > start and text[start].isdigit() else index


def scan_call(text: str, index: int) -> Call:
    """The call that starts at `index`. Raises CallError."""
    stop = name_end(text, index)
    name = text[index:stop]
    opening = skip_blank(text, stop)
    if not name or opening >= len(text) or text[opening] != "(":
        raise CallError(f"expected a call such as click(...), found {text[index : index + 30]!r}")
    args: dict[str, str] = {}
    positional: list[str] = []
    index = skip_blank(text, opening + 1)
    while True:
        if index >= len(text):
            raise CallError(f"{name}( is not closed")
        if text[index] == ")":
            return Call(name, args, tuple(positional), index + 1)
        key, index = _key(text, index)
        value, index = _value(text, index, positional=not key)
        if not key:
            positional.append(value)
        elif key in args:
            raise CallError(f"{name} has {key} twice")
        else:
            args[key] = value
        index = skip_blank(text, index)
        if index < len(text) and text[index] == ",":
            index = skip_blank(text, index + 1)
        elif index < len(text) and text[index] != ")":
            raise CallError(f"{name}: expected , or ) before {text[index : index + 20]!r}")


def _key(text: str, index: int) -> tuple[str, int]:
    """`name=` → (name, index of the value); otherwise ("", index)."""
    stop = name_end(text, index)
    equals = skip_blank(text, stop)
    if stop > index and equals < len(text) and text[equals] == "=":
        return text[index:stop], skip_blank(text, equals + 1)
    return "", index


def _value(text: str, index: int, positional: bool) -> tuple[str, int]:
    if index < len(text) and text[index] in "'\"":
        return _string(text, index, positional)
    return _bare(text, index, positional)


def _bare(text: str, index: int, positional: bool) -> tuple[str, int]:
    """A value without quotes, up to the comma or bracket that ends it."""
    start, depth = index, 0
    while index < len(text):
        char = text[index]
        if index - start > MAX_VALUE:
            raise CallError("a value is too long")
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            if depth == 0:
                break
            depth -= 1
        elif char == "," and depth == 0 and (positional or _key(text, skip_blank(text, index + 1))[0]):
            break
        index += 1
    value = text[start:index].strip()
    if not value:
        raise CallError("a value is missing")
    return value, index


def _string(text: str, index: int, positional: bool) -> tuple[str, int]:
    """A quoted value and the index after its closing quote.

    A quote closes when what follows can only be the end of the value. When no quote does, the first one
    before a closing bracket is taken.
    """
    quote, start = text[index], index + 1
    if text.startswith(quote * 3, index):
        end = text.find(quote * 3, index + 3)
        if end >= 0:
            return unescape(text[index + 3 : end]), end + 3
    fallback = -1
    index = start
    while index < len(text):
        if text[index] == "\\":
            index += 2
            continue
        if text[index] == quote:
            closes, after = _closes(text, index, positional)
            if closes:
                return unescape(text[start:index]), after
            if after and fallback < 0:
                fallback = index
        index += 1
    if fallback < 0:
        raise CallError(f"the string after {quote} is not closed")
    return unescape(text[start:fallback]), fallback + 1


def _closes(text: str, index: int, positional: bool) -> tuple[bool, int]:
    """Does the quote at `index` end the value? And where does reading go on (0: it cannot be the end)?"""
    after = index + 1
    rest = skip_blank(text, after)
    # The official grounding prompt has a stray quote before the bracket, and models copy it.
    if rest < len(text) and text[rest] == text[index]:
        beyond = skip_blank(text, rest + 1)
        if beyond < len(text) and text[beyond] == ")":
            after, rest = rest + 1, beyond
    if rest >= len(text):
        return False, 0
    if text[rest] == ",":
        follower = skip_blank(text, rest + 1)
        if follower < len(text) and text[follower] == ")":
            return _ends_line(text, follower + 1), after
        quoted = positional and follower < len(text) and text[follower] in "'\""
        return (True, after) if quoted or _key(text, follower)[0] else (False, 0)
    if text[rest] != ")":
        return False, 0
    return _ends_line(text, rest + 1), after


def _ends_line(text: str, index: int) -> bool:
    """Does the line end after a closing bracket, or a mark or another call follow?"""
    while index < len(text) and text[index] in " \t":
        index += 1
    if index >= len(text) or text[index] in "\r\n<[#;`":
        return True
    stop = name_end(text, index)
    return stop > index and stop < len(text) and text[stop] == "("


def unescape(text: str) -> str:
    r"""`\n`, `\t`, `\r`, `\\` and escaped quotes; any other backslash stays, as in Windows paths."""
    if "\\" not in text:
        return text
    out: list[str] = []
    index = 0
    while index < len(text):
        pair = _ESCAPES.get(text[index + 1]) if text[index] == "\\" and index + 1 < len(text) else None
        out.append(text[index] if pair is None else pair)
        index += 1 if pair is None else 2
    return "".join(out)


def escape(text: str) -> str:
    r"""Inverse of `unescape`, for a value between single quotes."""
    table = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return "".join(table.get(char, char) for char in text)
