"""Qwen2.5-VL and Qwen3-VL as `Dialect`s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from agent.dialects.base import ImageSize, Parsed
from agent.dialects.coordinates import Coordinates, Space
from agent.dialects.layouts import Layout, check_layout
from agent.dialects.qwen.layout import Style, opening_turn, previous_steps, screen_size, style_of
from agent.dialects.qwen.layout import render as lay_out
from agent.dialects.qwen.parser import last_place, parse, read_envelope
from agent.dialects.qwen.prompt import Template, fill, make_template
from agent.dialects.qwen.serialize import write_answer
from agent.dialects.qwen.tools import Generation, Kind, Verb, tool_json, tool_name, verbs
from agent.errors import DialectError
from agent.history import History, Observation
from envs.actions import Action
from envs.geometry import Resize
from guikv.content import Message

KINDS: tuple[Kind, ...] = get_args(Kind)
SPACES: dict[Generation, Space] = {"qwen25": "absolute", "qwen3": "relative"}
SCALES: dict[Generation, float] = {"qwen25": 1000.0, "qwen3": 999.0}
"""Upper end of relative coordinates. GUI-Owl 1.5 and others on Qwen3-VL divide by 1000."""


@dataclass
class Pointer:
    """Where the model pointed last in the history that was rendered last, in its own numbers."""

    place: str | None = None


@dataclass(frozen=True)
class Qwen:
    """A generation's dialect. The pointer is remembered because 2.5 moves in one step and clicks in the next.

    capabilities: action types of the environment, which shape the functions on offer; None: the published ones
    image_size: for absolute coordinates, what the prompt calls the screen's resolution; None: it says nothing of it
    images: screenshots that the owners' layout holds
    """

    generation: Generation
    template: Template
    kind: Kind = "computer"
    language: str = "English"
    space: Space = "absolute"
    scale: float = 1000.0
    layout: Layout = "append"
    images: int = 1
    capabilities: frozenset[str] | None = None
    image_size: ImageSize | None = None
    pointer: Pointer = field(default_factory=Pointer, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_layout(self.layout, self.images)

    @property
    def name(self) -> str:
        return self.generation

    @classmethod
    def make(
        cls,
        generation: Generation,
        kind: str = "computer",
        *,
        prompt_file: Path | None = None,
        own_template: str | None = None,
        language: str = "English",
        space: Space | None = None,
        scale: float | None = None,
        layout: Layout = "append",
        images: int | None = None,
        capabilities: frozenset[str] | None = None,
        image_size: ImageSize | None = None,
    ) -> Qwen:
        """Dialect with the user's prompt file, else the checkpoint's own template, else the family's prompt.

        Without a space, scale or number of images they are the generation's own. Raises DialectError.
        """
        chosen = next((known for known in KINDS if known == kind), None)
        if chosen is None:
            raise DialectError(f"no {generation} prompt is called {kind!r}", f"there are {', '.join(KINDS)}")
        return cls(
            generation=generation,
            template=make_template(generation, chosen, prompt_file, own_template),
            kind=chosen,
            language=language,
            space=space or SPACES[generation],
            scale=SCALES[generation] if scale is None else scale,
            layout=layout,
            images=style_of(generation, chosen).images if images is None else images,
            capabilities=capabilities,
            image_size=image_size,
        )

    def render(self, task: str, history: History, observation: Observation) -> tuple[Message, ...]:
        """See `agent.dialects.qwen.layout`."""
        style = self._style
        self.pointer.place = pointed_at(history)
        first = opening_turn(history, observation, self.layout, self.images)
        previous = previous_steps(history, first, style.past)
        request = fill(self.template.request, instruction=task, previous=previous, language=self.language)
        system = self._system(history, observation)
        return lay_out(system, request, first, style, history, observation)

    def parse(self, text: str, resize: Resize, capabilities: frozenset[str] | None = None) -> Parsed:
        return parse(
            text,
            Coordinates(resize, self.space, self.scale),
            capabilities,
            pointer=self.pointer.place,
            bare_point=self.kind == "grounding",
        )

    def write(self, thought: str, actions: Sequence[Action], resize: Resize) -> str:
        offered = frozenset({**verbs(self.generation, self.kind), **self._offered})
        coordinates = Coordinates(resize, self.space, self.scale)
        return write_answer(thought, actions, coordinates, tool_name(self.kind), offered, self.generation)

    @property
    def _style(self) -> Style:
        return style_of(self.generation, self.kind)

    @property
    def _offered(self) -> dict[str, Verb]:
        return verbs(self.generation, self.kind, self.capabilities)

    def _system(self, history: History, observation: Observation) -> str:
        tools = tool_json(tool_name(self.kind), self._offered, self._screen(history, observation))
        return fill(self.template.system, tools=tools, language=self.language)

    def _screen(self, history: History, observation: Observation) -> str:
        """The sentence on the screen's size."""
        if self.space == "relative":
            return f"The screen's resolution is {self.scale:g}x{self.scale:g}."
        size = screen_size(history, observation, self.layout)
        if size is None or self.image_size is None:
            return "Coordinates are pixels of the screenshot as you see it."
        width, height = self.image_size((size.width, size.height))
        return f"The screen's resolution is {width}x{height}."


def pointed_at(history: History) -> str | None:
    """The last place that an answer of the history names, in the model's own numbers."""
    for turn in reversed(history.turns):
        envelope = read_envelope(turn.reply.text)
        found = last_place(envelope.calls) if envelope is not None else None
        if found is not None:
            return found
    return None
