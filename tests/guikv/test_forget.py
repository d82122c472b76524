"""A screenshot that is forgotten: afterwards the session is one that never saw it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from guikv.budget import Budget
from guikv.content import Frame, Message, Reply, Text
from guikv.errors import DeviceMemoryError, SessionError
from guikv.models.base import Adapter
from guikv.policies import Full, GuiKV
from guikv.prompt import Prompt
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.conftest import episode, screenshot

CLOSE = {"atol": 1e-4, "rtol": 1e-4}


def never(messages: tuple[Message, ...], *numbers: int) -> tuple[Message, ...]:
    """The conversation as it would have been without these screenshots."""
    out = (
        replace(m, parts=tuple(p for p in m.parts if not (isinstance(p, Frame) and p.number in numbers)))
        for m in messages
    )
    return tuple(m for m in out if m.parts)


def with_notes(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Every other screenshot has a word beside it, which stays when the picture goes."""
    return tuple(
        replace(m, parts=(*m.parts, Text("Look here.")))
        if isinstance(m.parts[0], Frame) and m.parts[0].number % 2
        else m
        for m in messages
    )


@pytest.mark.parametrize("notes", [False, True])
def test_logits_are_those_of_a_session_that_never_saw_it(model: Adapter, notes: bool) -> None:
    """Each of five screenshots, with what was generated since; and the steps after that, which still have it."""
    largest = effect = 0.0
    for frame in range(5):
        messages, longer = episode(model, 5), episode(model, 7)
        messages, longer = (with_notes(messages), with_notes(longer)) if notes else (messages, longer)
        session, plain = Session(model, Settings(Full())), Session(model, Settings(Full()))
        for end in range(3, len(messages) + 1, 2):
            session.extend(messages[:end])
        seen = session.next_logits.clone()
        words = session.generate(4, min_new_tokens=4).ids
        tokens = session.tokens
        cost = session.forget(frame)
        session.ledger.verify(session.cache)
        plain.extend(never(messages, frame))
        effect = max(effect, float((seen - plain.next_logits).abs().max()))
        for word in words:
            plain.feed(word)
        assert torch.equal(session.ledger.ids, plain.ledger.ids)
        assert torch.equal(session.ledger.positions, plain.ledger.positions)
        assert set(session.ledger.screenshots) == set(range(5)) - {frame}
        torch.testing.assert_close(session.next_logits, plain.next_logits, **CLOSE)
        largest = max(largest, float((session.next_logits - plain.next_logits).abs().max()))
        assert 0 < cost.tokens_new == cost.tokens_recomputed < tokens
        assert cost.tokens_new + cost.tokens_reused == session.tokens
        # The caller's conversation still has the picture.
        said = (*messages, Message("assistant", (Reply(words, ""),)), *longer[len(messages) :])
        session.extend(said)
        plain.extend(never(said, frame))
        assert torch.equal(session.ledger.ids, plain.ledger.ids)
        torch.testing.assert_close(session.next_logits, plain.next_logits, **CLOSE)
    assert effect > 30 * largest, "the screenshots matter"
    print(f"\n{model.family}: with it {effect:.1e}, after forgetting {largest:.1e} from a session that never saw it")


@pytest.mark.parametrize("window", ["shrink", "drop"])
@pytest.mark.parametrize("positions", ["keep", "compact"])
def test_under_compression_too(own: Adapter, window: str, positions: str) -> None:
    """The first screenshot, before which nothing is evicted: exactly a session that went the same steps without it.
    A later one: exactly the entries that are left before it, and the same steps on from there."""
    settings = Settings(GuiKV(), Budget(30, "percent"), window=window, history=3, positions=positions)  # type: ignore[arg-type]
    for frame in (0, 3, 5):
        session = Session(own, settings)
        for frames in range(1, 7):
            session.extend(episode(own, frames))
            session.compress()
        plain = Session(own, settings) if frame == 0 else session.fork()
        first = int((session.ledger.turns == frame).nonzero()[0])
        plain.truncate(0 if frame == 0 else first)
        cost = session.forget(frame)
        session.ledger.verify(session.cache)
        rest = own.encode(never(episode(own, 6), frame))
        ends = [int((rest.turns == n).nonzero()[0]) for n in range(frame + 2 if frame else 2, 6)]
        for end in (*ends, len(rest)):
            plain.extend(rest.first(end))
            plain.compress()
        assert torch.equal(session.ledger.ids, plain.ledger.ids)
        for (_, mine), (_, theirs) in zip(session.cache.kv, plain.cache.kv, strict=True):
            assert torch.equal(mine.index, theirs.index)
        torch.testing.assert_close(session.next_logits, plain.next_logits, **CLOSE)
        assert cost.tokens_recomputed == len(rest) - cost.tokens_reused
        assert cost.kv_bytes == session.kv_bytes
        assert frame not in session.kept_patches()


