"""Messages → the rows of a prompt, in a family's chat layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from guikv.content import Frame, Message, Reply, Text
from guikv.prompt import NO_FRAME, Pixels, Prompt

if TYPE_CHECKING:
    from guikv.models.base import Adapter


def encode(adapter: Adapter, messages: tuple[Message, ...], generate: bool) -> Prompt:
    """`Adapter.encode`."""
    rows = _Rows(adapter)
    for message in messages:
        numbers = [p.number for p in message.parts if isinstance(p, Frame)]
        # A turn that is nothing but one screenshot goes away together with it.
        turn = numbers[0] if len(message.parts) == 1 and numbers else NO_FRAME
        guard = all(isinstance(p, Text) and p.protected for p in message.parts)
        rows.text(adapter.chat.turn.format(role=message.role), turn, guard)
        for part in message.parts:
            if isinstance(part, Text):
                rows.text(part.text, turn, part.protected, special=part.control)
            elif isinstance(part, Reply):
                rows.ids(list(part.ids), turn, False)
            else:
                rows.frame(part)
        rows.text(adapter.chat.end, turn, guard)
    if generate:
        rows.text(adapter.chat.turn.format(role="assistant"), NO_FRAME, False)
    return rows.prompt()


@dataclass
class _Rows:
    """Collects the rows of a prompt, part by part."""

    adapter: Adapter
    token_ids: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    protected: list[bool] = field(default_factory=list)
    positions: list[Tensor] = field(default_factory=list)
    images: dict[int, Pixels] = field(default_factory=dict)
    next: int = 0

    def text(self, text: str, turn: int, protected: bool, special: bool = True) -> None:
        """`special=False` keeps text from outside (page titles, tasks) from smuggling in control tokens."""
        tokenizer = self.adapter.tokenizer
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
            self._place(self.adapter.positions_of_text(self.next, len(ids)))

    def frame(self, part: Frame) -> None:
        pixels = self.adapter.describe(part)
        chat = self.adapter.chat
        image_token = self.adapter.tokenizer.convert_tokens_to_ids(chat.image)
        self.text(chat.before, part.number, False)
        self.ids([image_token] * pixels.tokens, part.number, False, frame=part.number)
        self._place(self.adapter.positions_of_image(self.next, pixels))
        self.text(chat.after, part.number, False)
        self.images[part.number] = pixels

    def _place(self, positions: Tensor) -> None:
        if positions.shape[1]:
            self.positions.append(positions)
            self.next = int(positions.max()) + 1

    def prompt(self) -> Prompt:
        return Prompt(
            ids=torch.tensor(self.token_ids),
            positions=torch.cat(self.positions, dim=1),
            frames=torch.tensor(self.frames),
            turns=torch.tensor(self.turns),
            protected=torch.tensor(self.protected),
            images=self.images,
        )
