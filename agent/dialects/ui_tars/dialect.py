"""UI-TARS as a `Dialect`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.dialects.base import Parsed
from agent.dialects.coordinates import Coordinates, Space
from agent.dialects.layouts import Layout, check_layout, neutral
from agent.dialects.prompts import check_template, fill, official_template, template_from_file
from agent.dialects.ui_tars import parser
from agent.dialects.ui_tars.layout import IMAGES
from agent.dialects.ui_tars.layout import render as lay_out
from agent.dialects.ui_tars.serialize import write_answer
from agent.history import History, Observation
from envs.actions import Action
from envs.geometry import Resize
from guikv.content import Message


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
