"""Positions without gaps: keys that are rotated there, and what a session makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from guikv.content import Message, last_frames
from guikv.costs import Counter
from guikv.engine.engine import Engine
from guikv.engine.prefill import prefilling
from guikv.errors import DeviceMemoryError
from guikv.models.base import Adapter
from guikv.policies import Full, GuiKV
from guikv.positions import closed_up, held_rows, move, rotated
from guikv.prompt import NO_FRAME, Prompt
from guikv.session import Session
from guikv.settings import Settings
from guikv.state import State
from tests.guikv.conftest import episode
from tests.guikv.rotary import at_its_positions, compact, fresh_keys, inputs_of_attention

CLOSE = {"atol": 1e-4, "rtol": 1e-4}


def windows(adapter: Adapter) -> tuple[str, ...]:
    return ("shrink", "drop") if adapter.new_cache().forgets else ("shrink",)


@torch.inference_mode()
def test_rotated_keys_are_those_computed_afresh(model: Adapter) -> None:
    session = Session(model, Settings(Full()))
    hidden: dict[int, Tensor] = {}
    with inputs_of_attention(model, hidden):
        session.extend(episode(model, 4))
    ledger, largest = session.ledger, 0.0
    nothing = torch.zeros(len(ledger), dtype=torch.bool)
    rows = torch.arange(len(ledger))
    for gone in (ledger.turns == 1, ledger.turns < 2, rows % 7 == 3, (rows * 37) % 101 < 80):
        state = session.state.copy()
        positions = closed_up(ledger.frames, ledger.positions, ~gone)
        state = move(model, state, positions)
        state.ledger.verify(state.cache)
        assert not torch.equal(positions, ledger.positions)
        for number, layer in state.cache.kv:
            expected = fresh_keys(model, number, hidden[number], positions)
            torch.testing.assert_close(layer.keys, expected, **CLOSE)
            largest = max(largest, float((layer.keys - expected).abs().max()))
            assert torch.equal(layer.values, session.cache.layers[number].values)
        back = move(model, state, ledger.positions)
        for (_, layer), (number, before) in zip(back.cache.kv, session.cache.kv, strict=True):
            torch.testing.assert_close(layer.keys, before.keys, **CLOSE)
            torch.testing.assert_close(before.keys, fresh_keys(model, number, hidden[number], ledger.positions))
    assert torch.equal(closed_up(ledger.frames, ledger.positions, ~nothing), ledger.positions), "nothing to close"
    assert bool(held_rows(session.cache, len(ledger)).all())
    print(f"\n{model.family}: largest difference {largest:.1e}")


def test_without_whole_screenshots_positions_are_a_prompts(model: Adapter) -> None:
    """Whichever screenshots go with their turns, what is left stands as if they had never been there."""
    messages = episode(model, 6)
    prompt = model.encode(messages)
    for last in range(1, 6):
        stays = ~torch.isin(prompt.turns, torch.arange(6 - last))
        expected = model.encode(last_frames(messages, last))
        assert torch.equal(closed_up(prompt.frames, prompt.positions, stays)[:, stays], expected.positions)


def test_survivors_stand_close_and_in_order() -> None:
    """1,000 random evictions of text and of a grid: order kept on every axis, no gap on any, prefixes end right."""
    noise = torch.Generator().manual_seed(0)
    for _ in range(1000):
        rows, cols, text = (int(torch.randint(1, 7, (1,), generator=noise)) for _ in range(3))
        height = torch.arange(rows).repeat_interleave(cols)
        width = torch.arange(cols).repeat(rows)
        grid = torch.stack([torch.zeros_like(height), height, width]) + text
        behind = text + max(rows, cols)
        positions = torch.cat([torch.arange(text).expand(3, -1), grid, torch.full((3, 1), behind)], dim=1)
        frames = torch.full((positions.shape[1],), NO_FRAME)
        frames[text:-1] = 0
        stays = torch.rand(len(frames), generator=noise) < torch.rand(1, generator=noise)
        new = closed_up(frames, positions, stays)
        before = int(stays[:text].sum())
        assert new[0, :text][stays[:text]].tolist() == list(range(before))
        kept, old = new[:, text:-1][:, stays[text:-1]], grid[:, stays[text:-1]]
        for axis, was in zip(kept, old, strict=True):
            present = sorted(set(was.tolist()))
            assert axis.tolist() == [before + present.index(p) for p in was.tolist()]
        reached = int(new[:, stays].max()) + 1 if bool(stays.any()) else 0
        assert int(new[:, -1].max()) + 1 == reached, "the last row ends where the last that stays does"
        most = int(torch.randint(1, 5, (1,), generator=noise))
        tight = closed_up(frames, positions, stays, torch.full((3,), most))
        assert bool((tight[:, stays].diff(dim=1) <= new[:, stays].diff(dim=1).clamp_min(0)).all())
        assert int(tight[:, -1].max()) < 3 * most


def continued(state: State, adapter: Adapter, prompt: Prompt) -> Tensor:
    """[vocabulary]: what the decoder says behind the prompt, whose beginning the state holds."""
    work = prefilling(adapter, Full(), Counter(adapter), state, prompt, len(state.ledger))
    while True:
        try:
            next(work)
        except StopIteration as end:
            logits: Tensor = end.value.next_logits
            return logits


def check_positions(session: Session, prompt: Prompt, messages: tuple[Message, ...]) -> None:
    """Under `drop` the stateless protocol's; under `shrink` as close as what is held, though it came about in steps."""
    ledger, settings = session.ledger, session.settings
    if settings.window == "drop":
        sent = session.adapter.encode(last_frames(messages, settings.history))
        assert torch.equal(ledger.positions[:, ~ledger.dropped], sent.positions)
        assert ledger.next_position == sent.position(len(sent))
    else:
        held = held_rows(session.cache, len(ledger))
        expected = closed_up(prompt.frames, prompt.positions, held)
        assert torch.equal(ledger.positions, expected)
        assert ledger.next_position == int(expected.max()) + 1


