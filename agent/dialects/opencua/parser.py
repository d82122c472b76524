"""From an answer to typed actions, or a ParseError."""

from __future__ import annotations

from pydantic import ValidationError

from agent.dialects.base import Parsed
from agent.dialects.coordinates import PointError, read_numbers
from agent.dialects.opencua.answer import Answer, fences, read_answer
from agent.dialects.opencua.arguments import ArgumentError
from agent.dialects.opencua.code import Call, CodeError, read_code, read_prose
from agent.dialects.opencua.draft import Draft
from agent.dialects.opencua.functions import apply
from agent.dialects.opencua.loose_calls import first_call, pieces
from agent.dialects.opencua.places import Places
from agent.errors import ParseError
from envs.actions import Click

MAX_ANSWER = 65_536
"""Characters; a longer answer is a model gone astray."""


def parse(text: str, places: Places, capabilities: frozenset[str] | None = None, *, bare_point: bool = False) -> Parsed:
    """Thought and actions of an answer. Raises ParseError.

    `bare_point` also takes an answer that is nothing but a point as a click there (grounding). The thought is the
    section of that name, else the sentence of the action, else what stands before all headings.
    """
    if len(text) > MAX_ANSWER:
        raise ParseError(f"the answer has {len(text)} characters, more than {MAX_ANSWER}", text[:200])
    answer = read_answer(text)
    try:
        code, calls = find_calls(answer)
        if not calls and bare_point:
            x, y = places.read(*_pair(answer.preface))
            return Parsed("", (Click(x=x, y=y),), answer.preface)
        if not calls:
            raise ParseError("the answer holds no action", text)
        draft = Draft()
        for call in calls:
            apply(call, draft, places, capabilities)
        actions = draft.finish()
    except (CodeError, ArgumentError, PointError) as error:
        raise ParseError(str(error), text) from error
    except ValidationError as error:
        raise ParseError(f"an argument is out of range: {error.errors()[0]['msg']}", text) from error
    if not actions:
        raise ParseError("the answer holds no action", text)
    return Parsed(answer.thought or answer.action or _before(answer), actions, code)


def find_calls(answer: Answer) -> tuple[str, tuple[Call, ...]]:
    """The code of an answer and its calls; no calls when there are none. Raises CodeError.

    All fenced code of the code section counts. Without such a section it is the last fenced code of the answer, and
    without a fence every call that opens a line; failing that, those inside the lines of whatever is no thought.
    """
    if answer.code is not None:
        blocks = fences(answer.code) or [answer.code]
        # Models repeat a block word for word when they do not know how to stop.
        code = "\n".join(block for i, block in enumerate(blocks) if i == 0 or block != blocks[i - 1])
        return code, read_code(code)
    parts = (answer.preface, answer.observation, answer.thought, answer.action)
    body = "\n".join(part for part in parts if part)
    for block in reversed(fences(body)):
        if pieces(block, False, 1):
            return block, read_code(block)
    calls = read_prose(body)
    if calls:
        return body, calls
    told = answer.preface or answer.action
    return told, read_prose(told, inside=True)


def _before(answer: Answer) -> str:
    """What a preface says before its code begins."""
    prose = answer.preface.partition("```")[0]
    return prose[: first_call(prose)].strip()


def _pair(text: str) -> tuple[float, float]:
    """Raises PointError."""
    numbers = read_numbers(text.strip("`\n "))
    if len(numbers) == 4:
        return (numbers[0] + numbers[2]) / 2, (numbers[1] + numbers[3]) / 2
    return numbers[0], numbers[1]
