"""What a conversation is made of, before it becomes tokens.

A dialect renders an episode into messages of text, screenshots and the model's own earlier replies. Replies are
kept as token ids: decoding and encoding them again need not give the same tokens, and a drifted token would end
the reuse of the cache there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from PIL import Image

from guikv.errors import ImageError


@dataclass(frozen=True)
class Text:
    """A piece of text; `protected` entries are never evicted (system prompt, instruction).

    control: are control tokens in it meant as such? Only for text that nobody from outside has put anything into.
    """

    text: str
    protected: bool = False
    control: bool = False


def digest_of(image: Image.Image) -> str:
    """Hash of a picture's content and size, 32 hex digits: equal pictures, equal hash, whatever file they are from."""
    digest = hashlib.blake2b(f"{image.mode} {image.size[0]}x{image.size[1]} ".encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Frame:
    """A screenshot: `number` counts the episode's screenshots from 0, `picture` is RGB, or None once it was released.

    max_pixels: at most so many are shown to the model, None for the model's own limit
    known: hash and size of a released picture
    Frames of the same content are equal, with their pictures or without.
    """

    picture: Image.Image | None
    number: int
    max_pixels: int | None = None
    known: tuple[str, tuple[int, int]] | None = None

    @property
    def image(self) -> Image.Image:
        """The picture. Raises ImageError once it was released."""
        if self.picture is None:
            raise ImageError(released(self.number))
        return self.picture

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, released or not."""
        return self.known[1] if self.known is not None else self.image.size

    @cached_property
    def digest(self) -> str:
        """`digest_of` the image, computed once."""
        return self.known[0] if self.known is not None else digest_of(self.image)

    def released(self) -> Frame:
        """The same screenshot without its pixels: hash and size stay, and so does what a model has cached of it."""
        return replace(self, picture=None, known=(self.digest, self.size))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Frame) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @property
    def _content(self) -> tuple[int, int | None, str]:
        return self.number, self.max_pixels, self.digest


def released(number: int) -> str:
    """What is wrong when a released picture is asked for, and what to do."""
    return (
        f"the picture of screenshot {number} was released because it is older than the history: its file is in the "
        "record; raise cache.history to keep more pictures"
    )


@dataclass(frozen=True)
class Reply:
    """What the model itself generated, without the end-of-turn token."""

    ids: tuple[int, ...]
    text: str


Part = Text | Frame | Reply


@dataclass(frozen=True)
class Message:
    """One turn of the chat. A turn that holds only a screenshot disappears as a whole when its frame is dropped."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]


def frames_of(messages: tuple[Message, ...]) -> tuple[int, ...]:
    """Numbers of the screenshots in the messages, in order."""
    return tuple(p.number for m in messages for p in m.parts if isinstance(p, Frame))


def last_frames(messages: tuple[Message, ...], count: int) -> tuple[Message, ...]:
    """The messages with only the last `count` screenshots, as the stateless protocol would send them."""
    keep = set(frames_of(messages)[-count:])
    return _with(messages, lambda frame: frame.number in keep)


def picture_of(digest: str) -> str:
    """The hash of the picture itself, whatever size it is shown in."""
    return digest.partition(" ")[0]


def without_frames(messages: tuple[Message, ...], forgotten: Mapping[int, str]) -> tuple[Message, ...]:
    """The messages without the screenshots of these numbers and hashes."""
    if not forgotten:
        return messages
    return _with(messages, lambda frame: frame.number not in forgotten or forgotten[frame.number] != frame.digest)


def _with(messages: tuple[Message, ...], wanted: Callable[[Frame], bool]) -> tuple[Message, ...]:
    """The messages with the wanted screenshots only; a turn that held nothing else is gone."""
    out = []
    for message in messages:
        parts = tuple(p for p in message.parts if not isinstance(p, Frame) or wanted(p))
        if parts:
            out.append(Message(message.role, parts))
    return tuple(out)


def smaller_but_newest(messages: tuple[Message, ...], max_pixels: int) -> tuple[Message, ...]:
    """The messages with every screenshot but the newest shown at no more than `max_pixels`."""
    newest = max(frames_of(messages), default=-1)

    def part(p: Part) -> Part:
        return replace(p, max_pixels=max_pixels) if isinstance(p, Frame) and p.number != newest else p

    return tuple(Message(m.role, tuple(part(p) for p in m.parts)) for m in messages)


def stateless(messages: tuple[Message, ...], history: int, old_pixels: int | None) -> tuple[Message, ...]:
    """What the stateless protocol sends: the last `history` screenshots, those before the newest at fewer pixels where
    `old_pixels` says so."""
    sent = last_frames(messages, history)
    return sent if old_pixels is None else smaller_but_newest(sent, old_pixels)
