"""The instruction text that opens an episode.

The official prompts are taken from the installed `ui-tars` package, so that the model reads what it was
trained on to the letter.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from agent.errors import DialectError

OFFICIAL: dict[str, str] = {
    "computer": "COMPUTER_USE_DOUBAO",
    "mobile": "MOBILE_USE_DOUBAO",
    "grounding": "GROUNDING_DOUBAO",
}
"""Prompt name → its constant in `ui_tars.prompt`."""


def official_template(name: str) -> str:
    """Template of an official prompt. Raises DialectError when unknown or when `ui-tars` is not installed."""
    if name not in OFFICIAL:
        raise DialectError(f"no UI-TARS prompt is called {name!r}", f"there are {', '.join(OFFICIAL)}")
    try:
        module = importlib.import_module("ui_tars.prompt")
    except ImportError as error:
        raise DialectError("the official UI-TARS prompts are not installed", "pip install ui-tars") from error
    return str(getattr(module, OFFICIAL[name]))


def template_from_file(path: Path) -> str:
    """A user's own template. Raises DialectError when unreadable or without a place for the instruction."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DialectError(f"the prompt file {path} cannot be read: {error}") from error
    return check_template(text, str(path))


def check_template(text: str, origin: str) -> str:
    """The template, without the newline that ends its file.

    Raises DialectError when it has no place for the instruction.
    """
    if "{instruction}" not in text:
        raise DialectError(f"the prompt of {origin} has no {{instruction}} in it")
    return text.removesuffix("\n")


def fill(template: str, instruction: str, language: str) -> str:
    """Template with both places filled. What is put in is never looked at again, whatever braces it holds."""
    return language.join(piece.replace("{instruction}", instruction) for piece in template.split("{language}"))
