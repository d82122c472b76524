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

from dataclasses import dataclass, replace

from agent.dialects.arguments import Call
from agent.dialects.base import Parsed
from agent.dialects.coordinates import Coordinates
from agent.dialects.draft import Draft
from agent.dialects.envelope import join, split_thinking, strip_end_marks
from agent.dialects.opencua.code import call_spans, first_call, goes_on, holds_calls, read_code, read_prose
from agent.dialects.opencua.functions import apply
from agent.dialects.reading import CallError, check_count
from envs.actions import Click

NAMES = ("observation", "thought", "action", "code")
_FENCE = "```"
_COLONS = ":："
_LANGUAGES = ("python", "code", "py", "text")


@dataclass(frozen=True)
class Sections:
    """Text of each section, empty where there is none; `code` is None without a heading of that name.

    `preface` is what stands before the first heading: all of it where there are no headings.
    """

    observation: str
    thought: str
    action: str
    code: str | None
    preface: str


@dataclass(frozen=True)
class Answer:
    """An answer's sections, the text of its code and the calls in that; no calls where there are none."""

    sections: Sections
    code: str
    calls: tuple[Call, ...]


def parse(
    text: str, coordinates: Coordinates, capabilities: frozenset[str] | None = None, *, bare_point: bool = False
) -> Parsed:
    """Thought and actions of an answer. Raises the errors of `reading`.

    `bare_point` also takes an answer that is nothing but a point as a click there (grounding). The thought is the
    section of that name, else the sentence of the action, else what stands before all headings.
    """
    answer = read_answer(text)
    told = answer.sections
    if not answer.calls and bare_point:
        x, y = coordinates.point(told.preface.strip("`\n "))
        return Parsed("", (Click(x=x, y=y),), told.preface)
    draft = Draft()
    for call in answer.calls:
        apply(call, draft, coordinates, capabilities)
    actions = draft.finish()
    if not actions:
        raise CallError("the answer holds no action")
    return Parsed(told.thought or told.action or _before(told), actions, answer.code)


def read_answer(text: str) -> Answer:
    """The answer's sections and calls. Raises CallError; takes time proportional to the text.

    What follows the end of thinking counts, and what stands before it only where no calls follow.
    """
    answers: list[Answer] = []
    for body in split_thinking(strip_end_marks(text), call_spans):
        sections = read_sections(body.text)
        code, calls = find_calls(sections, inside=not answers)
        answers.append(Answer(replace(sections, thought=join(body.thought, sections.thought)), code, calls))
        if calls and len(answers) > 1 and any(goes_on(answers[0].sections.preface, quote) for quote in "'\""):
            raise CallError("a tag of thinking may be a part of a text; escape the quotes in the text")
        if calls:
            return answers[-1]
    return answers[0]


def find_calls(sections: Sections, inside: bool = True) -> tuple[str, tuple[Call, ...]]:
    """The code of an answer and its calls; no calls when there are none. Raises CallError.

    All fenced code of the code section counts. Without such a section it is that of the rest of the answer, thoughts
    last, and without a fence every call that opens a line; failing that, those `inside` the lines of whatever is no
    thought. Calls beside a fence, or in blocks that differ where only one can be meant, are refused.
    """
    if sections.code is not None:
        blocks, outside = fences(sections.code)
        if not blocks:
            return sections.code, read_code(sections.code)
        if holds_calls(outside):
            raise CallError("calls stand outside of the fenced code")
        # Models repeat a block word for word when they do not know how to stop.
        blocks = [block for i, block in enumerate(blocks) if i == 0 or block != blocks[i - 1]]
        # Each is read alone: a fence inside of a text must not cut something out of it.
        calls = tuple(call for block in blocks for call in read_code(block))
        check_count(len(calls))
        return "\n".join(blocks), calls
    told = join(sections.preface, sections.action)
    for text in (told, join(sections.observation, sections.thought)):
        blocks, outside = fences(text)
        blocks = list(dict.fromkeys(block for block in blocks if holds_calls(block)))
        if len(blocks) > 1:
            raise CallError("there are several blocks of code; put the code into one")
        if blocks and holds_calls(outside):
            raise CallError("calls stand outside of the fenced code")
        if blocks:
            return blocks[0], read_code(blocks[0])
        if holds_calls(text):
            return text, read_prose(text)
    return told, read_prose(told, inside=True) if inside else ()


def _before(sections: Sections) -> str:
    """What a preface says before its code begins."""
    prose = sections.preface.partition("```")[0]
    return prose[: first_call(prose)].strip()


def read_sections(text: str) -> Sections:
    """Split a text into its sections. Raises CallError for different sections of code.

    A second step in the same answer is imagined, and left out.
    """
    lines = text.split("\n")
    headings = [_heading(line) for line in lines]
    marked = any(found is not None and found[1] and found[0] != "step" for found in headings)
    current: list[str] = []
    collected: dict[str, list[str]] = {"": current}
    codes: list[list[str]] = []
    fenced = False
    for line, found in zip(lines, headings, strict=True):
        in_code = bool(codes) and current is codes[-1]
        if found is None or (marked and not found[1]) or fenced:
            fenced = in_code and fenced != (line.count(_FENCE) % 2 == 1)
            current.append(line)
            continue
        name, _, rest = found
        if name == "step":
            if codes:
                break
            continue
        if name == "code":
            current = []
            codes.append(current)
            fenced = rest.count(_FENCE) % 2 == 1
        else:
            current = collected.setdefault(name, [])
        current += [rest] if rest else []
    told = {name: _text(part) for name, part in collected.items()}
    code = list(dict.fromkeys(filter(None, map(_text, codes))))
    if len(code) > 1:
        raise CallError("there are several sections of code; put the code into one")
    return Sections(
        observation=told.get("observation", ""),
        thought=told.get("thought", ""),
        action=told.get("action", ""),
        code="".join(code) if codes else None,
        preface=told[""],
    )


def _text(lines: list[str]) -> str:
    return "\n".join(lines).strip()


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
