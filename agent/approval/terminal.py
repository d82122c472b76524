"""Approval by a person at the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from json import JSONDecodeError

from pydantic import ValidationError

from agent.approval.base import ActionContext, Decision
from agent.text import describe, plain
from envs.actions import Action, dump_action, load_action

NOBODY = "needs approval, and nobody is there to ask"
_HELP = "[y]es, [n]o, [m]odify, [a]lways this kind, [s]top"


@dataclass
class TerminalApprover:
    """Asks y/n/modify/always/stop. Without a terminal it answers `ask`: nobody is there.

    `always` remembers action type and reason for the rest of the run.
    """

    read: Callable[[str], str] = input
    write: Callable[[str], None] = print
    interactive: bool | None = None
    """None: find out from standard input."""
    _always: set[tuple[str, str]] = field(default_factory=set)

    def review(self, action: Action, context: ActionContext) -> Decision:
        return self.ask(action, context, "every action is asked about")

    def ask(self, action: Action, context: ActionContext, why: str) -> Decision:
        """Put the question. End of input means stop."""
        interactive = sys.stdin.isatty() if self.interactive is None else self.interactive
        if not interactive:
            return Decision("ask", f"{why}: {NOBODY}" if why else NOBODY)
        if (action.type, why) in self._always:
            return Decision("approve", "always")
        target = f" on {plain(context.target)!r}" if context.target else ""
        self.write(f"? {plain(why)}: {describe(action)}{target}  {_HELP}")
        while True:
            try:
                decision = self._decide(self.read("> ").strip().casefold(), action, why)
            except EOFError:
                return Decision("stop", "end of input")
            if decision is not None:
                return decision
            self.write(_HELP)

    def _decide(self, answer: str, action: Action, why: str) -> Decision | None:
        if answer in ("y", "yes"):
            return Decision("approve", "by the user")
        if answer in ("n", "no"):
            return Decision("reject", self.read("reason for the model (may be empty): ").strip() or "the user said no")
        if answer in ("a", "always"):
            self._always.add((action.type, why))
            return Decision("approve", "by the user, always")
        if answer in ("s", "stop"):
            return Decision("stop", "by the user")
        if answer in ("m", "modify"):
            return self._modify(action)
        return None

    def _modify(self, action: Action) -> Decision | None:
        self.write(f"now: {json.dumps(dump_action(action), ensure_ascii=False)}")
        try:
            changed = load_action(json.loads(self.read("new action as JSON: ")))
        except (JSONDecodeError, ValidationError) as error:
            self.write(f"not an action: {error}")
            return None
        return Decision("modify", "by the user", changed)
