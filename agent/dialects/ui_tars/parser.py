"""From an answer to typed actions, or a ParseError. Nothing is ever evaluated."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from agent.dialects.base import Parsed
from agent.dialects.coordinates import Coordinates, PointError
from agent.dialects.scanner import Call, CallError, name_end, scan_call
from agent.dialects.ui_tars.actions import build, canonical
from agent.dialects.ui_tars.arguments import ArgumentError, Arguments
from agent.dialects.ui_tars.envelope import Envelope, join, open_envelope, skip_label, thought_of
from agent.dialects.ui_tars.pointer import HALVES, click, join_halves
from agent.errors import ParseError
from envs.actions import Action
from envs.geometry import Point

MAX_ANSWER = 65_536
"""Characters; a longer answer is a model gone astray."""
MAX_CALLS = 32

_BETWEEN = " \t\r\n`;,"
_FENCES = ("python", "action", "code", "json")


def parse(
    text: str,
    coordinates: Coordinates,
    capabilities: frozenset[str] | None = None,
    *,
    bare_point: bool = False,
) -> Parsed:
    """Thought and actions of an answer. Raises ParseError.

    `bare_point` also takes an answer that is nothing but a point as a click there (grounding prompts).
    """
    if len(text) > MAX_ANSWER:
        raise ParseError(f"the answer has {len(text)} characters, more than {MAX_ANSWER}", text[:200])
    envelope = open_envelope(text)
    try:
        spans = _calls(envelope)
        if not spans and bare_point:
            return Parsed(envelope.thought, click(coordinates.point(envelope.body)), envelope.body.strip())
        if not spans:
            raise ParseError("the answer holds no action", text)
        calls = [call for call, _ in spans]
        actions = _actions([Arguments(call, coordinates, capabilities) for call in calls])
    except (CallError, ArgumentError, PointError) as error:
        raise ParseError(str(error), text) from error
    except ValidationError as error:
        raise ParseError(f"an argument is out of range: {error.errors()[0]['msg']}", text) from error
    start = spans[0][1]
    thought = envelope.thought if envelope.labelled else join(envelope.thought, thought_of(envelope.body[:start]))
    return Parsed(thought, actions, envelope.body[start : calls[-1].end])


def _calls(envelope: Envelope) -> list[tuple[Call, int]]:
    """All calls that follow each other, each with its start. Empty when there is none."""
    body = envelope.body
    start = _next(body, 0)
    if not _call_starts(body, start, envelope.labelled):
        found = _first_known(body)
        if found is None:
            return []
        start = found
    spans: list[tuple[Call, int]] = []
    while len(spans) < MAX_CALLS:
        call = scan_call(body, start)
        spans.append((call, start))
        start = _next(body, call.end)
        if not _call_starts(body, start, strict=True):
            return spans
    raise CallError(f"more than {MAX_CALLS} actions in one answer")


def _next(body: str, index: int) -> int:
    """Index of the next thing that may be a call: past blanks, fences and repeated labels."""
    while True:
        before = index
        while index < len(body) and body[index] in _BETWEEN:
            index += 1
        for fence in _FENCES:
            if body.startswith(fence + "\n", index) and body[index - 1 : index] == "`":
                index += len(fence)
        index = skip_label(body, index)
        if index == before:
            return index


def _call_starts(body: str, index: int, strict: bool) -> bool:
    """Does `name(` stand here? Unless `strict`, only names that are known count."""
    stop = name_end(body, index)
    if stop == index or not body.startswith("(", stop):
        return False
    return strict or canonical(body[index:stop]) is not None


def _first_known(body: str) -> int | None:
    """Start of the first known call that opens a line; failing that, of the first one anywhere."""
    anywhere = None
    bracket = body.find("(")
    while bracket >= 0:
        start = bracket
        while start > 0 and bracket - start < 24 and (body[start - 1].isalnum() or body[start - 1] == "_"):
            start -= 1
        if start < bracket and canonical(body[start:bracket]) is not None:
            if start == 0 or body[start - 1] == "\n":
                return start
            anywhere = start if anywhere is None else anywhere
        bracket = body.find("(", bracket + 1)
    return anywhere


def _actions(calls: Sequence[Arguments]) -> tuple[Action, ...]:
    actions: list[Action] = []
    down: Arguments | None = None
    between: list[Point] = []
    for args in calls:
        name = canonical(args.call.name)
        if name is None:
            raise ArgumentError(f"there is no action {args.call.name[:40]!r}")
        if name == HALVES[0] and down is None:
            down, between = args, []
        elif name == HALVES[1] and down is not None:
            actions.append(join_halves(down, tuple(between), args))
            down = None
        elif name in HALVES or (down is not None and name != "hover"):
            raise ArgumentError("mouse_down and mouse_up belong together in one answer; use drag")
        elif down is not None:
            between.append(args.point())
        else:
            actions += build(args)
    if down is not None:
        raise ArgumentError("mouse_down without mouse_up in the same answer; use drag")
    return tuple(actions)
