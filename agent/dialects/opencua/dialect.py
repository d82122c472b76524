"""OpenCUA as a `Dialect`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.dialects.base import Parsed
from agent.dialects.coordinates import Coordinates, Space
from agent.dialects.layouts import Layout, check_layout
from agent.dialects.opencua import layout as layouts
from agent.dialects.opencua import parser
from agent.dialects.opencua.layout import IMAGES, TEXTS, Kept, Memory, Old
from agent.dialects.opencua.prompt import Generation, Level, Prompt, built_in, from_file, from_text
from agent.dialects.opencua.serialize import write_answer
from agent.dialects.prompts import fill
from agent.dialects.reading import reading
from agent.history import History, Observation
from envs.actions import Action
from envs.geometry import Resize
from guikv.content import Message


@dataclass(frozen=True)
class OpenCUA:
    """`kept`: what the owners' layout holds of the past.

    `space`: absolute for OpenCUA 7B, 32B and 72B, relative (0 to 1) for OpenCUA-Qwen2-7B and A3B. `grounding` takes
    a bare point for a click.
    """

    prompt: Prompt
    language: str = "English"
    space: Space = "absolute"
    level: Level = "L2"
    layout: Layout = "append"
    kept: Kept = field(default_factory=Kept)
    grounding: bool = False

    @property
    def name(self) -> str:
        return "opencua"

    @classmethod
    def make(
        cls,
        kind: str = "computer",
        *,
        prompt_file: Path | None = None,
        own_template: str | None = None,
        language: str = "English",
        space: Space | None = None,
        level: Level = "L2",
        layout: Layout = "append",
        images: int | None = None,
        memory: Memory = "action",
        old: Old = "joined",
        texts: int = TEXTS,
        generation: Generation = "v1",
    ) -> OpenCUA:
        """Dialect with the user's prompt file, else the checkpoint's own template, else a built-in prompt.

        `kind`: computer, browser, mobile or grounding; `generation`: v1 for 7B and 32B, v2 for 72B. What
        AgentNetBench's own agent sends is the layout `owners` with `old` turns and `memory` thought.
        Raises DialectError.
        """
        held = IMAGES if images is None else images
        check_layout(layout, held)
        prompt = built_in(kind, level, generation)
        if prompt_file is not None:
            prompt = from_file(prompt_file, prompt)
        elif own_template is not None:
            prompt = from_text(own_template, prompt, "the checkpoint")
        kept = Kept(held, memory, old, texts)
        return cls(prompt, language, space or "absolute", level, layout, kept, grounding=kind == "grounding")

    def render(self, task: str, history: History, observation: Observation) -> tuple[Message, ...]:
        system = fill(self.prompt.system, task, self.language)
        instruction = fill(self.prompt.instruction, task, self.language)
        if self.language != "English" and "{language}" not in self.prompt.system + self.prompt.instruction:
            system += f"\n\nWrite everything but the code in {self.language}."
        if self.layout == "append":
            return layouts.append(system, instruction, history, observation)
        return layouts.owners(system, instruction, history, observation, self.kept)

    def coordinates(self, resize: Resize) -> Coordinates:
        """Pixels of the resized image, or shares of it with four decimals, as in the family's own data."""
        if self.space == "relative":
            return Coordinates(resize, "relative", scale=1.0, decimals=4)
        return Coordinates(resize, "absolute", shares=True)

    def parse(self, text: str, resize: Resize, capabilities: frozenset[str] | None = None) -> Parsed:
        with reading(text):
            return parser.parse(text, self.coordinates(resize), capabilities, bare_point=self.grounding)

    def write(self, thought: str, actions: Sequence[Action], resize: Resize) -> str:
        return write_answer(thought, actions, self.coordinates(resize), self.level)
