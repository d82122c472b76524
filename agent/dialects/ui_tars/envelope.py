"""What stands around the calls of an answer: thought, labels, tags, end marks.

    Thought: <free text>
    Action: <call>

and everything that models of the family make of it.
"""

from __future__ import annotations

from dataclasses import dataclass

END_MARKS = ("[EOS]", "<|im_end|>", "<|endoftext|>", "</Output>", "<|eot_id|>")
THOUGHT_LABELS = ("Thought", "Reflection", "Action_Summary")
_TAGS = (("<think>", "</think>"), ("<thought>", "</thought>"))
_COLONS = ":："


@dataclass(frozen=True)
class Envelope:
    """`body` is where the calls are looked for; `labelled` says that an `Action:` stood before it.

    Without that label `thought` is only what stood in tags; the rest of it is whatever precedes the first call.
    """

    thought: str
    body: str
    labelled: bool


def open_envelope(text: str) -> Envelope:
    """Split an answer into thought and body. Never fails."""
    for mark in END_MARKS:
        text = text.replace(mark, "")
    tagged, text = _take_tags(text.strip())
    label = _find_label(text, "Action")
    if label is None:
        return Envelope(tagged, text, False)
    start, after = label
    return Envelope(join(tagged, thought_of(text[:start])), text[after:], True)


def skip_label(text: str, index: int) -> int:
    """Index after an `Action:` that stands at `index`, else `index`."""
    return _label_at(text, index, "Action") or index


def _take_tags(text: str) -> tuple[str, str]:
    """A leading <think>…</think> or <Thought>…</Thought> and the rest.

    Without its end tag, the tag alone goes.
    """
    lowered = text.casefold() if text.isascii() else text.replace("T", "t")
    for opening, closing in _TAGS:
        if lowered.startswith(opening):
            end = lowered.find(closing, len(opening))
            if end < 0:
                return "", text[len(opening) :]
            return text[len(opening) : end].strip(), text[end + len(closing) :].strip()
    return "", text


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


def join(first: str, second: str) -> str:
    """Both on lines of their own; an empty one leaves no line."""
    return "\n".join(part for part in (first, second) if part)
