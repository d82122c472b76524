"""Messages → the tokens of a prompt; of a conversation that goes on, only what is new is encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from guikv.content import Frame, Message, Reply, Text
from guikv.models.chat import Chat
from guikv.prompt import Pixels, Prompt
from guikv.rows import NO_FRAME, Piece, Rows

REMEMBERED = 8
"""Conversations whose pieces an encoder keeps: of so many sessions that take turns."""


SHAPES = 64
"""Shapes of screenshots whose positions are kept."""

Shape = tuple[tuple[int, int, int], int, int]
"""A screenshot's grid, and its rows and columns of image tokens."""


class Encoder(Protocol):
    """What laying out a conversation needs of an adapter."""

    tokenizer: Any
    processor: Any
    chat: Chat

    @property
    def opening_ids(self) -> tuple[int, ...]: ...
    def describe(self, frame: Frame) -> Pixels: ...
    def positions_of_image(self, start: int, pixels: Pixels) -> Tensor: ...
    def positions_of_text(self, start: int, count: int) -> Tensor: ...


@dataclass
class _Conversation:
    """What was said and shown, and the rows of its tokens.

    messages, images: without pictures; ends: of every message, how many pieces there are up to its end
    """

    messages: list[Message] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    images: list[dict[int, Pixels]] = field(default_factory=list)
    rows: Rows = field(default_factory=Rows)

    def shared(self, messages: Sequence[Message]) -> int:
        """How many messages it begins with that `messages` begin with too."""
        count = 0
        for mine, other in zip(self.messages, messages, strict=False):
            if mine is not other and mine != other:
                break
            count += 1
        return count

    def first(self, count: int) -> _Conversation:
        """Its first `count` messages."""
        rows = (
            self.rows if count == len(self.messages) else Rows(self.rows.pieces[: self.ends[count - 1] if count else 0])
        )
        return _Conversation(self.messages[:count], self.ends[:count], self.images[:count], rows)

    def add(self, encoder: Encoder, messages: Sequence[Message], shapes: dict[Shape, Tensor]) -> None:
        """Encode what follows. Raises ImageError for impossible screenshots."""
        new: list[Piece] = []
        start, before = self.rows.reach, len(self.rows.pieces)
        for message in messages:
            pieces, images = encode_message(encoder, message, start, shapes)
            new += pieces
            start = pieces[-1].reach if pieces else start
            self.messages.append(_without_pictures(message))
            self.ends.append(before + len(new))
            self.images.append(images)
        self.rows = Rows(new, before=self.rows)


class Encoding:
    """An encoder's way from messages to a prompt, with the pieces of the last conversations.

    A prompt is the same, token for token, as if everything had been encoded afresh.
    """

    def __init__(self) -> None:
        self._kept: list[_Conversation] = []
        self._made_for: tuple[Any, ...] = ()
        self._shapes: dict[Shape, Tensor] = {}

    def prompt(self, encoder: Encoder, messages: tuple[Message, ...], generate: bool) -> Prompt:
        """The prompt of the messages; `generate` opens the assistant's next turn.

        Raises ImageError for impossible screenshots.
        """
        size = encoder.processor.size
        limits = (size["shortest_edge"], size["longest_edge"])
        made_for = (encoder.tokenizer, encoder.chat, encoder.opening_ids, encoder.processor, limits)
        if made_for != self._made_for:
            self._kept, self._made_for, self._shapes = [], made_for, {}
        counts = [kept.shared(messages) for kept in self._kept]
        shared = max(counts, default=0)
        place = counts.index(shared) if shared else -1
        conversation = self._kept[place].first(shared) if shared else _Conversation()
        conversation.add(encoder, messages[shared:], self._shapes)
        if shared and shared == len(self._kept[place].messages):
            del self._kept[place]
        self._kept = [*self._kept, conversation][-REMEMBERED:]
        images: dict[int, Pixels] = {}
        for message, shown in zip(messages, conversation.images, strict=True):
            for number in shown:
                images[number] = shown[number]
                picture = next(p.picture for p in message.parts if isinstance(p, Frame) and p.number == number)
                if picture is not None:
                    images[number] = replace(shown[number], image=picture)
        opening = _opening(encoder, conversation.rows.reach, self._shapes) if generate else []
        return Prompt.of(Rows(opening, before=conversation.rows), images)