@torch.inference_mode()
def test_logits_are_those_over_the_same_entries_at_the_positions(model: Adapter) -> None:
    """After every step keys are those computed afresh at positions without gaps, and what is computed next is what
    the decoder says over such keys."""
    largest = 0.0
    for window in windows(model):
        session, hidden, state = compact(model, window=window), {}, None
        for frames in range(1, 9):
            messages = episode(model, frames)
            prompt = model.encode(messages)
            with inputs_of_attention(model, hidden):
                session.extend(messages)
            if state is not None:
                assert session.cost.tokens_reused == len(state.ledger)
                expected = continued(state, model, prompt)
                torch.testing.assert_close(session.next_logits, expected, **CLOSE)
                largest = max(largest, float((session.next_logits - expected).abs().max()))
            session.compress()
            session.ledger.verify(session.cache)
            check_positions(session, prompt, messages)
            state = at_its_positions(session, hidden)
        assert session.ledger.next_position < prompt.position(len(prompt))
    print(f"\n{model.family}: largest difference of a logit {largest:.1e}")


def test_truncated_saved_forked_and_served_sessions_go_on_alike(model: Adapter, tmp_path: Path) -> None:
    """With generated text between: bit for bit, in an engine too."""
    for window in windows(model):
        session = compact(model, window=window)
        with Engine(model) as engine:
            served = engine.open(session.settings)
            for frames in range(1, 5):
                for one in (session, served):
                    one.extend(episode(model, frames))
                    one.compress()
                assert session.generate(3).ids == served.generate(3).ids
            assert torch.equal(session.next_logits, served.session.next_logits)
            assert torch.equal(session.ledger.positions, served.session.ledger.positions)
        session.save(tmp_path / window)
        loaded, fork = Session.load(tmp_path / window, model), session.fork()
        keys = [layer.keys.clone() for _, layer in fork.cache.kv]
        for one in (session, loaded):
            one.extend(episode(model, 6))
            one.compress()
            one.generate(4, min_new_tokens=4)
            one.extend(episode(model, 7))
        assert torch.equal(session.next_logits, loaded.next_logits)
        assert torch.equal(session.ledger.positions, loaded.ledger.positions)
        assert all(torch.equal(layer.keys, old) for (_, layer), old in zip(fork.cache.kv, keys, strict=True))
        fork.ledger.verify(fork.cache)


def test_truncating_and_closing_up_in_either_order(own: Adapter) -> None:
    """What was cut off left no trace in the positions of what stands before it."""
    first, second = (compact(own, policy=Full(), window="shrink", history=9) for _ in range(2))
    length = len(own.encode(episode(own, 3), generate=False))
    first.extend(episode(own, 5))
    first.drop_frame(1)
    first.truncate(length)
    second.extend(episode(own, 3))
    second.truncate(length)
    second.drop_frame(1)
    assert torch.equal(first.ledger.positions, second.ledger.positions)
    for session in (first, second):
        session.extend(episode(own, 4))
        session.feed(5)
    torch.testing.assert_close(first.next_logits, second.next_logits, **CLOSE)
    sent = own.encode(tuple(m for n, m in enumerate(episode(own, 4)) if n != 4))
    assert torch.equal(first.ledger.positions[:, :-1][:, ~first.ledger.dropped[:-1]], sent.positions)


def content(session: Session) -> list[Tensor]:
    entries = [part for _, layer in session.cache.kv for part in (layer.keys, layer.values, layer.index)]
    return [session.ledger.positions, session.ledger.dropped, session.ledger.ids, session.next_logits, *entries]


@pytest.mark.parametrize("window", ["shrink", "drop"])
def test_memory_that_runs_out_while_entries_move_changes_nothing(
    own: Adapter, monkeypatch: pytest.MonkeyPatch, window: str
) -> None:
    """At each of the layers, in whatever call it happens."""
    from guikv import positions

    policy = {"drop": Full(), "shrink": GuiKV()}[window]
    session = compact(own, window=window, policy=policy, history=2)
    for frames in range(1, 4):
        session.extend(episode(own, frames))
        session.compress()
    ready, failures = session.fork(), 0
    if window == "shrink":
        ready.extend(episode(own, 4))
    for call in (lambda s: s.extend(episode(own, 4)), Session.compress, lambda s: s.drop_frame(2)):
        for layer in range(own.shape.layers):
            before, left = content(ready), [layer]

            def fails(*args: Any, left: list[int] = left) -> Tensor:
                left[0] -= 1
                if left[0] < 0:
                    raise torch.OutOfMemoryError
                return rotated(*args)

            monkeypatch.setattr(positions, "rotated", fails)
            fork = ready.fork()
            try:
                call(fork)
            except DeviceMemoryError:
                failures += 1
                assert all(torch.equal(a, b) for a, b in zip(content(fork), before, strict=True))
                fork.ledger.verify(fork.cache)
            monkeypatch.undo()
            call(fork)
            assert all(torch.equal(a, b) for a, b in zip(content(ready), before, strict=True)), "the other one"
    assert failures >= own.shape.layers * 2
