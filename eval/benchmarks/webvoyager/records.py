"""A message of the recorder or its model, and in a reply `Thought: …` and `Action: …` in WebVoyager's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from eval.benchmarks.reading import Record
from eval.benchmarks.webvoyager.gold import Verb, WebGold

_REJECTED = ("Format ERROR", "The action you have chosen cannot be exec")
"""How the recorder's messages begin that refuse a reply. No new screenshot is taken then."""
_LABEL = r"\s{0,3}\[?\s{0,3}(?P<label>\d{1,6})\b\s{0,3}\]?"
_WINDOW = r"\s{0,3}\[?WINDOW\]?"
_APART = r"[;,:\s]{1,9}"
_TEXT = r"(?P<text>.+)"
_GRAMMAR: dict[Verb, re.Pattern[str]] = {
    "click": re.compile(rf"Click{_LABEL}"),
    "type": re.compile(rf"Type{_LABEL}{_APART}{_TEXT}", re.DOTALL),
    "scroll": re.compile(rf"Scroll(?:{_WINDOW}|{_LABEL}){_APART}\[?(?P<direction>up|down)\b"),
    "wait": re.compile(r"Wait\b"),
    "goback": re.compile(r"GoBack\b"),
    "google": re.compile(r"Google\b"),
    "answer": re.compile(rf"ANSWER{_APART}{_TEXT}", re.DOTALL),
}
"""As the prompt of MinorJerry/WebVoyager asks for; brackets may be left out, as its own reader allows."""
_IN_SENTENCES: tuple[Verb, ...] = ("click", "type", "scroll", "answer")


class PartRecord(Record):
    """A piece of a message; images were taken out of them by the recorder."""

    type: str
    text: str = ""


class MessageRecord(Record):
    """A message of the recorder to GPT-4V, or its reply."""

    role: Literal["system", "user", "assistant"]
    content: str | tuple[PartRecord, ...]

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)

    @property
    def refuses(self) -> bool:
        return self.role == "user" and self.text.startswith(_REJECTED)


def read_reply(text: str) -> tuple[str, WebGold] | None:
    """Thought and action of a reply; None where there is no action in it."""
    before, label, after = text.partition("Action:")
    if not label:
        return None
    thought = before.partition("Thought:")[2] or before
    action = after.partition("Observation:")[0].strip()
    for verb, match in _matches(action):
        if match is not None:
            return thought.strip(), _gold(verb, match.groupdict())
    return None


def _matches(action: str) -> Iterator[tuple[Verb, re.Match[str] | None]]:
    """The action at the beginning; failing that, one within a sentence."""
    for verb, pattern in _GRAMMAR.items():
        yield verb, pattern.match(action)
    for verb in _IN_SENTENCES:
        yield verb, _GRAMMAR[verb].search(action)


def _gold(verb: Verb, groups: dict[str, str | None]) -> WebGold:
    label, direction, text = groups.get("label"), groups.get("direction"), (groups.get("text") or "").strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    return WebGold(
        action=verb,
        label=None if label is None else int(label),
        direction="up" if direction == "up" else "down" if direction else None,
        text=text,
    )
