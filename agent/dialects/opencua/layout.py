"""How an episode is laid out as chat messages.

append: system, user(first screenshot, instruction), then per step assistant(reply as it was generated) and
user(screenshot). Nothing that was written changes later.

owners: system, assistant(all older steps as text), then for the newest steps user(screenshot) and assistant(step as
text), then user(newest screenshot, instruction). Old steps lose their code; the instruction moves along. This is how
OSWorld's agent does it; AgentNetBench's keeps an assistant turn for each older step (`turns`), and forgets the oldest.

With one screenshot in the history both are the same. Remarks of the harness stand behind the screenshot they came
with; the owners have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

from agent.dialects.layouts import neutral, note_text
from agent.dialects.opencua.parser import read_answer
from agent.dialects.reading import MAX_ANSWER, CallError
from agent.errors import DialectError
from agent.history import History, Observation, Turn
from guikv.content import Message, Part, Reply, Text

Memory = Literal["action", "thought", "observation"]
"""What is remembered of an old step: its action; with its thought; with its observation too."""
Old = Literal["joined", "turns"]
"""What becomes of steps whose screenshot is gone: one assistant turn for all of them, as in OSWorld's
`mm_agents/opencua`, or one for each, as in OpenCUA's `evaluation/agentnetbench`."""
IMAGES, TEXTS = 3, 10
"""Screenshots that the family's own agents send, and steps that AgentNetBench's remembers."""


@dataclass(frozen=True)
class Kept:
    """What the owners' layout keeps of the past.

    images: screenshots, the newest among them; memory: what is kept of a step's text
    texts: of `turns`, the steps before this one that have a text, those with a screenshot among them
    """

    images: int = IMAGES
    memory: Memory = "action"
    old: Old = "joined"
    texts: int = TEXTS

    def __post_init__(self) -> None:
        """Raises DialectError for words that are not known, and for a number of texts that is none."""
        for what, value, known in (
            ("memory of old steps", self.memory, get_args(Memory)),
            ("way to lay out old steps", self.old, get_args(Old)),
        ):
            if value not in known:
                raise DialectError(f"there is no {what} {value!r}", f"there are {', '.join(known)}")
        if not isinstance(self.texts, int) or isinstance(self.texts, bool) or self.texts < 0:
            raise DialectError(f"texts is the number of old steps that are kept, not {self.texts!r}")


def append(system: str, instruction: str, history: History, observation: Observation) -> tuple[Message, ...]:
    """The conversation, ending with `observation`; the instruction stands behind the first screenshot."""
    messages = [_system(system)]
    for turn in history.turns:
        messages.append(_user(turn.observation, instruction if len(messages) == 1 else ""))
        messages.append(Message("assistant", (turn.reply,)))
    messages.append(_user(observation, instruction if len(messages) == 1 else ""))
    return tuple(messages)


@dataclass(frozen=True)
class _Step:
    """What was seen, and what became of it as text."""

    seen: Observation
    text: str


def owners(
    system: str, instruction: str, history: History, observation: Observation, kept: Kept
) -> tuple[Message, ...]:
    """The conversation with the last `kept.images` screenshots, ending with `observation`.

    Answers that could not be read are shown word for word while they are asked about again, and never afterwards.
    """
    steps, open_turns = _steps(history, observation, kept.memory)
    shown = min(kept.images - 1, len(steps))
    past = _turns(steps, shown, kept.texts) if kept.old == "turns" else _joined(steps, shown)
    messages = [_system(system), *past]
    newest = [turn.observation for turn in open_turns] + [observation]
    for seen, reply in zip(newest, [*(turn.reply for turn in open_turns), None], strict=True):
        messages.append(_user(seen, instruction if seen is newest[0] else ""))
        if reply is not None:
            messages.append(Message("assistant", (reply,)))
    return tuple(messages)


def _joined(steps: Sequence[_Step], shown: int) -> list[Message]:
    """All steps but the last `shown` as one text."""
    older = steps[: len(steps) - shown]
    messages = [_assistant("\n".join(map(_remembered, older)))] if older else []
    for step in steps[len(older) :]:
        messages += [*_seen_turn(step.seen), _assistant(step.text)]
    return messages


def _turns(steps: Sequence[_Step], shown: int, texts: int) -> list[Message]:
    """Screenshots of the last `shown` steps, texts of the last `texts`; nothing is left of a step without either.

    Remarks stay with what is left of their step.
    """
    messages: list[Message] = []
    for left, step in zip(range(len(steps), 0, -1), steps, strict=True):
        if left <= max(shown, texts):
            messages += _seen_turn(step.seen if left <= shown else replace(step.seen, frame=None))
        if left <= texts:
            messages.append(_assistant(step.text))
    return messages


def _steps(history: History, observation: Observation, memory: Memory) -> tuple[list[_Step], list[Turn]]:
    """Finished steps, and the turns of the one that is still being asked about."""
    steps: list[_Step] = []
    unread: list[Turn] = []
    for turn in history.turns:
        if turn.observation.frame is not None:
            unread = []
        unread.append(turn)
        if is_readable(turn.reply):
            text = step_text(len(steps) + 1, turn.reply, memory)
            steps.append(_Step(unread[0].observation, text))
            unread = []
    return steps, unread if observation.frame is None else []


@lru_cache(maxsize=512)
def is_readable(reply: Reply) -> bool:
    """Did the answer hold calls? What was in them need not have been right."""
    try:
        return len(reply.text) <= MAX_ANSWER and bool(read_answer(reply.text).calls)
    except CallError:
        return False


@lru_cache(maxsize=512)
def step_text(number: int, reply: Reply, memory: Memory) -> str:
    """The text under which step `number` (from 1) is remembered, of an answer that is readable.

    Models leave sections out: without a sentence on the action its code stands in, and other sections are skipped.
    """
    answer = read_answer(reply.text)
    told = answer.sections
    parts = []
    if memory == "observation" and told.observation:
        parts.append(f"## Observation:\n{told.observation}\n")
    if memory != "action" and told.thought:
        parts.append(f"## Thought:\n{told.thought}\n")
    parts.append(f"## Action:\n{told.action or answer.code.strip()}\n")
    # The model's own words must not become control tokens.
    return f"# Step {number}:\n" + neutral("\n".join(parts))


def _assistant(text: str) -> Message:
    return Message("assistant", (Text(text),))


def _seen_turn(observation: Observation) -> list[Message]:
    """A user's turn, none where there is nothing to show."""
    return [_user(observation, "")] if observation.frame is not None or observation.notes else []


def _remembered(step: _Step) -> str:
    notes = note_text(step.seen)
    return f"# Note:\n{notes}\n{step.text}" if notes else step.text


def _system(text: str) -> Message:
    return Message("system", (Text(text, protected=True),))


def _user(seen: Observation, instruction: str) -> Message:
    parts: list[Part] = []
    if seen.frame is not None:
        parts.append(seen.frame)
    notes = note_text(seen)
    if notes:
        parts.append(Text(notes + ("\n" if instruction else "")))
    if instruction:
        parts.append(Text(instruction, protected=True))
    return Message("user", tuple(parts))
