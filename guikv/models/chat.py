"""A family's chat layout: the control text around turns and pictures, and messages → the rows of a prompt."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from jinja2 import TemplateError

TEMPLATE_FAILURES = (
    TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What a chat template can end in: it is a program of its own, run by transformers in jinja's sandbox."""
MAX_TEMPLATE, MAX_TEMPLATE_LINES, MAX_OPENING = 1 << 18, 1 << 18, 256
"""Characters of a template, lines that it may run through, and characters that it may put before a reply."""


@dataclass(frozen=True)
class Chat:
    """The control text around turns and pictures: a family's chat template, taken apart.

    `turn` holds {role}; the turn's text follows it, then `end`. A picture is `before`, `image` once per image token,
    `after`. Generation stops at any of `stops`.
    """

    turn: str = "<|im_start|>{role}\n"
    end: str = "<|im_end|>\n"
    before: str = "<|vision_start|>"
    image: str = "<|image_pad|>"
    after: str = "<|vision_end|>"
    stops: tuple[str, ...] = ("<|im_end|>", "<|endoftext|>")

    def header(self, role: str) -> str:
        """What opens a turn of `role`."""
        return self.turn.format(role=role)

    def special(self) -> tuple[str, ...]:
        """The control tokens that a tokenizer must have as one token each, the image's first."""
        headers = (self.header(role) for role in ("system", "user", "assistant"))
        text = self.image + self.before + self.after + "".join(headers) + self.end
        return tuple(dict.fromkeys(re.findall(r"<\|[^<>|]+\|>", text)))


def render(tokenizer: Any, turns: list[dict[str, Any]], generate: bool = False, **options: Any) -> str:
    """The conversation as the tokenizer's chat template writes it, `generate` opening the assistant's next turn.

    Raises one of TEMPLATE_FAILURES; also for a template that is too long, or loops for too long.
    """
    if len(str(tokenizer.chat_template)) > MAX_TEMPLATE:
        raise ValueError("it is too long")
    with _bounded(MAX_TEMPLATE_LINES):
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=generate, **options))


@contextmanager
def _bounded(lines: int) -> Iterator[None]:
    """Within the block, code that was compiled from a template runs through so many lines at most.

    Jinja's sandbox bounds what a template can reach, not how long it takes. Raises RuntimeError.
    """
    left = lines

    def count(frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        nonlocal left
        if not frame.f_code.co_filename.startswith("<template"):
            return None
        left -= event == "line"
        if left < 0:
            raise RuntimeError("it does not come to an end")
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(before)


def reply_opening(tokenizer: Any, chat: Chat, thinking: bool | None = None) -> str:
    """What the checkpoint's own template writes between the assistant's header and the reply, "" where it says nothing.

    Templates of thinking models open the thoughts there (`<think>`), or close them empty where `thinking` is False.
    A template that cannot be rendered, or has other headers than `chat`, says nothing.
    """
    if not getattr(tokenizer, "chat_template", None):
        return ""
    options = {} if thinking is None else {"enable_thinking": thinking}
    turns = [{"role": "user", "content": "(here)"}]
    header = chat.header("assistant")
    try:
        closed, opened = (render(tokenizer, turns, generate, **options) for generate in (False, True))
    except TEMPLATE_FAILURES:
        return ""
    added = opened[len(closed) :]
    opening = added[len(header) :]
    fits = opened.startswith(closed) and added.startswith(header) and len(opening) <= MAX_OPENING
    return opening if fits else ""
