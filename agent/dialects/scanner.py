"""A scanner for calls such as `click(start_box='(1,2)')`.

It reads what models write, not what a language allows: strings may hold unescaped quotes and line breaks, values may
lack quotes, and the answer may stop behind a whole place. It goes over the text with an index and evaluates nothing.

Where an unescaped quote ends a text is decided on its line: at the first quote behind which the call plainly ends or
goes on, else at the last one that can be the end. What is then left over must not look like more of the text
(`check_rest`): a text is read whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from agent.dialects.arguments import Call
from agent.dialects.coordinates import PointError, read_numbers
from agent.dialects.envelope import within
from agent.dialects.escapes import unescape
from agent.dialects.reading import CallError

MAX_VALUE = 2_000
"""Characters of a value without quotes; more is garbage."""
MAX_NAME = 64

_BLANK = " \t\r\n"
_SEPARATORS = _BLANK + ";,`"
_OPEN, _CLOSE = "([{", ")]}"
_PLACE_ENDS = ("</point>", "<|box_end|>", "</bbox>", "</box>")


@dataclass(frozen=True)
class Grammar:
    """What a family's calls look like, so that they can be told from text that is typed.

    known: is it the name of an action? keys: names of arguments; places: those that hold places
    """

    known: Callable[[str], bool] = lambda name: False
    keys: Collection[str] = frozenset()
    places: Collection[str] = frozenset()


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


def call_name(text: str, index: int, dotted: bool = False) -> str:
    """The name of what looks like a call at `index`, `name(` or with a module before it; else empty."""
    stop = name_end(text, index)
    if dotted and stop > index and text.startswith(".", stop):
        stop = name_end(text, stop + 1)
    return text[index:stop] if text.startswith("(", stop) else ""


def scan_call(text: str, index: int, grammar: Grammar = Grammar()) -> Call:
    """The call that starts at `index`, its values unescaped texts. Raises CallError."""
    start, stop = index, name_end(text, index)
    name = text[index:stop]
    opening = skip_blank(text, stop)
    if not name or opening >= len(text) or text[opening] != "(":
        raise CallError(f"expected a call such as click(...), found {text[index : index + 30]!r}")
    values: dict[str, str] = {}
    positional: list[str] = []
    call = Call(name, values, shown=name, start=start)
    index = skip_blank(text, opening + 1)
    value = ""
    while True:
        if index >= len(text) and _is_whole_place(value):
            # The answer stops behind a whole place.
            return replace(call, positional=tuple(positional), end=index)
        if index >= len(text):
            raise CallError(f"{name}( is not closed")
        if text[index] == ")":
            return replace(call, positional=tuple(positional), end=index + 1)
        key, index = _key(text, index)
        value, index = _value(text, index, grammar, key)
        if not key:
            positional.append(value)
        elif key in values:
            raise CallError(f"{name} has {key} twice")
        else:
            values[key] = value
        index = skip_blank(text, index)
        if index < len(text) and text[index] == ",":
            index = skip_blank(text, index + 1)
        elif index < len(text) and text[index] != ")":
            raise CallError(f"{name}: expected , or ) before {text[index : index + 20]!r}")


def check_rest(text: str, calls: Collection[Call], grammar: Grammar = Grammar()) -> None:
    """Raises CallError where what follows the last call may be more of a text that a call holds."""
    given = [item for call in calls for item in (*call.values.items(), *(("", value) for value in call.positional))]
    if all((not key or key in grammar.places) and not _is_free_text(value) for key, value in given):
        return
    end = max(call.end for call in calls)
    written = {text[index] for call in calls for index in range(call.start, call.end) if text[index] in "'\""}
    line_end = text.find("\n", end)
    same_line = len(text) if line_end < 0 else line_end
    spans = well_formed(text, grammar, end)
    bracket = text.find(")", end)
    while bracket >= 0:
        before = bracket - 1
        while before > end and text[before] in _BLANK:
            before -= 1
        outside = not within(spans, bracket)
        quoted = text[before] in written if written else bracket < same_line
        if outside and before >= end and quoted:
            raise CallError("a quote or bracket inside of a text can be read in two ways: escape the quotes in it")
        bracket = text.find(")", bracket + 1)


def _is_free_text(value: str) -> bool:
    """Could a text have been cut short to this? Not to a place."""
    try:
        read_numbers(value)
    except PointError:
        return True
    return False


def _is_whole_place(value: str) -> bool:
    """A place with its closing tag: nothing of it can be missing."""
    return value.endswith(_PLACE_ENDS) and not _is_free_text(value)


def well_formed(text: str, grammar: Grammar, index: int = 0) -> list[tuple[int, int]]:
    """(start, end) of the calls of known names whose strings hold no unescaped quotes, in order."""
    spans: list[tuple[int, int]] = []
    bracket = text.find("(", index)
    while bracket >= 0:
        start = name_start(text, bracket, index)
        end = _strict_end(text, bracket + 1) if grammar.known(text[start:bracket]) else None
        if end is not None:
            spans.append((start, end))
        index = bracket + 1 if end is None else end
        bracket = text.find("(", index)
    return spans


def unclear(text: str, grammar: Grammar) -> list[tuple[int, int]]:
    """(start, end) of quoted values on their first line, in calls of known names that are not well-formed."""
    spans: list[tuple[int, int]] = []
    whole = well_formed(text, grammar)
    bracket = text.find("(")
    while bracket >= 0:
        _, value = _key(text, skip_blank(text, bracket + 1))
        start = name_start(text, bracket)
        if text[value : value + 1] in ("'", '"') and grammar.known(text[start:bracket]):
            line_end = text.find("\n", value)
            if not within(whole, bracket):
                spans.append((value, len(text) if line_end < 0 else line_end))
        bracket = text.find("(", bracket + 1)
    return spans


def name_start(text: str, bracket: int, least: int = 0) -> int:
    """Index of the identifier that ends before `bracket`."""
    start = bracket
    while start > least and bracket - start < MAX_NAME and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    return start


def _strict_end(text: str, index: int) -> int | None:
    """Index after the bracket that closes a call's values, which begin at `index`; None where it is not well-formed."""
    while True:
        index = skip_blank(text, index)
        if text.startswith(")", index):
            return index + 1
        _, index = _key(text, index)
        end = _quoted_end(text, index) if text[index : index + 1] in ("'", '"') else _bare_end(text, index)
        if end is None:
            return None
        index = skip_blank(text, end)
        if text.startswith(",", index):
            index += 1
        elif not text.startswith(")", index):
            return None


