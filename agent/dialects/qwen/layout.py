"""How the family lays out an episode as chat messages.

Appended: system(functions), user(request and first screenshot), assistant(reply), user(screenshot) …, so that nothing
written earlier changes. In the owners' layout the last screenshots are sent with the replies to them, and the steps
before them are a list of text inside the request, which is in the first user turn: it changes with every step. Only
the browser agents keep every reply in its place, and leave out the screenshots between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from agent.dialects.layouts import Layout, first_held, note_text, user_parts
from agent.dialects.qwen.parser import read_envelope
from agent.dialects.qwen.prompt import NOTHING
from agent.dialects.qwen.tools import Generation, Kind
from agent.history import History, Observation
from envs.geometry import Size
from guikv.content import Message, Part, Text

Past = Literal["calls", "sentences", "replies"]
_MAX_STEP = 400
"""Characters of a step in the list of earlier ones."""


@dataclass(frozen=True)
class Style:
    """What the owners' agents send: so many screenshots, before or after the request, and this of older steps."""

    images: int
    image_first: bool
    past: Past


STYLES: dict[str, Style] = {
    "qwen25": Style(1, False, "calls"),
    "qwen3": Style(5, True, "sentences"),
    "browser": Style(3, True, "replies"),
}


def style_of(generation: Generation, kind: Kind) -> Style:
    """The generation's own, but for 2.5 in the browser, where Fara is what is trained on it."""
    return STYLES["browser" if generation == "qwen25" and kind == "browser" else generation]


def opening_turn(history: History, observation: Observation, layout: Layout, images: int) -> int:
    """Index of the oldest turn whose screenshot is shown; the number of turns when there is only the observation."""
    return first_held(history, observation, images) if layout == "owners" else 0


def previous_steps(history: History, until: int, past: Past) -> str:
    """The steps before turn `until`, as the family lists them; answers that held no call were none."""
    texts = [step_text(turn.reply.text, past) for turn in history.turns[:until]]
    steps = [f"Step {number}: {text}" for number, text in enumerate(filter(None, texts), 1)]
    return ("\n" if past == "sentences" else "; ").join(steps) or NOTHING


def step_text(answer: str, past: Past) -> str:
    """A step in one line: its call, or the sentence on what it does. Empty for an answer without a call."""
    envelope = read_envelope(answer)
    if envelope is None or not envelope.calls:
        return ""
    said = envelope.summary if past == "sentences" else ""
    text = said or envelope.source.replace("<tool_call>", "").replace("</tool_call>", "")
    line = " ".join(text.split()).replace("<|", "< |")
    return line if len(line) <= _MAX_STEP else line[: _MAX_STEP - 1] + "…"


def render(
    system: str, request: str, first: int, style: Style, history: History, observation: Observation
) -> tuple[Message, ...]:
    """The conversation with the screenshots from turn `first` on, ending with `observation`.

    System text and request are protected.
    """
    turns = history.turns[first:]
    if style.past == "replies":
        blind = [replace(t, observation=Observation(None, t.observation.notes)) for t in history.turns[:first]]
        turns = (*blind, *turns)
    messages = [Message("system", (Text(system, protected=True),))]
    for turn in turns:
        _add_user(messages, turn.observation, request, style)
        messages.append(Message("assistant", (turn.reply,)))
    _add_user(messages, observation, request, style)
    return tuple(messages)


def _add_user(messages: list[Message], observation: Observation, request: str, style: Style) -> None:
    parts = _opening(request, observation, style) if len(messages) == 1 else user_parts(observation)
    if parts:
        messages.append(Message("user", parts))


def _opening(request: str, observation: Observation, style: Style) -> tuple[Part, ...]:
    """Request and screenshot, in the order in which the model was shown them; remarks before both."""
    notes = note_text(observation)
    parts: list[Part] = [Text(notes + "\n")] if notes else []
    task = Text(request, protected=True)
    if observation.frame is None:
        return (*parts, task)
    return (*parts, observation.frame, task) if style.image_first else (*parts, task, observation.frame)


def screen_size(history: History, observation: Observation, layout: Layout) -> Size | None:
    """Size of the screenshot that the system prompt speaks of: the newest, or the first where nothing may change."""
    seen = [turn.observation for turn in history.turns] + [observation]
    for one in seen if layout == "append" else reversed(seen):
        if one.frame is not None:
            return Size(*one.frame.size)
    return None
