"""What a person sees while an episode runs: one line a step, with its costs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.records import Result, StepRecord
from agent.text import describe, number, plain, share, size

PHASES: tuple[tuple[str, str], ...] = (
    ("screenshot", "screen"),
    ("vision", "vision"),
    ("prefill", "prefill"),
    ("compression", "compress"),
    ("decoding", "decode"),
    ("execute", "execute"),
    ("settle", "settle"),
)
"""Phase → its short name on the line."""


class Console(Protocol):
    def step(self, record: StepRecord) -> None: ...

    def say(self, text: str) -> None:
        """Show what the model tells the user."""
        ...

    def ask(self, question: str) -> str | None:
        """The user's answer to the model's question, or None when nobody is there."""
        ...

    def end(self, result: Result) -> None: ...


@dataclass
class Terminal:
    """Plain lines on standard output. `interactive` None: find out from standard input."""

    write: Callable[[str], None] = print
    read: Callable[[str], str] = input
    interactive: bool | None = None

    def step(self, record: StepRecord) -> None:
        self.write(step_line(record))

    def say(self, text: str) -> None:
        self.write(f"model: {plain(text, 2000)}")

    def ask(self, question: str) -> str | None:
        """The person's answer to the model's question; None where nobody sits at the terminal."""
        interactive = sys.stdin.isatty() if self.interactive is None else self.interactive
        if not interactive:
            return None
        self.write(f"model asks: {plain(question, 2000) or 'please take over, then say so'}")
        try:
            return self.read("> ").strip()
        except EOFError:
            return None

    def end(self, result: Result) -> None:
        self.write(f"{result.status}: {plain(result.reason, 500)}")


@dataclass
class Silent:
    """Shows nothing; nobody is there."""

    def step(self, record: StepRecord) -> None:
        return

    def say(self, text: str) -> None:
        return

    def ask(self, question: str) -> str | None:
        return None

    def end(self, result: Result) -> None:
        return


def step_line(record: StepRecord) -> str:
    """`step 3  click (140,56)  new 131 reuse 1 204  kv 1.2/5.4 MiB  0.84 s (vision .1 …)`."""
    parts = [f"step {record.step}", "; ".join(_doing(record)) or "nothing"]
    cost = record.cost
    if cost:
        tokens = f"new {number(cost.get('tokens_new', 0))} reuse {number(cost.get('tokens_reused', 0))}"
        again = cost.get("tokens_recomputed", 0)
        parts.append(tokens + (f" again {number(again)}" if again else ""))
        states = f" + {size(cost['state_bytes'])} of states" if cost.get("state_bytes") else ""
        parts.append(f"kv {share(cost.get('kv_bytes', 0), cost.get('full_kv_bytes', 0))}{states}")
    shown = " ".join(f"{short} {record.seconds[name]:.2f}" for name, short in PHASES if name in record.seconds)
    parts.append(f"{record.seconds.get('total', 0.0):.2f} s" + (f" ({shown})" if shown else ""))
    if record.error is not None:
        parts.append(f"! {record.error.stage}: {plain(record.error.message, 160)}")
    return "  ".join(parts)


def _doing(record: StepRecord) -> list[str]:
    out = []
    for done in record.done:
        text = describe(done.executed or done.wanted)
        if done.error is not None:
            text += f" (failed: {plain(done.error.message, 80)})"
        elif done.decision in ("reject", "ask", "stop"):
            text += f" ({'rejected' if done.decision != 'stop' else 'stopped'}: {plain(done.reason, 80)})"
        out.append(text)
    return out
