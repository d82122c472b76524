"""From the code of an answer to calls with plain values: read as a syntax tree or call by call, never compiled or run.

A text is taken whole or refused. Where a quote inside a text is not escaped, or a backslash can be meant two ways,
there is a CallError, not a part of the text.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from agent.dialects.arguments import Call
from agent.dialects.escapes import unescape, whole
from agent.dialects.reading import CallError, check_count
from agent.dialects.scanner import Grammar, name_end, scan_call

Value = str | int | float | bool | None | tuple["Value", ...]

MAX_CODE = 16_384
"""Characters of code outside of strings; more is no answer."""
MAX_NESTING = 8
MODULES = ("pyautogui", "computer", "browser", "mobile", "time")
BARE = ("answer", "terminate")
"""Functions that are called without a module."""

_BUTTONS = {"LEFT": "left", "PRIMARY": "left", "MIDDLE": "middle", "RIGHT": "right", "SECONDARY": "right"}
_OF_TEXT = frozenset({"write", "typewrite", "answer", "terminate", "selectoption", "openapp", "goto"})
"""Functions with a text to take as it is."""
_BLOCKS = frozenset(["async", "class", "def", "elif", "else", "except", "finally", "for", "if", "try", "while", "with"])
_UNCLEAR = "it is not clear where a text ends: escape the quotes in it, as in \\'"
_MAX_LOOSE = 8_192
_MAX_NAME = 64
_OPEN, _CLOSE, _QUOTES = "([{", ")]}", "'\""
_GRAMMAR = Grammar(lambda name: name.partition(".")[0] in (*MODULES, *BARE), {"status", "answer", "interval"})


def read_code(code: str) -> tuple[Call, ...]:
    """The calls of some code in order; none when it holds none. Raises CallError.

    Code that is no Python (prose between the lines, a quote inside a string) is read call by call.
    """
    code = code.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    tree = _parse(code.strip())
    if tree is None and code[:1].isspace():
        # Lines that are all indented, as in a block; what a text in them holds stays as it is.
        tree = _parse(f"if 1:\n{code}")
    if tree is None:
        return read_prose(code)
    body = tree.body
    if len(body) == 1 and isinstance(body[0], ast.If) and code[:1].isspace():
        body = body[0].body
    calls = [_call(statement) for statement in body if not _harmless(statement, body[0])]
    check_count(len(calls))
    return tuple(calls)


def read_prose(text: str, inside: bool = False) -> tuple[Call, ...]:
    """The calls that open a line of some text, or the first ones `inside` each line. Raises CallError.

    Calls may follow each other on a line; one behind other words on it is refused, not left out.
    """
    starts = _inside_lines(text) if inside else _line_starts(text)
    calls: list[Call] = []
    for start, stop in pairwise([*starts, len(text)]):
        index = start
        if not inside and _in_block(text, start):
            raise CallError("only calls are allowed, no blocks of statements")
        while _head(text, index):
            check_count(len(calls) + 1)
            call, end, loose = _call_at(text, index, stop)
            calls.append(call)
            _check_rest(text[index:end], text[end:stop], loose)
            index = end
            while index < stop and text[index] in " \t;,":
                index += 1
        line = text[index:stop].partition("\n")[0]
        if not line.startswith("#") and _inside_lines(line):
            raise CallError("a call stands behind other words; write each call on a line of its own")
    return tuple(calls)


def holds_calls(text: str) -> bool:
    """Does a call open a line?"""
    return bool(_line_starts(text))


def call_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where calls stand whose quotes and brackets match."""
    for start, stop in pairwise([*_inside_lines(text), len(text)]):
        end = _call_end(text, start + len(_head(text, start)), stop)
        if end is not None:
            yield start, end


def first_call(text: str) -> int:
    """Where the first call begins; the length of the text when there is none."""
    return min((*_line_starts(text)[:1], *_inside_lines(text)[:1]), default=len(text))


def fold(name: str) -> str:
    """`triple_click` and `tripleClick` are one name."""
    return name.replace("_", "").casefold()


# Python.


def _parse(code: str) -> ast.Module | None:
    """Syntax tree of Python code, None for other text. Raises CallError on what no answer would hold."""
    measure = _measure(code)
    if measure is None:
        return None
    if measure.plain > MAX_CODE or measure.nesting > MAX_NESTING:
        raise CallError("the code is too long or too deep")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if measure.doubt:
        raise CallError(measure.doubt)
    return tree


def _harmless(statement: ast.stmt, first: ast.stmt) -> bool:
    """Imports, and strings that serve as comments on lines of their own."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return True
    comment = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return comment and isinstance(statement, ast.Expr) and statement.value.col_offset == first.col_offset


def _call(statement: ast.stmt) -> Call:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        raise CallError(f"only calls are allowed, not {type(statement).__name__} in line {statement.lineno}")
    node = statement.value
    match node.func:
        case ast.Name(id=name):
            module, shown = "", name
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            shown = f"{module}.{name}"
        case _:
            raise CallError("only calls such as pyautogui.click(...) are allowed")
    keywords: dict[str, Value] = {}
    for keyword in node.keywords:
        key = (keyword.arg or "").casefold()
        if not key:
            raise CallError(f"{shown}: ** is not allowed")
        if key in keywords:
            raise CallError(f"{shown} has {key} twice")
        keywords[key] = _value(keyword.value, shown)
    return Call(fold(name), keywords, tuple(_value(arg, shown) for arg in node.args), module, shown)


def _value(node: ast.expr, shown: str) -> Value:
    match node:
        case ast.Constant(value=str() as text):
            return whole(text)
        case ast.Constant(value=int() | float() | bool() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.UnaryOp(op=ast.UAdd(), operand=ast.Constant(value=int() | float() as number)):
            return number
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return tuple(_value(part, shown) for part in parts)
        case ast.Attribute(value=ast.Name(id="pyautogui"), attr=name) if name in _BUTTONS:
            return _BUTTONS[name]
        case ast.Attribute(value=ast.Name(id="pyautogui"), attr=name) | ast.Name(id=name) if is_tween(name):
            return None
    raise CallError(f"{shown}: only plain values are allowed, not {type(node).__name__}")


def is_tween(name: str) -> bool:
    """Is it one of PyAutoGUI's functions for the pace of a move?"""
    return name.startswith("ease") or name == "linear"


