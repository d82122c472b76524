"""What a model family is to the loop: its prompt, history layout, parser and coordinates, and how one is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

from agent.dialects.coordinates import Space
from agent.dialects.layouts import Layout
from agent.history import History, Observation
from envs.actions import Action
from envs.geometry import Resize
from guikv.content import Message

ImageSize = Callable[[tuple[int, int]], tuple[int, int]]
"""(width, height) of a screenshot → of the image that the model sees."""


@dataclass(frozen=True)
class Parsed:
    """An answer, understood: the actions are in screenshot pixels, `call` is the text they were read from."""

    thought: str
    actions: tuple[Action, ...]
    call: str


class Dialect(Protocol):
    @property
    def name(self) -> str: ...

    def render(self, task: str, history: History, observation: Observation) -> tuple[Message, ...]:
        """The whole conversation so far, ending with the observation.

        Append-only from step to step unless the owners' layout was asked for.
        """
        ...

    def parse(self, text: str, resize: Resize, capabilities: frozenset[str] | None = None) -> Parsed:
        """The answer's actions. `resize` is the one that was applied to the newest screenshot.

        `capabilities` (action types the environment can do) picks between actions that mean the same.
        Raises ParseError, and nothing else, on any text.
        """
        ...

    def write(self, thought: str, actions: Sequence[Action], resize: Resize) -> str:
        """An answer that `parse` reads back as these actions, places rounded to whole model pixels.

        For oracles and examples in a history. Raises DialectError for an action that the family cannot express.
        """
        ...


@dataclass(frozen=True)
class Eyes:
    """What the family's published checkpoints say of images: patch and merge size, least and most pixels."""

    patch_size: int
    merge_size: int
    least: int
    most: int

    @property
    def size(self) -> dict[str, int]:
        """As an image processor spells it."""
        return {"shortest_edge": self.least, "longest_edge": self.most}


@dataclass(frozen=True)
class Options:
    """What every dialect may be made with; a family's `make` takes those of these names that it has a use for.

    kind: computer, browser, mobile or grounding; own_template: the checkpoint's own prompt
    space, images: None for the family's own; capabilities: action types of the environment, None when unknown
    """

    kind: str = "computer"
    prompt_file: Path | None = None
    own_template: str | None = None
    language: str = "English"
    space: Space | None = None
    layout: Layout = "append"
    images: int | None = None
    capabilities: frozenset[str] | None = None
    image_size: ImageSize | None = None


COMMON = frozenset(field.name for field in fields(Options))


@dataclass(frozen=True)
class Family:
    """A dialect in the registry: `make(kind, **options)` makes it; options beyond `Options` are the family's own."""

    make: Callable[..., Dialect]
    eyes: Eyes

    def __call__(self, kind: str = "computer", **options: Any) -> Dialect:
        return self.make(kind, **options)

    @property
    def own(self) -> tuple[str, ...]:
        """Names of the family's own options."""
        return tuple(sorted(set(inspect.signature(self.make).parameters) - COMMON))

    def fitting(self, options: Options) -> dict[str, Any]:
        """The common options that the family takes, but for the kind."""
        taken = set(inspect.signature(self.make).parameters) & COMMON - {"kind"}
        return {name: getattr(options, name) for name in taken}