def _without_pictures(message: Message) -> Message:
    """An equal message that holds no pixels."""
    return Message(message.role, tuple(p.released() if isinstance(p, Frame) else p for p in message.parts))


def encode_message(
    encoder: Encoder, message: Message, start: int, shapes: dict[Shape, Tensor]
) -> tuple[list[Piece], dict[int, Pixels]]:
    """A message's tokens from position `start` on, and its screenshots without their pictures.

    shapes: positions of screenshots by their shape, filled on the way. Raises ImageError for impossible screenshots.
    """
    chat, parts = encoder.chat, message.parts
    numbers = [p.number for p in parts if isinstance(p, Frame)]
    # A turn that is nothing but one screenshot goes away together with it.
    turn = numbers[0] if len(parts) == 1 and numbers else NO_FRAME
    guard = all(isinstance(p, Text) and p.protected for p in parts)
    rows = _Rows(encoder, start, shapes)
    rows.text(chat.header(message.role), turn, guard)
    for part in parts:
        if isinstance(part, Text):
            rows.text(part.text, turn, part.protected, special=part.control)
        elif isinstance(part, Reply):
            rows.ids(part.ids, turn, False)
        else:
            rows.frame(part)
    rows.text(chat.end, turn, guard)
    return rows.pieces(), rows.images


def _opening(encoder: Encoder, start: int, shapes: dict[Shape, Tensor]) -> list[Piece]:
    """What opens the assistant's next turn."""
    rows = _Rows(encoder, start, shapes)
    rows.text(encoder.chat.header("assistant"), NO_FRAME, False)
    rows.ids(encoder.opening_ids, NO_FRAME, False)
    return rows.pieces()


class _Rows:
    """Collects the pieces of a message, part by part; texts of one kind that follow each other are one."""

    def __init__(self, encoder: Encoder, start: int, shapes: dict[Shape, Tensor]) -> None:
        self.encoder, self.start, self.shapes = encoder, start, shapes
        self.images: dict[int, Pixels] = {}
        self._pieces: list[Piece] = []
        self._waiting: list[int] = []
        self._kind = (NO_FRAME, False)

    def text(self, text: str, turn: int, protected: bool, special: bool = True) -> None:
        """`special=False` keeps text from outside (page titles, tasks) from smuggling in control tokens."""
        tokenizer = self.encoder.tokenizer
        self.ids(tokenizer.encode(text, add_special_tokens=False, split_special_tokens=not special), turn, protected)

    def ids(self, ids: Sequence[int], turn: int, protected: bool) -> None:
        """Text as tokens."""
        if (turn, protected) != self._kind:
            self._end_text()
            self._kind = turn, protected
        self._waiting += ids

    def frame(self, part: Frame) -> None:
        """A screenshot between its markers. Raises ImageError."""
        pixels, chat, number = self.encoder.describe(part), self.encoder.chat, part.number
        image = torch.tensor(self.encoder.tokenizer.convert_tokens_to_ids(chat.image))
        self.text(chat.before, number, False)
        self._end_text()
        self._add(image.expand(pixels.tokens), self._places_of(pixels), number, number, False)
        self.text(chat.after, number, False)
        self.images[number] = replace(pixels, image=None)

    def _places_of(self, pixels: Pixels) -> Tensor:
        """[axes, tokens] positions from 0 on, one tensor for all screenshots of one shape."""
        shape = pixels.grid, pixels.rows, pixels.cols
        if shape not in self.shapes:
            if len(self.shapes) >= SHAPES:
                self.shapes.clear()
            self.shapes[shape] = self.encoder.positions_of_image(0, pixels)
        return self.shapes[shape]

    def pieces(self) -> list[Piece]:
        """All so far."""
        self._end_text()
        return self._pieces

    def _end_text(self) -> None:
        if self._waiting:
            ids = torch.tensor(self._waiting, dtype=torch.long)
            self._add(ids, self.encoder.positions_of_text(0, len(ids)), NO_FRAME, *self._kind)
            self._waiting = []

    def _add(self, ids: Tensor, places: Tensor, frame: int, turn: int, protected: bool) -> None:
        piece = Piece(ids, places, self.start, self.start + int(places.max()) + 1, frame, turn, protected)
        self._pieces.append(piece)
        self.start = piece.reach
