"""What stands around the calls of any family's answer: end marks, and thinking between tags.

What stands before the end of thinking is never done while calls follow it. A tag inside a well-formed call is part of
that call's text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from agent.dialects.reading import CallError

END_MARKS = ("[EOS]", "[EOT]", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "</Output>", "</s>")
MAX_TAGS = 64

_TAG = re.compile(
    r"[<◁](/?)(?:[a-z0-9]{1,20}[_:])?(?:think|thinking|thought|reasoning)(?:_[a-z0-9_]{1,64})?\s{0,2}[>▷]", re.I
)
"""`<think>`, `<think_abc>`, `<Thought>`, `<grounding_think>`, `<seed:think>`, `◁think▷` and their ends."""

Spans = Callable[[str], Iterable[tuple[int, int]]]
"""(start, end) of the well-formed calls of a text, in order: what a tag may stand in without being one."""


@dataclass(frozen=True)
class Body:
    """A part of the answer in which calls may stand, what was thought before it, and what follows it."""

    thought: str
    text: str
    after: str = ""


def strip_end_marks(text: str) -> str:
    """The text without blanks around it and end marks behind it; the same marks inside may be text to type."""
    text = text.strip()
    while True:
        mark = next((mark for mark in END_MARKS if text.endswith(mark)), None)
        if mark is None:
            return text
        text = text.removesuffix(mark).rstrip()


def split_thinking(text: str, calls: Spans = lambda text: (), unclear: Spans = lambda text: ()) -> list[Body]:
    """The parts of an answer, in the order in which calls are looked for.

    First what follows the end of thinking (up to thinking that begins anew and does not end), then the parts before,
    from the last on, those that were not thought first: the first one that holds a call is the answer. Templates that
    open the tag themselves leave only its end. `unclear` are the texts of calls that are not well-formed: a tag in
    them, outside of thinking that was opened, may be one or not. Raises CallError for such a tag, and for more tags
    than an answer has.
    """
    parts, thought, last_end = _parts(text, calls, unclear)
    before = sorted(range(last_end), key=lambda index: (thought[index], -index))
    order = [*range(last_end, len(parts)), *before]
    return [Body(join(*parts[:index]), parts[index], join(*parts[index + 1 :])) for index in order]


def _parts(text: str, calls: Spans, unclear: Spans) -> tuple[list[str], list[bool], int]:
    """The text cut at its tags, whether each part was thought, and the number of the one after the last end."""
    tags = _tags(text, calls, unclear)
    if not tags:
        return [text.strip()], [False], 0
    if len(tags) > MAX_TAGS:
        raise CallError(f"more than {MAX_TAGS} tags of thinking in one answer")
    parts, thought, opened, begin, last_end = [], [], False, 0, 0
    for number, tag in enumerate(tags, 1):
        parts.append(text[begin : tag.start()].strip())
        thought.append(opened or bool(tag.group(1)))
        begin, opened = tag.end(), not tag.group(1)
        if tag.group(1):
            last_end = number
    return [*parts, text[begin:].strip()], [*thought, opened], last_end


def _tags(text: str, calls: Spans, unclear: Spans) -> list[re.Match[str]]:
    """Tags outside of well-formed calls, at most one more than an answer may have."""
    if _TAG.search(text) is None:
        return []
    found: list[re.Match[str]] = []
    spans, doubtful, opened = list(calls(text)), list(unclear(text)), False
    for tag in _TAG.finditer(text):
        if within(spans, tag.start()):
            continue
        if not opened and within(doubtful, tag.start()):
            raise CallError(f"{tag.group()} stands inside of a text with quotes: escape the quotes in it")
        opened = not tag.group(1)
        found.append(tag)
        if len(found) > MAX_TAGS:
            break
    return found


def within(spans: Sequence[tuple[int, int]], index: int) -> bool:
    """Does the index lie in one of the spans, which are in order of their starts?"""
    before = bisect_right(spans, (index, 0)) - 1
    return before >= 0 and index < spans[before][1]


def join(*parts: str) -> str:
    """The parts on lines of their own; an empty one leaves no line."""
    return "\n".join(part for part in parts if part)