def _quoted_end(text: str, index: int) -> int | None:
    quote = text[index]
    index += 1
    while index < len(text):
        if text[index] == quote:
            return index + 1
        index += 2 if text[index] == "\\" else 1
    return None


def _bare_end(text: str, index: int) -> int | None:
    start, depth = index, 0
    while index < len(text) and index - start < 200:
        char = text[index]
        if char in "'\"" or (depth == 0 and char in ",)"):
            break
        depth += (char in _OPEN) - (char in _CLOSE)
        index += 1
    return index if index > start else None


def _key(text: str, index: int) -> tuple[str, int]:
    """`name=` → (name, index of the value); otherwise ("", index)."""
    stop = name_end(text, index)
    equals = skip_blank(text, stop)
    if stop > index and equals < len(text) and text[equals] == "=":
        return text[index:stop], skip_blank(text, equals + 1)
    return "", index


def _value(text: str, index: int, grammar: Grammar, key: str) -> tuple[str, int]:
    if index < len(text) and text[index] in "'\"":
        return _string(text, index, grammar, key)
    return _bare(text, index, positional=not key)


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


def _string(text: str, index: int, grammar: Grammar, key: str) -> tuple[str, int]:
    """A quoted value and the index after its closing quote."""
    quote, start = text[index], index + 1
    if text.startswith(quote * 3, index):
        end = text.find(quote * 3, index + 3)
        if end >= 0:
            return unescape(text[index + 3 : end]), end + 3
    last, clean = -1, True
    index = start
    while index < len(text):
        char = text[index]
        if char == "\n" and last >= 0:
            break
        if char == quote:
            strength = _ends(text, index, grammar, not key, clean)
            if strength:
                last = index
            # A whole place is no text of which more could follow.
            if strength > 1 or (strength and clean and key in grammar.places and not _is_free_text(text[start:index])):
                break
            clean = False
        index += 2 if char == "\\" else 1
    if last >= 0:
        return unescape(text[start:last]), last + 1
    rest = text[start:].rstrip(_BLANK + "'\")`")
    if _is_whole_place(rest):
        return rest, len(text)
    raise CallError(f"the string after {quote} is not closed")


def _ends(text: str, index: int, grammar: Grammar, positional: bool, clean: bool) -> int:
    """Does the quote at `index` end the value? 0: no; 1: if none behind it on the line does; 2: plainly.

    clean: no other quote stands between it and the one that opened the string
    """
    rest = skip_blank(text, index + 1)
    if text.startswith(",", rest):
        follower = skip_blank(text, rest + 1)
        key = _key(text, follower)[0]
        if key:
            return 2 if clean or key in grammar.keys else 1
        if text.startswith(")", follower):
            rest = follower
        else:
            return 2 * clean if positional else 0
    if not text.startswith(")", rest):
        return 0
    after = rest + 1
    while after < len(text) and text[after] in " \t":
        after += 1
    if after >= len(text) or text[after] in "\r\n":
        return 2
    while after < len(text) and text[after] in _SEPARATORS:
        after += 1
    name = call_name(text, after) or call_name(text, after, dotted=True)
    return 2 if name and (clean or grammar.known(name)) else 1
