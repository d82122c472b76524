"""The chat layout and the action dialect that nano is trained on and fed with."""

from __future__ import annotations

import random

from eval.nano.training.config import SIDE, TOKENS

SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
FRAME = "<|im_start|>user\n<|vision_start|>{image}<|vision_end|><|im_end|>\n<|im_start|>assistant\n"
TURN_END = "<|im_end|>\n"
IMAGE = "<|image_pad|>" * TOKENS

TEMPLATES: tuple[str, ...] = (
    'Click "{word}".',
    "Press {word}",
    "Click {word}.",
    'Press the "{word}" {kind}.',
    "Click the {word} {kind}.",
    "Open the {word} {kind}.",
    'Select "{word}".',
    "Tap {word}",
    'Please click the "{word}" {kind}.',
    "Choose {word}.",
)


def instruction(word: str, kind: str, rng: random.Random, usual: float = 0.7) -> str:
    """A sentence that asks for a click; with probability `usual` the playground's own form."""
    template = 'Click the "{word}" {kind}.' if rng.random() < usual else rng.choice(TEMPLATES)
    return template.format(word=word, kind=kind)


def opening(prompt: str) -> str:
    """The text before the first frame; `prompt` already holds the instruction."""
    return f"{SYSTEM}<|im_start|>user\n{prompt}{TURN_END}"


def click_reply(word: str, x: int, y: int) -> str:
    """Thought and action that click a pixel."""
    return f"Thought: {word}\nAction: click(start_box='({x},{y})')"


def finished_reply() -> str:
    """Thought and action on the page that says Done."""
    return "Thought: Done\nAction: finished(content='done')"


def type_reply(field: str, text: str) -> str:
    """Thought and action that type a word into the field that was clicked before."""
    return f"Thought: {field} {text}\nAction: type(content='{text}')"


def scroll_reply() -> str:
    """Thought and action that look further down the page."""
    middle = SIDE // 2
    return f"Thought: down\nAction: scroll(start_box='({middle},{middle})', direction='down')"


DISMISSING: tuple[str, ...] = ("Decline", "Cancel", "Close", "Back")
"""What the button that dismisses a dialog may say."""
