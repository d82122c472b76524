"""From an answer to typed actions, or a ParseError. Nothing is ever evaluated.

    Thought: <free text>
    Action: <call>

and everything that models of the family make of it.
"""

from __future__ import annotations

from dataclasses import replace

from agent.dialects.arguments import Arguments, Call
from agent.dialects.base import Parsed
from agent.dialects.coordinates import Coordinates
from agent.dialects.draft import Draft
from agent.dialects.envelope import join, split_thinking, strip_end_marks
from agent.dialects.reading import CallError, check_count, reading
from agent.dialects.scanner import call_name, check_rest, name_start, scan_call, unclear, well_formed
from agent.dialects.ui_tars.actions import BUILDERS, GRAMMAR, NAMES, canonical, is_known
from agent.dialects.verbs import apply
from agent.errors import ParseError
from envs.actions import Action, Click

THOUGHT_LABELS = ("Thought", "Reflection", "Action_Summary")
_BETWEEN = " \t\r\n`;,"
_FENCES = ("python", "action", "code", "json")
_COLONS = ":："


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
    with reading(text):
        for part in split_thinking(strip_end_marks(text), _well_formed, _unclear):
            label = _find_label(part.text, "Action")
            body = part.text if label is None else part.text[label[1] :]
            calls = _find_calls(body, labelled=label is not None)
            if calls:
                check_rest(f"{body}\n{part.after}", calls, GRAMMAR)
                _check_stray(body, calls[-1].end)
                before = body[: calls[0].start] if label is None else part.text[: label[0]]
                source = body[calls[0].start : calls[-1].end]
                thought = join(part.thought, thought_of(before))
                return Parsed(thought, _act(calls, coordinates, capabilities), source)
            if bare_point and body.strip():
                x, y = coordinates.point(body)
                thought = part.thought if label is None else join(part.thought, thought_of(part.text[: label[0]]))
                return Parsed(thought, (Click(x=x, y=y),), body.strip())
            if label is not None or _opens_lines_with_calls(body):
                # It is an answer, though none that can be read: what was thought before does not stand in for it.
                break
    raise ParseError("the answer holds no action", text)


def _well_formed(text: str) -> list[tuple[int, int]]:
    return well_formed(text, GRAMMAR)


def _unclear(text: str) -> list[tuple[int, int]]:
    return unclear(text, GRAMMAR)


def _act(calls: list[Call], coordinates: Coordinates, capabilities: frozenset[str] | None) -> tuple[Action, ...]:
    draft = Draft()
    for call in calls:
        folded = replace(call, name=canonical(call.name))
        apply(Arguments(folded, coordinates, capabilities, NAMES), draft, BUILDERS)
    return draft.finish()


def _find_calls(body: str, labelled: bool) -> list[Call]:
    """All calls that follow each other; none where nothing looks like one. Raises CallError."""
    start = _next(body, 0)
    name = call_name(body, start)
    if not name or not (labelled or is_known(name)):
        found = _first_known(body)
        if found is None:
            return []
        start = found
    calls: list[Call] = []
    while True:
        calls.append(scan_call(body, start, GRAMMAR))
        check_count(len(calls))
        start = _next(body, calls[-1].end)
        if not call_name(body, start):
            return calls


def _next(body: str, index: int) -> int:
    """Index of the next thing that may be a call: past blanks, fences and repeated labels."""
    while True:
        before = index
        while index < len(body) and body[index] in _BETWEEN:
            index += 1
        for fence in _FENCES:
            if body.startswith(fence + "\n", index) and body[index - 1 : index] == "`":
                index += len(fence)
        index = _label_at(body, index, "Action") or index
        if index == before:
            return index


def _first_known(body: str) -> int | None:
    """Start of the first known call that opens a line; failing that, of the first one anywhere."""
    anywhere = None
    bracket = body.find("(")
    while bracket >= 0:
        start = name_start(body, bracket)
        if is_known(body[start:bracket]):
            if start == 0 or body[start - 1] == "\n":
                return start
            anywhere = start if anywhere is None else anywhere
        bracket = body.find("(", bracket + 1)
    return anywhere


def _check_stray(body: str, index: int) -> None:
    """Raises CallError for a call behind prose that follows the calls: it would be left out.

    A comment is none, and a second step with labels of its own is imagined.
    """
    lines = body[index:].split("\n")
    labels = ("Action", *THOUGHT_LABELS)
    own = [any(_label_at(line.lstrip("* "), 0, label) for label in labels) for line in lines]
    rest = "\n".join(lines[: own.index(True, 1) if True in own[1:] else None])
    for start, end in well_formed(rest, GRAMMAR):
        before = rest.rfind("\n", 0, start) + 1
        if "#" not in rest[before:start] or "\n" in rest[start:end]:
            raise CallError("a call stands behind other text; write the calls one after the other")


def _opens_lines_with_calls(body: str) -> bool:
    return any(call_name(line, 0) for line in body.split("\n"))


def _find_label(text: str, word: str) -> tuple[int, int] | None:
    """Start and end of the first `word:` that opens a line; failing that, of the last one anywhere."""
    anywhere = None
    index = text.find(word)
    while index >= 0:
        after = _label_at(text, index, word)
        if after is not None:
            # Looking back a few characters is enough: indentation, list marks, bold.
            before = text[max(0, index - 8) : index]
            opens_line = "\n" in before or index <= 8
            if opens_line and not before.rpartition("\n")[2].strip(" \t*#->`"):
                return index, after
            if not (index and (text[index - 1].isalnum() or text[index - 1] in "_\"'")):
                anywhere = (index, after)
        index = text.find(word, index + len(word))
    return anywhere


def _label_at(text: str, index: int, word: str) -> int | None:
    """Index after `word:` (bold or with a full-width colon too) at `index`, or None."""
    if not text.startswith(word, index):
        return None
    index += len(word)
    for _ in range(4):
        if index < len(text) and text[index] in "* \t":
            index += 1
    if index < len(text) and text[index] in _COLONS:
        index += 1
        return index + 2 if text.startswith("**", index) else index
    return None


def thought_of(text: str) -> str:
    """Thought, reflection and summary without their labels, one a line."""
    lines = []
    for line in text.strip().splitlines():
        stripped = line.strip()
        for label in THOUGHT_LABELS:
            bare = stripped.lstrip("* ")
            after = _label_at(bare, 0, label)
            if after is not None:
                stripped = bare[after:].strip()
                break
        # Reflection and summary may share a line.
        for colon in _COLONS:
            stripped = stripped.replace(f"Action_Summary{colon}", "\n")
        lines += [part.strip() for part in stripped.split("\n")]
    return "\n".join(line for line in lines if line.strip("*`"))
