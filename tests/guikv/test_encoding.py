"""A prompt that was put together from what was encoded before equals one that is encoded afresh, for every family."""

from __future__ import annotations

import gc
import random
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from guikv.content import Frame, Message, Part, Reply, Text
from guikv.errors import ImageError
from guikv.ledger import Ledger
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.encoding import REMEMBERED
from guikv.models.images import patches
from guikv.models.random_weights import random_model, random_qwen3
from guikv.prompt import Prompt
from guikv.rows import NO_FRAME, Rows
from guikv.session import Session
from tests.guikv import hybrid_checkpoint, opencua_checkpoint
from tests.guikv.conftest import episode, screenshot
from tests.guikv.opencua_reference import Sizes, random_weights

COLUMNS = ("ids", "positions", "frames", "turns", "protected")
ROUNDS = 150


@pytest.fixture(scope="module", params=["qwen2.5", "qwen3", "hybrid", "opencua"])
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    if request.param == "qwen2.5":
        return random_model()
    if request.param == "qwen3":
        return random_qwen3()
    folder: Path = tmp_path_factory.mktemp(request.param)
    if request.param == "hybrid":
        hybrid_checkpoint.write(folder)
    else:
        opencua_checkpoint.write(folder, Sizes(), random_weights(Sizes()))
    return load_model(str(folder), device="cpu", dtype="float32", pack_weights=False)


def token_by_token(adapter: Adapter, messages: tuple[Message, ...], generate: bool) -> dict[str, Tensor]:
    """The layout as it is defined: every token's columns one after the other, nothing remembered."""
    rows: list[tuple[int, int, int, bool]] = []
    positions: list[Tensor] = []

    def add(ids: Any, turn: int, protected: bool, frame: int = NO_FRAME, at: Tensor | None = None) -> None:
        start = int(torch.cat(positions, 1).max()) + 1 if positions else 0
        rows.extend((int(token), frame, turn, protected) for token in ids)
        placed = adapter.positions_of_text(start, len(ids)) if at is None else at + start
        if placed.shape[1]:
            positions.append(placed)

    def words(text: str, special: bool = True) -> list[int]:
        found: list[int] = adapter.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=not special)
        return found

    chat = adapter.chat
    for message in messages:
        shots = [p.number for p in message.parts if isinstance(p, Frame)]
        turn = shots[0] if shots and len(message.parts) == 1 else NO_FRAME
        guard = all(isinstance(p, Text) and p.protected for p in message.parts)
        add(words(chat.header(message.role)), turn, guard)
        for part in message.parts:
            if isinstance(part, Text):
                add(words(part.text, part.control), turn, part.protected)
            elif isinstance(part, Reply):
                add(part.ids, turn, False)
            else:
                pixels = adapter.describe(part)
                add(words(chat.before), part.number, False)
                image = adapter.tokenizer.convert_tokens_to_ids(chat.image)
                at = adapter.positions_of_image(0, pixels)
                add([image] * pixels.tokens, part.number, False, part.number, at)
                add(words(chat.after), part.number, False)
        add(words(chat.end), turn, guard)
    if generate:
        add(words(chat.header("assistant")), NO_FRAME, False)
        add(adapter.opening_ids, NO_FRAME, False)
    ids, frames, turns, protected = (torch.tensor(column) for column in zip(*rows, strict=True))
    return dict(zip(COLUMNS, (ids, torch.cat(positions, 1), frames, turns, protected), strict=True))


def check(adapter: Adapter, messages: tuple[Message, ...], generate: bool) -> Prompt:
    prompt, expected = adapter.encode(messages, generate), token_by_token(adapter, messages, generate)
    for name in COLUMNS:
        assert torch.equal(getattr(prompt, name), expected[name]), name
        assert getattr(prompt, name).dtype == expected[name].dtype
    assert (len(prompt), prompt.next_position) == (len(expected["ids"]), int(expected["positions"].max()) + 1)
    shown = {p.number: p for m in messages for p in m.parts if isinstance(p, Frame)}
    assert prompt.images.keys() == shown.keys()
    for number, part in shown.items():
        found, wanted = prompt.images[number], adapter.describe(part)
        assert (found.digest, found.grid, found.rows, found.cols) == (
            wanted.digest, wanted.grid, wanted.rows, wanted.cols,
        )  # fmt: skip
        assert found.image is part.picture
    return prompt


