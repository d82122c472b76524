"""How UI-TARS lays out an episode as chat messages.

system, user(prompt), then per step user(screenshot) and assistant(reply), then user(newest screenshot).
Remarks of the harness stand before the screenshot of the step that follows them, so nothing written earlier
ever changes.
"""

from __future__ import annotations

from agent.history import History, Observation
from guikv.content import Message, Part, Text

SYSTEM = "You are a helpful assistant."


def render(prompt: str, history: History, observation: Observation) -> tuple[Message, ...]:
    """The conversation, ending with `observation`. System text and prompt are protected from eviction."""
    messages = [
        Message("system", (Text(SYSTEM, protected=True),)),
        Message("user", (Text(prompt, protected=True),)),
    ]
    for turn in history.turns:
        messages.append(_user(turn.observation))
        messages.append(Message("assistant", (turn.reply,)))
    messages.append(_user(observation))
    return tuple(messages)


def _user(observation: Observation) -> Message:
    parts: list[Part] = []
    if observation.notes:
        # Notes may quote pages and the model itself, who must not be able to write control tokens.
        notes = "\n".join(observation.notes).replace("<|", "< |")
        parts.append(Text(notes + ("\n" if observation.frame else "")))
    if observation.frame is not None:
        parts.append(observation.frame)
    return Message("user", tuple(parts))
