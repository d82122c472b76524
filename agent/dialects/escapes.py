r"""Backslashes in the texts of answers, by one rule for all families.

A text is read as Python or JSON would read it, or not at all: where that reading and the plain one would both make
sense (`C:\temp\docs`: a tab, or a folder?) it is a CallError.
"""

from __future__ import annotations

import re

from agent.dialects.reading import CallError

_CHARACTERS = {"n": "\n", "t": "\t", "r": "\r"}
_QUOTES = "'\""
_CODES = {"x": 2, "u": 4, "U": 8}
_CONTROL = "abfv01234567N\n\r"
"""What a language reads as something that nobody types; a path or a pattern is as likely."""
_PATH = re.compile(r"(?:(?<![^\W_])[A-Za-z]:|(?<![^\s\"'=(])[.][.]?|%\w{1,40}%)(?=\\[ntrxuU][a-z0-9_.\\-])")
"""A path whose first folder would be read as a character: `C:\\new`, `..\\test`, `%APPDATA%\\npm`. A capital behind the
character begins a new line instead, as in `Plan A:\\nBuy milk`."""
_HEX = frozenset("0123456789abcdefABCDEF")


def unescape(text: str, quotes: str = _QUOTES, controls: bool = False) -> str:
    r"""The text that is meant: `\n \t \r \\`, escaped `quotes`, `\x41`, `\u0041`; other backslashes stay.

    Raises CallError where a backslash can be read in two ways: some stand for themselves and others do not, the
    digits of a code are missing, it stands for a control character or half of a character, or a path begins there.

    controls: codes of control characters are taken, as a language that writes them so has them
    """
    if "\\" not in text:
        return text
    if _PATH.search(text):
        raise _two_ways()
    out: list[str] = []
    index, read, plain = 0, False, False
    while index < len(text):
        char, follower = text[index], text[index + 1 : index + 2]
        if char != "\\" or not follower:
            plain = plain or char == "\\"
            out.append(char)
            index += 1
            continue
        index += 2
        if follower in quotes:
            out.append(follower)
        elif follower == "\\" or follower in _CHARACTERS:
            out.append(_CHARACTERS.get(follower, "\\"))
            read = True
        elif follower in _CODES:
            out.append(_character(text[index : index + _CODES[follower]], _CODES[follower], controls))
            index += _CODES[follower]
            read = True
        elif follower in _CONTROL:
            raise _two_ways()
        else:
            out.append("\\" + follower)
            plain = True
    if read and plain:
        raise _two_ways()
    return whole("".join(out))


def _character(digits: str, count: int, controls: bool) -> str:
    if len(digits) < count or not _HEX.issuperset(digits):
        raise _two_ways()
    point = int(digits, 16)
    if point > 0x10FFFF or (point < 0x20 and not controls):
        raise _two_ways()
    return chr(point)


def whole(text: str) -> str:
    """Halves of characters that stand side by side are joined, as JSON joins them. Raises CallError for lone ones."""
    if not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise CallError("half a character in a text") from error


def _two_ways() -> CallError:
    return CallError("a backslash in a text can be read in two ways: double it")


def escape(text: str) -> str:
    r"""Inverse of `unescape`, for a value between single quotes."""
    table = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return no_path("".join(table.get(char, char) for char in text))


def no_path(literal: str) -> str:
    r"""An escaped text in which `Q:\n` is no drive: as `\x51\x3a\n`."""
    while _PATH.search(literal):
        literal = _PATH.sub(lambda found: "".join(f"\\x{ord(char):02x}" for char in found[0]), literal)
    return literal
