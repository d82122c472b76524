r"""Backslashes in the texts of answers, by one rule for all families.

A text is read as Python or JSON would read it, or not at all: where that reading and the plain one would both make
sense (`C:\temp\docs`: a tab, or a folder?) it is a CallError.
"""

from __future__ import annotations

from agent.dialects.reading import CallError

_CHARACTERS = {"n": "\n", "t": "\t", "r": "\r"}
_QUOTES = "'\""
_CODES = {"x": 2, "u": 4, "U": 8}
_CONTROL = "abfv01234567N\n\r"
"""What a language reads as something that nobody types; a path or a pattern is as likely."""
_HEX = frozenset("0123456789abcdefABCDEF")


def unescape(text: str, quotes: str = _QUOTES) -> str:
    r"""The text that is meant: `\n \t \r \\`, escaped `quotes`, `\x41`, `\u0041`; other backslashes stay.

    Raises CallError where a backslash can be read in two ways: some stand for themselves and others do not, the
    digits of a code are missing, or it stands for a control character or half of a character.
    """
    if "\\" not in text:
        return text
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
            out.append(_character(text[index : index + _CODES[follower]], _CODES[follower]))
            index += _CODES[follower]
            read = True
        elif follower in _CONTROL:
            raise _two_ways()
        else:
            out.append("\\" + follower)
            plain = True
    if read and plain:
        raise _two_ways()
    return _whole("".join(out))


def _character(digits: str, count: int) -> str:
    if len(digits) < count or not _HEX.issuperset(digits):
        raise _two_ways()
    point = int(digits, 16)
    if point > 0x10FFFF or point < 0x20:
        raise _two_ways()
    return chr(point)


def _whole(text: str) -> str:
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
    return "".join(table.get(char, char) for char in text)
