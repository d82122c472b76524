"""The contract of approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from envs.actions import Action

Kind = Literal["approve", "modify", "reject", "ask", "stop"]


@dataclass(frozen=True)
class ActionContext:
    """What is known when an action is judged.

    `facts` are the environment's (`url`, `host`, `package`, `title`), `target` the visible text of what
    would be touched, `hosts` those the episode has been on.
    """

    task: str = ""
    step: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Decision:
    """`action` is what to do instead (modify only); `reason` is told to the model on a rejection."""

    kind: Kind
    reason: str = ""
    action: Action | None = None


class Approver(Protocol):
    def review(self, action: Action, context: ActionContext) -> Decision:
        """Judge one action before it is done. `ask` passes the question on to somebody else."""
        ...


@dataclass(frozen=True)
class Allow:
    """Approves everything (`--approve never`)."""

    def review(self, action: Action, context: ActionContext) -> Decision:
        return Decision("approve")


@dataclass(frozen=True)
class Escalate:
    """Asks `first`; when it answers `ask`, puts the question to `second` with the first one's reason."""

    first: Approver
    second: Asker

    def review(self, action: Action, context: ActionContext) -> Decision:
        decision = self.first.review(action, context)
        return self.second.ask(action, context, decision.reason) if decision.kind == "ask" else decision


class Asker(Protocol):
    def ask(self, action: Action, context: ActionContext, why: str) -> Decision:
        """Put the question to a person. Answers `ask` when nobody is there."""
        ...
