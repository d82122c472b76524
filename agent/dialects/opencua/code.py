"""From the code of an answer to calls with plain values. It is read as a syntax tree, never compiled or run."""

from __future__ import annotations

import ast
import textwrap
import warnings
from dataclasses import dataclass, field

from agent.dialects.opencua.loose_calls import Piece, loose_values, nesting, pieces

Value = str | int | float | bool | None | tuple["Value", ...]

MAX_CALLS = 32
MAX_CODE = 16_384
"""Characters of code outside of strings; more is no answer."""
MAX_NESTING = 8

IGNORED = frozenset({"interval", "duration", "tween", "pause", "_pause", "logscreenshot", "mousedownup"})
"""Arguments that say how a call is animated or logged."""
_BUTTONS = {"LEFT": "left", "PRIMARY": "left", "MIDDLE": "middle", "RIGHT": "right", "SECONDARY": "right"}


class CodeError(ValueError):
    """Not a series of calls; the message says why."""


@dataclass(frozen=True)
class Call:
    """`module` is empty for a bare name; `name` is lower case without underscores; `shown` is as it was written."""

    module: str
    name: str
    shown: str
    positional: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)


def read_code(code: str) -> tuple[Call, ...]:
    """The calls of some code in order; none when it holds none. Raises CodeError.

    Code that is no Python (prose between the lines, a quote inside a string) is read call by call.
    """
    code = textwrap.dedent(code.replace("\r\n", "\n").replace("\r", "\n")).strip()
    tree = _parse(code)
    if tree is None:
        return read_prose(code)
    return _few([_call(statement) for statement in tree.body if not _harmless(statement)])


def read_prose(text: str, inside: bool = False) -> tuple[Call, ...]:
    """The calls that open a line of some text, or the first ones `inside` each line. Raises CodeError."""
    return _few([_piece(piece) for piece in pieces(text, inside, MAX_CALLS + 1)])


def _few(calls: list[Call]) -> tuple[Call, ...]:
    if len(calls) > MAX_CALLS:
        raise CodeError(f"more than {MAX_CALLS} calls in one answer")
    return tuple(calls)


def _parse(code: str) -> ast.Module | None:
    """Syntax tree of Python code, None for other text. Raises CodeError on what no answer would hold."""
    measure = nesting(code)
    if measure is None:
        return None
    if measure[0] > MAX_CODE or measure[1] > MAX_NESTING:
        raise CodeError("the code is too long or too deep")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _harmless(statement: ast.stmt) -> bool:
    """Imports, and strings that serve as comments."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return True
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _call(statement: ast.stmt) -> Call:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        raise CodeError(f"only calls are allowed, not {type(statement).__name__} in line {statement.lineno}")
    node = statement.value
    shown = _name(node.func)
    module, _, name = shown.rpartition(".")
    keywords: dict[str, Value] = {}
    for keyword in node.keywords:
        key = (keyword.arg or "").casefold()
        if not key:
            raise CodeError(f"{shown}: ** is not allowed")
        if key in keywords:
            raise CodeError(f"{shown} has {key} twice")
        if key not in IGNORED:
            keywords[key] = _value(keyword.value, shown)
    return Call(module, fold(name), shown, tuple(_value(arg, shown) for arg in node.args), keywords)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    raise CodeError("only calls such as pyautogui.click(...) are allowed")


def _value(node: ast.expr, shown: str) -> Value:
    match node:
        case ast.Constant(value=str() | int() | float() | bool() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.UnaryOp(op=ast.UAdd(), operand=ast.Constant(value=int() | float() as number)):
            return number
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return tuple(_value(part, shown) for part in parts)
        case ast.Attribute(value=ast.Name(id="pyautogui"), attr=name) if name in _BUTTONS:
            return _BUTTONS[name]
    raise CodeError(f"{shown}: only plain values are allowed, not {type(node).__name__}")


def _piece(piece: Piece) -> Call:
    """The call of a piece of text: as Python where it is Python, else with its values taken as they look."""
    if piece.whole is not None:
        tree = _parse(piece.whole)
        if tree is not None and len(tree.body) == 1:
            return _call(tree.body[0])
    module, _, name = piece.name.rpartition(".")
    found = loose_values(piece)
    if found is None:
        raise CodeError(f"{piece.name}( cannot be read: a quote or a bracket is missing")
    positional, keywords = found
    return Call(
        module,
        fold(name),
        piece.name,
        tuple(map(_loose, positional)),
        {key.casefold(): _loose(value) for key, value in keywords.items() if key.casefold() not in IGNORED},
    )


def _loose(text: str) -> Value:
    """A list or a tuple from its text; anything else stays text, and whoever needs a number reads it."""
    if text.startswith(("[", "(")):
        tree = _parse(text)
        if tree is not None and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
            return _value(tree.body[0].value, "a list")
    return text


def fold(name: str) -> str:
    """`triple_click` and `tripleClick` are one name."""
    return name.replace("_", "").casefold()
