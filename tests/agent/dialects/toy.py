"""A dialect from outside of the package: one line, `DO click 10 20` or `DO type …`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.dialects.arguments import Arguments, Call
from agent.dialects.base import Eyes, Family, Parsed
from agent.dialects.coordinates import Coordinates
from agent.dialects.draft import Draft
from agent.dialects.reading import CallError, reading
from agent.dialects.verbs import apply, click, type_text
from agent.errors import DialectError
from agent.history import History, Observation
from envs.actions import Action, Click, Type
from envs.geometry import Resize
from guikv.content import Message, Text


@dataclass(frozen=True)
class Toy:
    polite: bool = False

    @property
    def name(self) -> str:
        return "toy"

    @classmethod
    def make(cls, kind: str = "computer", *, polite: bool = False) -> Toy:
        return cls(polite)

    def render(self, task: str, history: History, observation: Observation) -> tuple[Message, ...]:
        please = "Please " if self.polite else ""
        parts = (Text(f"{please}{task}"), *(() if observation.frame is None else (observation.frame,)))
        return (Message("user", parts),)

    def parse(self, text: str, resize: Resize, capabilities: frozenset[str] | None = None) -> Parsed:
        with reading(text):
            word, _, rest = text.strip().removeprefix("DO ").partition(" ")
            if not text.startswith("DO "):
                raise CallError("expected DO")
            draft = Draft()
            call = Call(word, positional=(rest,) if rest else ())
            apply(Arguments(call, Coordinates(resize), capabilities), draft, {"click": click(), "type": type_text()})
            return Parsed("", draft.finish(), text)
        raise AssertionError

    def write(self, thought: str, actions: Sequence[Action], resize: Resize) -> str:
        match actions:
            case [Click() as action]:
                x, y = Coordinates(resize).numbers((action.x, action.y))
                return f"DO click {x} {y}"
            case [Type(submit=False) as action]:
                return f"DO type {action.text}"
        raise DialectError("the toy has no call for that")


FAMILY = Family(Toy.make, Eyes(14, 2, 4 * 28 * 28, 16384 * 28 * 28))
BROKEN = "no family"
