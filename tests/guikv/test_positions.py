"""Positions without gaps: keys that are rotated there, and what a session makes of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from guikv.budget import Budget
from guikv.cache import PADDING
from guikv.content import Frame, Message, Text, last_frames
from guikv.costs import Counter
from guikv.engine.engine import Engine
from guikv.engine.prefill import prefilling
from guikv.errors import ContextError, DeviceMemoryError, SessionError
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model
from guikv.policies import Full, GuiKV
from guikv.positions import closed_up, held_rows, make_room, move, rotated
from guikv.prompt import NO_FRAME, Prompt
from guikv.session import Session
from guikv.settings import Settings
from guikv.state import State
from tests.guikv import opencua_checkpoint
from tests.guikv.architectures import ARCHITECTURES, tiny
from tests.guikv.conftest import episode
from tests.guikv.opencua_reference import Sizes, random_weights

CLOSE = {"atol": 1e-4, "rtol": 1e-4}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    return tiny(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture
def own() -> Adapter:
    """A model that a test may change."""
    return random_model()


def compact(adapter: Adapter, **options: Any) -> Session:
    chosen = {"policy": GuiKV(), "budget": Budget(30, "percent"), "history": 2, "positions": "compact", **options}
    return Session(adapter, Settings(**chosen))


def windows(adapter: Adapter) -> tuple[str, ...]:
    return ("shrink", "drop") if adapter.new_cache().forgets else ("shrink",)


@contextmanager
def inputs_of_attention(adapter: Adapter, seen: dict[int, Tensor]) -> Iterator[None]:
    """Within, what goes into each attention layer is added to `seen`, [batch, n, hidden] by number."""
    handles = []
    for number, layer in enumerate(adapter.decoder_layers):
        if hasattr(layer, "self_attn"):

            def hook(_: Any, args: Any, kwargs: Any, number: int = number) -> None:
                hidden = kwargs["hidden_states"] if "hidden_states" in kwargs else args[0]
                seen[number] = torch.cat([seen[number], hidden], dim=1) if number in seen else hidden

            handles.append(layer.self_attn.register_forward_pre_hook(hook, with_kwargs=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def fresh_keys(adapter: Adapter, number: int, hidden: Tensor, positions: Tensor) -> Tensor:
    """Keys [1, kv_heads, n, head_dim] of a layer at `positions` [axes, n], by transformers' own functions."""
    attention: Any = adapter.decoder_layers[number].self_attn
    shape = (*hidden.shape[:-1], -1, adapter.shape.head_dim)
    keys = attention.k_proj(hidden).view(shape)
    keys = (attention.k_norm(keys) if hasattr(attention, "k_norm") else keys).transpose(1, 2)
    placed = positions if len(positions) == 1 else positions[:, None]
    cos, sin = adapter.rotary(keys, placed)
    return sys.modules[type(attention).__module__].apply_rotary_pos_emb(keys, keys, cos, sin)[1]


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


def at_its_positions(session: Session, hidden: dict[int, Tensor]) -> State:
    """The session's state with its entries' keys computed afresh, where the ledger says they stand."""
    state = session.state.copy()
    for number, layer in state.cache.kv:
        keys = fresh_keys(session.adapter, number, hidden[number], state.ledger.positions)
        rows = layer.index.clamp_min(0).unsqueeze(-1).expand(-1, -1, -1, keys.shape[-1])
        keys = keys.gather(2, rows).masked_fill(layer.index.eq(PADDING).unsqueeze(-1), 0)
        torch.testing.assert_close(layer.keys, keys, **CLOSE)
        layer.put(keys, layer.values.clone(), layer.index.clone())
    return state


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


