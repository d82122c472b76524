"""From an answer to typed actions, or a ParseError.

    # Step 3:
    ## Observation:
    ## Thought:
    ## Action:
    <one sentence>
    ## Code:
    ```python
    pyautogui.click(x=1443, y=343)
    ```

Observation and thought may be missing, and so may be all headings, marks and fences.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from agent.dialects.base import Parsed
from agent.dialects.coordinates import PointError, read_numbers
from agent.dialects.opencua.arguments import ArgumentError
from agent.dialects.opencua.code import Call, CodeError, first_call, holds_calls, read_code, read_prose
from agent.dialects.opencua.draft import Draft
from agent.dialects.opencua.functions import apply
from agent.dialects.opencua.places import Places
from agent.errors import ParseError
from envs.actions import Click

MAX_ANSWER = 65_536
"""Characters; a longer answer is a model gone astray."""
END_MARKS = ("<|im_end|>", "<|endoftext|>", "[EOS]", "[EOT]", "</s>")
NAMES = ("observation", "thought", "action", "code")
_THINK = ("<think>", "</think>")
_FENCE = "```"
_MAX_MARKS = 8
_COLONS = ":："
_LANGUAGES = ("python", "code", "py", "text")


@dataclass(frozen=True)
class Answer:
    """Text of each section, empty where there is none; `code` is None without a heading of that name.

    `preface` is what stands before the first heading: all of it where there are no headings.
    """

    observation: str
    thought: str
    action: str
    code: str | None
    preface: str


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

    All fenced code of the code section counts. Without such a section it is that of the rest of the answer, thoughts
    last, and without a fence every call that opens a line; failing that, those inside the lines of whatever is no
    thought. Calls beside a fence, or in blocks that differ where only one can be meant, are refused.
    """
    if answer.code is not None:
        blocks, outside = fences(answer.code)
        if not blocks:
            return answer.code, read_code(answer.code)
        if holds_calls(outside):
            raise CodeError("calls stand outside of the fenced code")
        # Models repeat a block word for word when they do not know how to stop.
        code = "\n".join(block for i, block in enumerate(blocks) if i == 0 or block != blocks[i - 1])
        return code, read_code(code)
    told = _join(answer.preface, answer.action)
    for text in (told, _join(answer.observation, answer.thought)):
        blocks, outside = fences(text)
        blocks = list(dict.fromkeys(block for block in blocks if holds_calls(block)))
        if len(blocks) > 1:
            raise CodeError("there are several blocks of code; put the code into one")
        if blocks and holds_calls(outside):
            raise CodeError("calls stand outside of the fenced code")
        if blocks:
            return blocks[0], read_code(blocks[0])
        if holds_calls(text):
            return text, read_prose(text)
    return told, read_prose(told, inside=True)


def _join(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


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


def read_answer(text: str) -> Answer:
    """Split an answer into its sections. Never fails; takes time proportional to the text."""
    thought, body = _take_thinking(_without_end(text.strip()))
    found = _sections(body.split("\n"))
    thought = "\n".join(part for part in (thought, found.get("thought", "")) if part)
    return Answer(
        observation=found.get("observation", ""),
        thought=thought,
        action=found.get("action", ""),
        code=found.get("code"),
        preface=found[""],
    )


def _without_end(text: str) -> str:
    """The text without end marks behind it; the same marks inside may be text to type."""
    for _ in range(_MAX_MARKS):
        mark = next((mark for mark in END_MARKS if text.endswith(mark)), None)
        if mark is None:
            break
        text = text.removesuffix(mark).rstrip()
    return text


def _take_thinking(text: str) -> tuple[str, str]:
    opening, closing = _THINK
    if not text.startswith(opening):
        return "", text
    inside, end, rest = text[len(opening) :].partition(closing)
    return (inside.strip(), rest.strip()) if end else ("", inside)


def _sections(lines: list[str]) -> dict[str, str]:
    """Section name → text, with "" for what precedes the first heading.

    Of several sections of a name the first counts, of code the last one; a second step in the same answer is
    imagined, and left out.
    """
    headings = [_heading(line) for line in lines]
    marked = any(found is not None and found[1] and found[0] != "step" for found in headings)
    collected: dict[str, list[str]] = {"": []}
    current, fenced = collected[""], False
    in_code = False
    for line, found in zip(lines, headings, strict=True):
        if found is None or (marked and not found[1]) or fenced:
            fenced = in_code and fenced != (line.count(_FENCE) % 2 == 1)
            current.append(line)
            continue
        name, _, rest = found
        if name == "step":
            if "code" in collected:
                break
            continue
        in_code = name == "code"
        current = [rest] if rest else []
        if in_code or name not in collected:
            collected[name] = current
        fenced = in_code and rest.count(_FENCE) % 2 == 1
    return {name: "\n".join(part).strip() for name, part in collected.items()}


def _heading(line: str) -> tuple[str, bool, str] | None:
    """(name, marked with hashes, what follows on the line) of a heading, else None.

    Without hashes the name needs a colon, in bold or not.
    """
    bare = line.lstrip("#")
    hashes = len(line) - len(bare)
    bare = bare.strip().removeprefix("**")
    length = 0
    while length < len(bare) and length < 12 and bare[length].isascii() and bare[length].isalpha():
        length += 1
    name, rest = bare[:length].casefold(), bare[length:].lstrip("* ")
    if name == "step" and hashes:
        return None if rest.strip(f" *{_COLONS}0123456789") else (name, True, "")
    if name not in NAMES or line[:1].isspace():
        return None
    if rest[:1] and rest[0] in _COLONS:
        return name, hashes > 0, rest[1:].lstrip("* ")
    return (name, True, "") if hashes and not rest else None


def fences(text: str) -> tuple[list[str], str]:
    """What stands between fences, in order, without the language's name, and what stands outside of them.

    An open fence goes on to the end.
    """
    blocks, outside, left = [], [], 0
    last = text.rfind("\n" + _FENCE)
    start = text.find(_FENCE)
    while start >= 0:
        inside = start + len(_FENCE)
        line_end = text.find("\n", inside)
        # A fence on a line of its own ends at such a one; the text to type may hold others.
        own_line = line_end >= 0 and text[inside:line_end].strip().casefold() in ("", *_LANGUAGES)
        end = text.find("\n" + _FENCE, inside) if own_line and last >= inside else -1
        end = end + 1 if end >= 0 else text.find(_FENCE, inside)
        end = len(text) if end < 0 else end
        blocks.append(_without_language(text[inside:end]))
        outside.append(text[left:start])
        left = end + len(_FENCE)
        start = text.find(_FENCE, left)
    return blocks, "\n".join([*outside, text[left:]])


def _without_language(block: str) -> str:
    for word in _LANGUAGES:
        if block[: len(word)].casefold() == word and block[len(word) : len(word) + 1].isspace():
            return block[len(word) :].strip("\r\n ")
    return block.strip("\r\n ")