def test_it_stays_forgotten(own: Adapter, tmp_path: Path) -> None:
    """By forks and saved sessions, in every window; another picture of that number is not the one forgotten."""
    for window in ("shrink", "recompute"):
        session = Session(own, Settings(Full(), window=window, history=2))  # type: ignore[arg-type]
        session.extend(episode(own, 3))
        session.forget(2)
        session.save(tmp_path / window)
        plain = Session(own, session.settings)
        plain.extend(never(episode(own, 4), 2))
        for one in (session.fork(), Session.load(tmp_path / window, own), session):
            assert one.state.forgotten == session.state.forgotten
            one.extend(episode(own, 4))
            assert torch.equal(one.ledger.ids, plain.ledger.ids)
            torch.testing.assert_close(one.next_logits, plain.next_logits, **CLOSE)
    other = tuple(
        replace(
            m, parts=tuple(Frame(screenshot(7), 2) if isinstance(p, Frame) and p.number == 2 else p for p in m.parts)
        )
        for m in episode(own, 3)
    )
    session.extend(other)
    assert 2 in session.ledger.screenshots


def test_two_of_them(own: Adapter) -> None:
    session, plain = Session(own, Settings(Full())), Session(own, Settings(Full()))
    session.extend(episode(own, 5))
    first = session.forget(3)
    second = session.forget(1)
    assert first.tokens_recomputed < second.tokens_recomputed
    plain.extend(never(episode(own, 5), 1, 3))
    torch.testing.assert_close(session.next_logits, plain.next_logits, **CLOSE)
    with pytest.raises(SessionError, match="no screenshot 3"):
        session.forget(3)


def test_pictures_that_are_not_held_have_to_be_given(own: Adapter, tmp_path: Path) -> None:
    session, plain = Session(own, Settings(Full())), Session(own, Settings(Full()))
    session.extend(episode(own, 4))
    plain.extend(never(episode(own, 4), 1))
    session.save(tmp_path)
    loaded = Session.load(tmp_path, own)
    with pytest.raises(SessionError, match="give the conversation"):
        loaded.forget(1)
    assert not loaded.state.forgotten
    assert loaded.forget(1, episode(own, 4)).vision_hits == 2
    torch.testing.assert_close(loaded.next_logits, plain.next_logits, **CLOSE)
    prompt = own.encode(episode(own, 4))
    released = Prompt.of(prompt.rows, {n: replace(p, image=None) for n, p in prompt.images.items()})
    session.extend(released)
    own.vision_cache.clear()
    with pytest.raises(SessionError, match="screenshot 2 has to be computed again"):
        session.forget(1)
    cost = session.forget(1, prompt)
    assert (cost.vision_misses, cost.vision_hits) == (2, 0)
    torch.testing.assert_close(session.next_logits, plain.next_logits, **CLOSE)


def test_a_failure_on_the_way_changes_nothing(own: Adapter) -> None:
    """In whichever forward pass it happens."""
    settings = Settings(GuiKV(), Budget(30, "percent"), history=3, positions="compact")
    session = Session(own, settings)
    for frames in range(1, 6):
        session.extend(episode(own, frames))
        session.compress()

    def held(s: Session) -> list[Any]:
        entries = [part for _, layer in s.cache.kv for part in (layer.keys, layer.values, layer.index)]
        return [s.ledger.ids, s.ledger.positions, s.next_logits, *entries]

    before, failures = held(session), 0
    for at in range(1, 20):
        calls = [at]

        def fail(*_: object, calls: list[int] = calls) -> None:
            calls[0] -= 1
            if not calls[0]:
                raise torch.OutOfMemoryError

        handle = own.decoder_layers[1].register_forward_hook(fail)
        try:
            session.fork().forget(1)
        except DeviceMemoryError:
            failures += 1
        else:
            break
        finally:
            handle.remove()
        assert all(torch.equal(a, b) for a, b in zip(held(session), before, strict=True))
    assert failures == 3, "a step for each later screenshot"
    failed = session.fork()
    handle = own.decoder_layers[1].register_forward_hook(_out_of_memory)
    with pytest.raises(DeviceMemoryError):
        failed.forget(2)
    handle.remove()
    assert all(torch.equal(a, b) for a, b in zip(held(failed), before, strict=True))
    assert not failed.state.forgotten
    assert failed.forget(2).tokens_recomputed > 0
    assert bool((failed.ledger.frames != 2).all())


def _out_of_memory(*_: object) -> None:
    raise torch.OutOfMemoryError