def test_before_the_limit_it_happens_by_itself(own: Adapter, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the option: the episode goes on, the model's limit is never passed, and it is told once."""
    long = own.encode(episode(own, 60))
    context = len(episode(own, 12)) * 40
    own.model.config.text_config.max_position_embeddings = context
    assert long.position(len(long)) > 3 * context
    for window in ("shrink", "drop"):
        caplog.clear()
        session = compact(own, window=window, positions="keep", budget=Budget(10, "percent"), protect=False)
        moves, last = 0, 0
        for frames in range(1, 61):
            session.extend(episode(own, frames))
            session.compress()
            assert len(session.generate(8, min_new_tokens=8).ids) == 8
            now = session.ledger.next_position
            moves, last = moves + (now < last), now
            assert now <= context
            assert int(session.ledger.positions.max()) == now - 1
            session.ledger.verify(session.cache)
        assert bool(session.next_logits.isfinite().all())
        assert moves > 1
        assert [r.levelname for r in caplog.records] == ["WARNING"]
        assert "moved together" in caplog.text
    whole = compact(own, policy=Full(), window="shrink")
    with pytest.raises(ContextError, match="reaches position"):
        whole.extend(episode(own, 60))
    assert (whole.tokens, len(caplog.records)) == (0, 1), "where nothing was evicted there is nothing to close"


def with_rope(adapter: Adapter, **parameters: object) -> Adapter:
    """The model with other rotary positions."""
    text, decoder = adapter.model.config.text_config, adapter.model.model.language_model
    text.rope_parameters = {**text.rope_parameters, **parameters}
    decoder.rotary_emb = type(decoder.rotary_emb)(text)
    return adapter


@torch.inference_mode()
def test_scaled_positions_turn_without_being_scaled_again(own: Adapter) -> None:
    adapter = with_rope(own, rope_type="yarn", factor=4.0, original_max_position_embeddings=4096)
    assert adapter.rotary.attention_scaling > 1.1
    session, hidden = compact(adapter, policy=Full()), {}
    with inputs_of_attention(adapter, hidden):
        session.extend(episode(adapter, 4))
    session.drop_frame(1)
    at_its_positions(session, hidden)


def test_positions_that_depend_on_the_length_are_refused(own: Adapter) -> None:
    adapter = with_rope(own, rope_type="dynamic", factor=4.0)
    with pytest.raises(SessionError, match="use positions 'keep'"):
        compact(adapter)
    with pytest.raises(SessionError, match="cannot be moved"):
        adapter.phases(torch.ones(3, 2, dtype=torch.long))
    session = compact(adapter, positions="keep", window="shrink")
    session.extend(episode(adapter, 3))
    session.compress()
    adapter.model.config.text_config.max_position_embeddings = session.ledger.next_position
    with pytest.raises(ContextError):
        session.extend((*episode(adapter, 3), Message("user", (Text("on " * 40),))))


ONE_LAYER = Sizes(
    vocab_size=512, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
    num_key_value_heads=2, depth=2, vision_hidden=16, vision_heads=1, vision_intermediate=16,
)  # fmt: skip


@torch.inference_mode()
def test_a_thousand_full_screenshots_on_one_axis(tmp_path: Path) -> None:
    """OpenCUA's shape: every image token takes a position, 2,691 at 1920x1080, and there are 128,000.

    One layer's keys do not depend on attention, so every entry is the real one though none is computed. Both heads
    keep other tokens, more of the newer ones. At the end keys still are those of where the ledger says they stand.
    """
    opencua_checkpoint.write(tmp_path, ONE_LAYER, random_weights(ONE_LAYER))
    adapter = load_model(str(tmp_path), device="cpu", dtype="float32", pack_weights=False)
    assert adapter.context == 128_000
    layer: Any = adapter.decoder_layers[0]
    noise = torch.Generator().manual_seed(0)
    shot = Frame(Image.new("RGB", (1920, 1080)), 0)
    reply = Message("assistant", (Text("pyautogui.click(x=1443, y=343)"),))
    opening = adapter.encode(episode(adapter, 0), generate=False)
    one = adapter.encode((Message("user", (shot,)), reply), generate=False)
    features = torch.randn(one.images[0].tokens, ONE_LAYER.hidden_size, generator=noise)
    hidden = adapter.embed_text(one.ids)
    hidden[one.frames == 0] = features
    states = layer.input_layernorm(hidden)[None]
    values = layer.self_attn.v_proj(states).view(1, len(one), 2, -1).transpose(1, 2)
    session = Session(adapter, Settings(Full()))
    session.extend(opening)
    most, moves, ended = len(one) + 3000, 0, 0
    entries = session.cache.kv[0][1]
    for step in range(1000):
        natural = len(opening) + step * len(one)
        ended = ended or (step if natural + len(one) > adapter.context else 0)
        moves += make_room(session, adapter, "shrink", len(one))
        # As `prefilling` does it, but for the attention.
        number = torch.full((len(one),), step)
        turn = Prompt(one.ids, one.positions, torch.where(one.frames == 0, number, NO_FRAME),
                      torch.where(one.turns == 0, number, NO_FRAME), one.protected, {step: one.images[0]})  # fmt: skip
        ledger = session.ledger.append(turn, 0)
        assert ledger.next_position <= adapter.context
        keys = fresh_keys(adapter, 0, states, ledger.positions[:, -len(one) :])
        entries = session.cache.kv[0][1]
        entries.update(keys, values)
        session.state = replace(session.state, ledger=ledger)
        age = torch.arange(entries.entries).expand(1, 2, -1)
        scores = torch.rand(1, 2, entries.entries, generator=noise) + age / entries.entries * 0.3
        scores[..., -len(one) :] = 2
        entries.keep(scores.topk(min(entries.entries, most), dim=-1).indices.sort(-1).values)
    ledger = session.ledger
    ledger.verify(session.cache)
    rows = torch.arange(len(ledger)) - len(opening)
    real = entries.index[0] >= len(opening)
    for head in range(2):
        held = entries.index[0, head][real[head]]
        token, where = rows[held] % len(one), ledger.positions[:, held]
        expected = fresh_keys(adapter, 0, states[:, token], where)[0, head]
        difference = float((entries.keys[0, head][real[head]] - expected).abs().max())
        # Angles near position 100,000 are known to 0.004 in float32, the model's own too.
        assert difference < 4e-3 * float(expected.abs().max())
        assert bool((where.diff() > 0).all())
    assert ended == 46
    assert 10 < moves < 100
    print(f"\nwould have ended before at step {ended + 1}; {moves} moves in 1,000; at {ledger.next_position:,} of "
          f"{adapter.context:,}; keys differ by {difference:.1e}")  # fmt: skip
