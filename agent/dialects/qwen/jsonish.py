"""JSON as models write it.

Strict JSON is read by the standard library. What is not strict is read by a scanner that mends only what can be
meant in one way: single quotes, raw line breaks and unescaped quotes inside of strings, Python's constants and tuples,
a comma too many, brackets that are closed by the wrong one or not at all. Everything else is a JsonError.
"""

# json-repair (0.64 was tried) guesses where we refuse: `"text": "a", "b"` loses b, and a value cut off counts as whole.

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from agent.dialects.escapes import unescape
from agent.dialects.reading import CallError

MAX_DEPTH = 12
MAX_VALUE = 2_000
"""Characters of a number or a bare word."""

_BLANK = " \t\r\n"
_CLOSE = "]})"
_QUOTES = "\"'"
_AFTER_COMMA = _CLOSE + "\"'{[(-0123456789"
_ENDS = ("</", "```")
_MAX_NAME = 60
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None, "none": None}


class JsonError(CallError):
    """Not an object, or one that can be meant in several ways."""


@dataclass(frozen=True)
class Json:
    """A value, the index after it, and whether it stood there as strict JSON."""

    value: Any
    end: int
    strict: bool


def read_json(text: str, index: int) -> Json:
    """The JSON value that starts at `index`. Raises CallError."""
    try:
        value, end = _STRICT.raw_decode(text, index)
        if "\\u" in text[index:end] and any(
            0xD800 <= ord(char) < 0xE000 for char in json.dumps(value, ensure_ascii=False)
        ):
            raise JsonError("half a character in a string")
        return Json(value, end, True)
    except (ValueError, RecursionError):
        value, end = _Reader(text).value(skip_blank(text, index), 0)
        return Json(value, end, False)


def skip_blank(text: str, index: int) -> int:
    while index < len(text) and text[index] in _BLANK:
        index += 1
    return index


def _refuse(word: str) -> NoReturn:
    raise JsonError(f"{word} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        raise JsonError("a name is there twice")
    return out


_STRICT = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_once)


class _Reader:
    """Goes over the text once; every method returns a value and the index after it. `open` counts open brackets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.open = 0

    def value(self, index: int, depth: int) -> tuple[Any, int]:
        """The value that begins at `index`. Raises JsonError."""
        if depth > MAX_DEPTH:
            raise JsonError("brackets are nested too deeply")
        char = self.text[index : index + 1]
        if char and char in "{[(":
            self.open += 1
            found = self.object(index + 1, depth) if char == "{" else self.array(index + 1, depth)
            self.open -= 1
            return found
        if char and char in _QUOTES:
            return self.string(index)
        return self.word(index)

    def object(self, index: int, depth: int) -> tuple[dict[str, Any], int]:
        """The rest of an object whose brace stands before `index`. Raises JsonError."""
        out: dict[str, Any] = {}
        while True:
            index = skip_blank(self.text, index)
            if self.ends(index):
                return out, index + self.text.startswith("}", index)
            if self.text[index] in _QUOTES:
                key, index = self.string(index, key=True)
            else:
                key, index = self.word(index)
            index = skip_blank(self.text, index)
            if not isinstance(key, str) or not self.text.startswith(":", index):
                raise JsonError(f"expected a name and a colon before {self.text[index : index + 20]!r}")
            if key in out:
                raise JsonError(f"{key[:20]!r} is there twice")
            out[key], index = self.value(skip_blank(self.text, index + 1), depth + 1)
            index = self.comma(index)

    def array(self, index: int, depth: int) -> tuple[list[Any], int]:
        """The rest of a list or tuple whose bracket stands before `index`. Raises JsonError."""
        out: list[Any] = []
        while True:
            index = skip_blank(self.text, index)
            if self.ends(index):
                # A brace here closes the object around, and the array with it.
                return out, index + self.text.startswith(("]", ")"), index)
            value, index = self.value(index, depth + 1)
            out.append(value)
            index = self.comma(index)

    def ends(self, index: int) -> bool:
        """Is this the end of an object or array: closed, or cut off where the answer's call ends?"""
        return index >= len(self.text) or self.text[index] in _CLOSE or self.text.startswith(_ENDS, index)

    def comma(self, index: int) -> int:
        """Past the comma after a value, or to the bracket. Raises JsonError where the answer stops after a comma."""
        index = skip_blank(self.text, index)
        if self.text.startswith(",", index):
            if skip_blank(self.text, index + 1) >= len(self.text):
                raise JsonError("the answer was cut off after a comma")
            return index + 1
        if not self.ends(index):
            raise JsonError(f"expected a comma or a bracket before {self.text[index : index + 20]!r}")
        return index

    def word(self, index: int) -> tuple[Any, int]:
        """A number, a constant, or a name without quotes."""
        start = index
        while index < len(self.text) and (self.text[index].isalnum() or self.text[index] in "+-._"):
            index += 1
            if index - start > MAX_VALUE:
                raise JsonError("a value is too long")
        if index == len(self.text):
            raise JsonError("the answer was cut off inside of a value")
        word = self.text[start:index]
        if word.casefold() in _CONSTANTS:
            return _CONSTANTS[word.casefold()], index
        digits = word.removeprefix("-").removeprefix("+")
        if len(word) <= 20 and digits.isascii() and digits.replace(".", "", 1).isdigit():
            return (float(word) if "." in digits else int(word)), index
        if not word or not (word.isascii() and word[0].isalpha()):
            raise JsonError(f"expected a value before {self.text[start : start + 20]!r}")
        return word, index

    def string(self, index: int, key: bool = False) -> tuple[str, int]:
        """A quoted string. A quote closes it only where what follows is the end of a value (of a name for `key`)."""
        quote, start = self.text[index], index + 1
        index = start
        while index < len(self.text):
            char = self.text[index]
            if char == "\\":
                index += 2
            elif char == quote and self.closes(index, key):
                return unescape(self.text[start:index], "'\"/"), index + 1
            else:
                index += 1
        raise JsonError("a string is not closed")

    def closes(self, index: int, key: bool) -> bool:
        """Does the quote at `index` close its string?

        Brackets may follow it, but they too must lead to where a call goes on or ends: in `print("a")` they do not.
        """
        after = skip_blank(self.text, index + 1)
        if key:
            return self.text.startswith(":", after)
        brackets, line = 0, "\n" in self.text[index:after]
        while after < len(self.text) and self.text[after] in _CLOSE:
            following = skip_blank(self.text, after + 1)
            brackets, line = brackets + 1, "\n" in self.text[after:following]
            after = following
        if after >= len(self.text) or self.text.startswith(_ENDS, after):
            return True
        if self.text[after] != ",":
            # Everything is closed, and a line of something else begins.
            return brackets >= self.open and line
        follower = skip_blank(self.text, after + 1)
        return follower >= len(self.text) or self.text[follower] in _AFTER_COMMA or self.names(follower)

    def names(self, index: int) -> bool:
        """Does a name without quotes stand here, with its colon?"""
        start = index
        while index < len(self.text) and (self.text[index].isalnum() or self.text[index] == "_"):
            index += 1
            if index - start > _MAX_NAME:
                return False
        return index > start and self.text.startswith(":", skip_blank(self.text, index))
