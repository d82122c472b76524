"""JSON without what later steps would stumble over: half surrogate pairs, NaN, numbers without end.

ijson was tried for the lists and does not fit: its C parser makes half a surrogate pair `?` or fails on it, knows no
byte order mark, and takes a gigabyte for 20,000 brackets within each other.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, TextIO

_SHOWN = 200
_CHUNK = 1 << 16
"""Characters of a list that are read at once."""
_SIGN = re.compile(r"[^ \t\n\r]")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class NoListError(ValueError):
    """The file holds no list."""


def decode(text: str) -> Any:
    """The value of a whole JSON text. Half a surrogate pair, which no tokenizer takes, becomes U+FFFD.

    Raises ValueError for what is no JSON, also for NaN and numbers too large, and RecursionError.
    """
    value = _DECODER.decode(text)
    return _encodable(value) if _SURROGATE.search(text) else value


def items(file: TextIO) -> Iterator[Any]:
    """The items of a JSON list, one at a time: the file may be larger than the memory.

    When an item is reached, raises what `decode` does, and NoListError and UnicodeDecodeError.
    """
    text, at = _next_sign(file, "", 0)
    if text[at : at + 1] != "[":
        raise NoListError
    text, at = _next_sign(file, text, at + 1)
    more = text[at : at + 1] != "]"
    while more:
        item, text, at = _item(file, text, at)
        yield item
        more = text[at] == ","
        if more:
            text, at = _next_sign(file, text, at + 1)
    if _next_sign(file, text, at + 1)[0]:
        raise ValueError("the list ends before it")


def _next_sign(file: TextIO, text: str, at: int) -> tuple[str, int]:
    """What was read last, and where in it the next sign stands that is no blank; "" at the end of the file."""
    while (found := _SIGN.search(text, at)) is None:
        text, at = file.read(_CHUNK), 0
        if not text:
            return "", 0
    return text, found.start()


def _item(file: TextIO, text: str, at: int) -> tuple[Any, str, int]:
    """The value that begins there, what was read last, and where in it the comma or bracket behind the value stands."""
    while True:
        # What is not whole, be it a number that could end here, may go on in the file.
        try:
            value, end = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError:
            more = file.read(max(_CHUNK, len(text) - at))
            if not more:
                raise
        else:
            behind = _SIGN.search(text, end)
            if behind is not None and behind[0] in ",]":
                value = _encodable(value) if _SURROGATE.search(text, at, end) else value
                return value, text, behind.start()
            more = file.read(max(_CHUNK, len(text) - at))
            if not more:
                raise ValueError("behind it is neither a comma nor the end of the list")
        text, at = text[at:] + more, 0


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:_SHOWN]} is larger than any number")
    return number


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)
