"""UI-TARS as a `Dialect`: how it is made, its prompt, and how an episode is laid out as chat messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.dialects.base import Parsed
from agent.dialects.coordinates import Coordinates, Space
from agent.dialects.layouts import Layout, check_layout, first_held, neutral, user_parts
from agent.dialects.prompts import check_template, fill, official_template, template_from_file
from agent.dialects.ui_tars import parser
from agent.dialects.ui_tars.serialize import write_answer
from agent.history import History, Observation
from envs.actions import Action
from envs.geometry import Resize
from guikv.content import Message, Text

SYSTEM = "You are a helpful assistant."
IMAGES = 5
"""Screenshots that the owners' agents send."""


@dataclass(frozen=True)
class UiTars:
    """`template` holds {instruction} and perhaps {language}; `grounding` takes a bare point for a click.

    images: screenshots that the owners' layout holds
    """

    template: str
    language: str = "English"
    space: Space = "absolute"
    grounding: bool = False
    layout: Layout = "append"
    images: int = IMAGES

    def __post_init__(self) -> None:
        check_layout(self.layout, self.images)

    @property
    def name(self) -> str:
        return "ui_tars"

    @classmethod
    def make(
        cls,
        kind: str = "computer",
        *,
        prompt_file: Path | None = None,
        own_template: str | None = None,
        language: str = "English",
        space: Space | None = None,
        layout: Layout = "append",
        images: int | None = None,
    ) -> UiTars:
        """Dialect with the user's prompt file, else the checkpoint's own template, else an official prompt.

        A browser is asked as a computer is. Without a `space` it is version 1.5's, pixels of the resized image;
        without `images` as many are held as its agents send.

        Raises DialectError.
        """
        if prompt_file is not None:
            template = template_from_file(prompt_file)
        elif own_template is not None:
            template = check_template(own_template, "the checkpoint")
        else:
            template = official_template("computer" if kind == "browser" else kind)
        held = IMAGES if images is None else images
        return cls(template, language, space or "absolute", kind == "grounding", layout, held)

    def render(self, task: str, history: History, observation: Observation) -> tuple[Message, ...]:
        prompt = fill(self.template, neutral(task), neutral(self.language))
        return lay_out(prompt, history, observation, self.layout, self.images)

    def parse(self, text: str, resize: Resize, capabilities: frozenset[str] | None = None) -> Parsed:
        return parser.parse(text, Coordinates(resize, self.space), capabilities, bare_point=self.grounding)

    def write(self, thought: str, actions: Sequence[Action], resize: Resize) -> str:
        return write_answer(thought, actions, Coordinates(resize, self.space))


def lay_out(
    prompt: str, history: History, observation: Observation, layout: Layout = "append", images: int = IMAGES
) -> tuple[Message, ...]:
    """system, user(prompt), then per step user(screenshot) and assistant(reply), then user(newest screenshot).

    Remarks of the harness stand before the screenshot of the step that follows them. Appended, nothing written earlier
    ever changes; in the owners' layout only the last `images` screenshots are sent, while all replies stay. System text
    and prompt are protected from eviction; the prompt may hold control tokens, as the official ones do around places.
    """
    messages = [
        Message("system", (Text(SYSTEM, protected=True),)),
        Message("user", (Text(prompt, protected=True, control=True),)),
    ]
    first = first_held(history, observation, images) if layout == "owners" else 0
    for index, turn in enumerate(history.turns):
        seen = turn.observation if index >= first else Observation(None, turn.observation.notes)
        parts = user_parts(seen)
        if parts or index >= first:
            messages.append(Message("user", parts))
        messages.append(Message("assistant", (turn.reply,)))
    messages.append(Message("user", user_parts(observation)))
    return tuple(messages)
