"""A family's chat layout: the control text around turns and pictures, and messages → the rows of a prompt."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Protocol

import torch
from jinja2 import TemplateError
from torch import Tensor

from guikv.content import Frame, Message, Reply, Text
from guikv.prompt import NO_FRAME, Pixels, Prompt

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


class Encoder(Protocol):
    """What laying out a conversation needs of an adapter."""

    tokenizer: Any
    chat: Chat

    @property
    def opening_ids(self) -> tuple[int, ...]: ...
    def describe(self, frame: Frame) -> Pixels: ...
    def positions_of_image(self, start: int, pixels: Pixels) -> Tensor: ...
    def positions_of_text(self, start: int, count: int) -> Tensor: ...


def encode(encoder: Encoder, messages: tuple[Message, ...], generate: bool) -> Prompt:
    """Messages → tokens in the family's chat layout; `generate` opens the assistant's next turn.

    Raises ImageError for impossible screenshots.
    """
    rows = _Rows(encoder)
    chat = encoder.chat
    for message in messages:
        numbers = [p.number for p in message.parts if isinstance(p, Frame)]
        # A turn that is nothing but one screenshot goes away together with it.
        turn = numbers[0] if len(message.parts) == 1 and numbers else NO_FRAME
        guard = all(isinstance(p, Text) and p.protected for p in message.parts)
        rows.text(chat.header(message.role), turn, guard)
        for part in message.parts:
            if isinstance(part, Text):
                rows.text(part.text, turn, part.protected, special=part.control)
            elif isinstance(part, Reply):
                rows.ids(list(part.ids), turn, False)
            else:
                rows.frame(part)
        rows.text(chat.end, turn, guard)
    if generate:
        rows.text(chat.header("assistant"), NO_FRAME, False)
        rows.ids(list(encoder.opening_ids), NO_FRAME, False)
    return rows.prompt()


@dataclass
class _Rows:
    """Collects the rows of a prompt, part by part."""

    encoder: Encoder
    token_ids: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    protected: list[bool] = field(default_factory=list)
    positions: list[Tensor] = field(default_factory=list)
    images: dict[int, Pixels] = field(default_factory=dict)
    next: int = 0

    def text(self, text: str, turn: int, protected: bool, special: bool = True) -> None:
        """`special=False` keeps text from outside (page titles, tasks) from smuggling in control tokens."""
        tokenizer = self.encoder.tokenizer
        self.ids(
            tokenizer.encode(text, add_special_tokens=False, split_special_tokens=not special),
            turn,
            protected,
        )

    def ids(self, ids: list[int], turn: int, protected: bool, frame: int = NO_FRAME) -> None:
        self.token_ids += ids
        self.frames += [frame] * len(ids)
        self.turns += [turn] * len(ids)
        self.protected += [protected] * len(ids)
        if frame == NO_FRAME:
            self._place(self.encoder.positions_of_text(self.next, len(ids)))

    def frame(self, part: Frame) -> None:
        """A screenshot between its markers. Raises ImageError."""
        pixels = self.encoder.describe(part)
        chat = self.encoder.chat
        image_token = self.encoder.tokenizer.convert_tokens_to_ids(chat.image)
        self.text(chat.before, part.number, False)
        self.ids([image_token] * pixels.tokens, part.number, False, frame=part.number)
        self._place(self.encoder.positions_of_image(self.next, pixels))
        self.text(chat.after, part.number, False)
        self.images[part.number] = pixels

    def _place(self, positions: Tensor) -> None:
        if positions.shape[1]:
            self.positions.append(positions)
            self.next = int(positions.max()) + 1

    def prompt(self) -> Prompt:
        """All rows so far."""
        return Prompt(
            ids=torch.tensor(self.token_ids),
            positions=torch.cat(self.positions, dim=1),
            frames=torch.tensor(self.frames),
            turns=torch.tensor(self.turns),
            protected=torch.tensor(self.protected),
            images=self.images,
        )
