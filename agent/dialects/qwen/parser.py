"""From an answer to typed actions, or a ParseError. Nothing is ever evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from agent.dialects.arguments import Call, place_text
from agent.dialects.base import Parsed
from agent.dialects.coordinates import Coordinates, PointError
from agent.dialects.draft import Draft
from agent.dialects.envelope import Body, join, split_thinking, strip_end_marks
from agent.dialects.qwen.actions import NAMES, build
from agent.dialects.qwen.calls import call_spans, find_calls
from agent.dialects.qwen.grounding import answer_of, find_place
from agent.dialects.reading import MAX_ANSWER, CallError, reading
from agent.errors import ParseError
from envs.actions import Click
from envs.geometry import Point

_COLONS = ":："


@dataclass(frozen=True)
class Envelope:
    """`thought` is what the model thought, `summary` its sentence on what it does, `text` what the calls stand in."""

    thought: str
    summary: str
    text: str
    calls: tuple[Call, ...]

    @property
    def source(self) -> str:
        """The calls' own text."""
        return self.text[self.calls[0].start : self.calls[-1].end] if self.calls else ""


def parse(
    text: str,
    coordinates: Coordinates,
    capabilities: frozenset[str] | None = None,
    *,
    pointer: str | None = None,
    bare_point: bool = False,
) -> Parsed:
    """Thought and actions of an answer. Raises ParseError.

    pointer: where the model pointed last, in its own numbers; clicks without a place are done there
    bare_point: an answer that holds a place and no call is a click there (grounding prompts)
    """
    with reading(text):
        bodies = _bodies(text)
        if bare_point:
            final = _final(bodies)
            envelope = _envelope([Body(bodies[0].thought, final)] if final else bodies)
            if not envelope.calls:
                place = find_place(final)
                x, y = coordinates.point(place.text)
                return Parsed(envelope.thought, (Click(x=x, y=y),), final, place.notes)
        else:
            envelope = _envelope(bodies)
        if not envelope.calls:
            raise ParseError("the answer holds no tool call", text)
        draft = Draft(pointer=_point(pointer, coordinates))
        for call in envelope.calls:
            build(call, coordinates, capabilities, draft)
        return Parsed(envelope.thought, draft.finish(), envelope.source)


def read_envelope(text: str) -> Envelope | None:
    """An answer of the past, or None when it cannot be read."""
    try:
        return _envelope(_bodies(text)) if len(text) <= MAX_ANSWER else None
    except CallError:
        return None


def last_place(calls: tuple[Call, ...]) -> str | None:
    """The last place that these calls name, in the model's own numbers."""
    for call in reversed(calls):
        for name in (*NAMES.end, *NAMES.start):
            if call.values.get(name):
                return place_text(call.values[name])
        if {"x", "y"} <= set(call.values):
            return place_text(call.values)
    return None


def _point(pointer: str | None, coordinates: Coordinates) -> Point | None:
    try:
        return None if pointer is None else coordinates.point(pointer)
    except PointError:
        return None


def _bodies(text: str) -> list[Body]:
    return split_thinking(strip_end_marks(text), call_spans)


def _envelope(bodies: list[Body]) -> Envelope:
    """The first part that holds calls. Raises CallError where a call cannot be read."""
    readings = ((body, find_calls(body.text)) for body in bodies)
    none: tuple[Call, ...] = ()
    body, calls = next(((body, calls) for body, calls in readings if calls), (bodies[0], none))
    prose = body.text[: calls[0].start] if calls else body.text
    thought, summary = _labels(prose.strip().removesuffix("```json").removesuffix("```"))
    told = join(body.thought, thought, *(call.values.get("thought", "") for call in calls))
    return Envelope(told or summary, summary, body.text, calls)


def _final(bodies: list[Body]) -> str:
    """The answer to a grounding prompt: what stands in `<answer>` or behind the thinking, empty when neither does."""
    for body in bodies:
        # A later part was thought before, unless thinking was opened and never closed.
        if len(body.thought) >= len(bodies[0].thought):
            answer = answer_of(body.text)
            if answer is not None:
                return answer
    return bodies[0].text


def _labels(prose: str) -> tuple[str, str]:
    """Thought and summary of the lines before the first call; without labels all of it is thought."""
    thought: list[str] = []
    summary: list[str] = []
    target = thought
    for line in prose.splitlines():
        bare = line.strip().lstrip("*# ")
        for label, lines in (("Thought", thought), ("Action", summary)):
            after = _after_label(bare, label)
            if after is not None:
                target, line = lines, after
                break
        target.append(line.strip())
    return "\n".join(thought).strip(), "\n".join(summary).strip().strip('"')


def _after_label(line: str, label: str) -> str | None:
    rest = line.removeprefix(label).lstrip("* ")
    if rest == line or rest[:1] not in tuple(_COLONS):
        return None
    return rest[1:].lstrip("* ")
