"""Short remarks to the model on what became of its actions."""

from __future__ import annotations

from agent.text import plain
from envs.actions import Action
from envs.base import Blocked, EnvError, Event, UnsupportedAction

MAX_NOTE = 300
"""Characters of a reason that is passed on; pages can write some of them."""


def refusal_note(action: Action, reason: str) -> str:
    return f"Your action {action.type} was not done: {_short(reason)}."


def failure_note(action: Action, error: EnvError, capabilities: frozenset[str]) -> str:
    """Why the environment did not do it, and what it can do instead where that helps."""
    if isinstance(error, UnsupportedAction):
        return f"The action {action.type} cannot be done here. There are: {', '.join(sorted(capabilities))}."
    if isinstance(error, Blocked):
        return f"The action {action.type} is not allowed here: {_short(error.message)}."
    return f"The action {action.type} failed: {_short(error.message)}."


def event_note(event: Event) -> str:
    """Remark on something that happened beside the action; empty when the picture shows it anyway."""
    detail = {name: plain(str(value), 120) for name, value in event.detail.items()}
    match event.kind:
        case "blocked":
            return f"Opening {detail.get('url', 'a page')} was blocked: it is not allowed."
        case "dialog":
            answered = {"accept": "accepted", "dismiss": "dismissed"}.get(detail.get("answer", ""), "answered")
            return f'A dialog said "{detail.get("message", "")}" and was {answered}.'
        case "download":
            return f"The file {detail.get('name', '')} was downloaded."
        case "download_failed":
            return f"The download of {detail.get('name', 'a file')} failed."
        case "file_chooser":
            return "The page asked for a file; none was given."
        case "tab_crashed":
            return "The tab crashed."
    return ""


def _short(text: str) -> str:
    return plain(text, MAX_NOTE).rstrip(".")