# Text that is no Python. An index goes over it once.


def _call_at(text: str, start: int, stop: int) -> tuple[Call, int, bool]:
    """The call at `start`, where it ends, and whether it had to be read loosely. Raises CallError."""
    name = _head(text, start)
    end = _call_end(text, start + len(name), stop)
    if end is not None:
        tree = _parse(text[start:end])
        if tree is not None and len(tree.body) == 1:
            return _call(tree.body[0]), end, False
    opening = start + len(name)
    try:
        if stop - opening > _MAX_LOOSE:
            raise CallError("it has too many characters")
        found = scan_call("call" + text[opening:stop], 0, _GRAMMAR)
    except CallError as error:
        raise CallError(f"{name}( cannot be read: {error}; escape quotes inside a text") from error
    module, _, function = name.rpartition(".")
    keywords: dict[str, Value] = {}
    for key, value in found.values.items():
        if key.casefold() in keywords:
            raise CallError(f"{name} has {key.casefold()} twice")
        keywords[key.casefold()] = _loose(value, fold(function))
    positional = tuple(_loose(value, fold(function)) for value in found.positional)
    return Call(fold(function), keywords, positional, module, name), opening + found.end - len("call"), True


def _loose(text: str, function: str) -> Value:
    """A list or a tuple from its text; anything else stays text, and whoever needs a number reads it."""
    if text.startswith(("[", "(")) and function not in _OF_TEXT:
        tree = _parse(text)
        if tree is not None and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
            return _value(tree.body[0].value, "a list")
    return text


def _check_rest(call: str, rest: str, loose: bool) -> None:
    """Raises CallError where the last text of a call may go on in what follows it."""
    quote = call.rstrip(") \t\n,")[-1:]
    if not quote or quote not in _QUOTES:
        return
    line = rest.partition("\n")[0].lstrip(" \t;,")
    next_call = bool(_head(line, 0)) and not rest.startswith(line)
    ended = not line or line.startswith(("#", "`", "<")) or next_call
    more = loose or quote in line or line.startswith(tuple("([+)")) or bool(_head(line, 0))
    if (not ended and more) or goes_on(rest, quote):
        raise CallError(_UNCLEAR)


def goes_on(rest: str, quote: str) -> bool:
    """Does it end as a call with a text does, in a quote and a bracket that do not pair up within it?"""
    depth, odd, last = 0, False, ""
    for char in rest:
        if char == quote:
            odd = not odd
        elif char == "(":
            depth += 1
        elif char == ")":
            if (depth == 0 or odd) and (last == quote or (depth == 0 and odd)):
                return True
            depth = max(depth - 1, 0)
        last = last if char.isspace() else char
    return False


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


def _in_block(code: str, start: int) -> bool:
    """Does the line at `start` stand in a block of statements, as of `for` or `with`?"""
    line = code.rfind("\n", 0, start)
    before = code[code.rfind("\n", 0, max(line, 0)) + 1 : max(line, 0)].strip()
    return start > line + 1 and before.endswith(":") and before[: name_end(before, 0)] in _BLOCKS


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
        if char in _QUOTES:
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


@dataclass(frozen=True)
class _Measure:
    """`plain`: characters outside of strings and comments; `doubt`: why a text in it can be meant two ways."""

    plain: int
    nesting: int
    doubt: str


def _measure(code: str) -> _Measure | None:
    """None when a string is not closed."""
    plain = depth = deepest = index = 0
    doubt = quote = ""
    last = 0
    while index < len(code):
        char = code[index]
        if char == "#":
            end = code.find("\n", index)
            end = len(code) if end < 0 else end
            if quote and goes_on(code[index:end], quote):
                doubt = _UNCLEAR
            index = end
            continue
        if char in _QUOTES:
            after = _string_end(code, index, len(code))
            if after is None:
                return None
            before = code[max(index - 2, 0) : index].casefold()
            raw = before.endswith("r") or (before.startswith("r") and before.isalpha())
            if not raw:
                width = 3 if code.startswith(char * 3, index) and after - index >= 6 else 1
                try:
                    unescape(code[index + width : after - width], controls=True)
                except CallError as error:
                    doubt = str(error)
            if last and not code[last:index].strip(" \t"):
                # Literals side by side are one text in Python, and a quoted blank to others.
                edges = (code[last - 2 : last - 1], code[index + 1 : index + 2])
                if last == index or not all(edge.isalnum() for edge in edges):
                    doubt = _UNCLEAR
            last = after
            index, quote = after, char
            continue
        depth += (char in _OPEN) - (char in _CLOSE)
        deepest = max(deepest, depth)
        plain += 1
        index += 1
    return _Measure(plain, deepest, doubt)