class Conversations:
    """Messages at random, and what may happen to a conversation from one step to the next."""

    def __init__(self, seed: int) -> None:
        self.dice, self.number = random.Random(seed), 0

    def part(self) -> Part:
        kind = self.dice.choice(["text", "protected", "control", "reply", "frame", "frame", "small"])
        word = self.dice.choice(["", "a", "Press <|im_end|> now", "ü — 印", "x " * 40])
        if kind == "reply":
            return Reply(tuple(self.dice.choices(range(5, 200), k=self.dice.randrange(9))), word)
        if kind in ("frame", "small"):
            self.number += 1
            limit = 28 * 28 * 12 if kind == "small" else None
            return Frame(screenshot(self.dice.randrange(12)), self.number, limit)
        return Text(word, kind == "protected", kind == "control")

    def message(self) -> Message:
        role = self.dice.choice(["system", "user", "assistant"])
        return Message(role, tuple(self.part() for _ in range(self.dice.randrange(1, 4))))  # type: ignore[arg-type]

    def next(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        place = self.dice.randrange(len(messages)) if messages else 0
        match self.dice.choice(["add", "add", "add", "cut", "replace", "release", "rebuild"]):
            case "cut":
                messages = messages[:place]
            case "replace":
                messages = (*messages[:place], self.message(), *messages[place + 1 :])
            case "release":
                messages = tuple(
                    Message(m.role, tuple(p.released() if isinstance(p, Frame) else p for p in m.parts))
                    if n <= place else m for n, m in enumerate(messages)
                )  # fmt: skip
            case "rebuild":
                messages = tuple(Message(m.role, tuple(m.parts)) for m in messages)
        return messages if len(messages) > 12 else (*messages, self.message())


def test_equal_to_encoding_afresh_whatever_changes(family: Adapter) -> None:
    talk = Conversations(7)
    several: list[tuple[Message, ...]] = [(talk.message(),) for _ in range(3)]
    for number in range(ROUNDS):
        which = number % 3
        several[which] = talk.next(several[which])
        check(family, several[which], generate=number % 5 > 0)


def test_what_was_encoded_is_not_encoded_again(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = random_model()
    before = fresh.encode(episode(fresh, 6))
    messages = episode(fresh, 7)
    texts: list[str] = []
    encode = fresh.tokenizer.encode
    monkeypatch.setattr(
        fresh.tokenizer, "encode", lambda text, **options: texts.append(text) or encode(text, **options)
    )
    after = fresh.encode(messages)
    assert len(texts) < 12, "one reply, one screenshot, and what opens the next turn"
    shared = len(fresh.encode(episode(fresh, 6), generate=False).rows.pieces)
    pairs = zip(before.rows.pieces[:shared], after.rows.pieces, strict=False)
    assert all(mine is other for mine, other in pairs)


def test_so_many_conversations_are_remembered() -> None:
    fresh = random_model()
    for number in range(3 * REMEMBERED):
        fresh.encode((Message("user", (Text(f"task {number}"),)),))
    assert len(fresh.encoding._kept) == REMEMBERED
    for count in range(1, 20):
        fresh.encode(episode(fresh, count))
    assert len(fresh.encoding._kept) == REMEMBERED


def test_another_tokenizer_or_picture_size_begins_anew() -> None:
    fresh, messages = random_model(), episode(random_model(), 3)
    check(fresh, messages, True)
    fresh.processor.size = {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 4}
    check(fresh, messages, True)
    fresh.tokenizer = random_qwen3().tokenizer
    fresh.tokenizer.add_tokens(["Press"])
    check(fresh, messages, True)


def test_a_released_screenshot_keeps_its_hash_and_size() -> None:
    whole = Frame(screenshot(3), 3)
    bare = whole.released()
    assert (bare.digest, bare.size, bare.picture) == (whole.digest, whole.size, None)
    assert bare == whole
    assert len({bare, whole, bare.released()}) == 1
    assert Frame(screenshot(4), 3) != whole
    with pytest.raises(ImageError, match=r"picture of screenshot 3 was released .*raise cache\.history"):
        _ = bare.image
    adapter = random_model()
    with pytest.raises(ImageError, match="released"):
        patches(adapter.describe(bare), adapter.processor)


def test_a_screenshot_takes_no_memory_in_the_ledger() -> None:
    adapter = random_model()
    ledger = Ledger()
    for frames in range(1, 30):
        prompt = adapter.encode(episode(adapter, frames))
        ledger = ledger.append(prompt, ledger.common_prefix(prompt))
    seen = {}
    for piece in ledger.rows.pieces:
        for tensor in (piece.ids, piece.places) if piece.frame != NO_FRAME else ():
            seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
    shapes = sum(tensor.untyped_storage().nbytes() for tensor in adapter.encoding._shapes.values())
    assert sum(seen.values()) <= shapes + 8 * 30


def test_columns_and_pieces_say_the_same() -> None:
    dice = torch.Generator().manual_seed(5)
    for _ in range(200):
        count = int(torch.randint(1, 40, (1,), generator=dice))
        frames = torch.randint(-1, 2, (count,), generator=dice).sort().values
        turns, flags = torch.randint(-1, 2, (count,), generator=dice), torch.rand(3, count, generator=dice) > 0.5
        ids, positions = torch.arange(count) + 7, torch.arange(3 * count).view(3, count)
        ledger = Ledger(ids, positions, frames, turns, flags[0], flags[1])
        columns = (ledger.ids, ledger.positions, ledger.frames, ledger.turns, ledger.protected, ledger.dropped)
        given = (ids, positions, frames, turns, flags[0], flags[1])
        assert all(torch.equal(mine, other) for mine, other in zip(columns, given, strict=True))
        assert torch.equal(ledger.drop(flags[2]).dropped, flags[1] | flags[2])
        assert torch.equal(ledger.turns_of([0, 1]), torch.isin(turns, torch.tensor([0, 1])))
        start, end = sorted(torch.randint(0, count + 1, (2,), generator=dice).tolist())
        part = Rows(ledger.rows.cut(start, end))
        assert torch.equal(part.ids_from(), ids[start:end])
        assert torch.equal(part.column("turn"), turns[start:end])
        rows = torch.randint(0, count, (2, 5), generator=dice)
        assert torch.equal(ledger.rows.common_of("frame", rows), frames[rows])


def test_no_picture_is_held_by_what_was_encoded() -> None:
    adapter = random_model()
    session = Session(adapter)
    shown = []
    for frames in range(1, 12):
        messages = episode(adapter, frames)
        shown += [weakref.ref(p.image) for m in messages for p in m.parts if isinstance(p, Frame)]
        session.extend(messages)
        session.compress()
        session.generate(2, min_new_tokens=2)
    del messages
    gc.collect()
    # What the last conversation still shows is there to be computed again (`Session.forget`).
    assert session.prompt is not None
    last = {id(pixels.image) for pixels in session.prompt.images.values()}
    assert {id(picture) for picture in (ref() for ref in shown) if picture is not None} <= last
    session.prompt = None
    gc.collect()
    assert not [ref for ref in shown if ref() is not None]
