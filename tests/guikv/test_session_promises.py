"""The six promises of a session, on a tiny random Qwen2.5-VL in float32."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from guikv.budget import Budget
from guikv.content import Message, last_frames
from guikv.errors import SessionError
from guikv.models.base import Adapter
from guikv.models.images import patches
from guikv.policies import POLICIES, Full, GuiKV, make_policy
from guikv.prompt import NO_FRAME, Prompt
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.conftest import episode

CLOSE = {"atol": 1e-4, "rtol": 1e-4}


def full(adapter: Adapter, **options: object) -> Session:
    return Session(adapter, Settings(Full(), **options))  # type: ignore[arg-type]


def gui(adapter: Adapter, budget: int = 20, **options: object) -> Session:
    return Session(adapter, Settings(GuiKV(), Budget(budget, "percent"), **options))  # type: ignore[arg-type]


def step(session: Session, messages: tuple[Message, ...]) -> None:
    session.extend(messages)
    session.compress()
    session.ledger.verify(session.cache)


def transformers_logits(adapter: Adapter, prompt: Prompt) -> Tensor:
    """Last logits of a plain transformers forward over the same tokens, with its own attention and positions."""
    adapter.model.set_attn_implementation({"text_config": "sdpa"})
    try:
        ids = prompt.ids[None]
        images = [prompt.images[n] for n in sorted(prompt.images)]
        with torch.inference_mode():
            return adapter.model(
                input_ids=ids,
                mm_token_type_ids=(prompt.frames[None] != NO_FRAME).int(),
                pixel_values=torch.cat([patches(p, adapter.processor) for p in images]),
                image_grid_thw=torch.tensor([p.grid for p in images]),
            ).logits[0, -1]
    finally:
        adapter.model.set_attn_implementation({"text_config": "guikv"})


def test_appending_equals_a_fresh_forward(adapter: Adapter) -> None:
    session = full(adapter)
    computed = 0
    for frames in range(1, 7):
        messages = episode(adapter, frames)
        step(session, messages)
        expected = transformers_logits(adapter, adapter.encode(messages))
        torch.testing.assert_close(session.next_logits, expected, **CLOSE)
        computed += session.cost.tokens_new
        assert session.cost.tokens_recomputed == 0
    assert computed == session.tokens, "every token was computed exactly once"


def test_appending_after_generation_equals_a_fresh_forward(adapter: Adapter) -> None:
    session = full(adapter)
    session.extend(episode(adapter, 2))
    reply = session.generate(max_new_tokens=9)
    fresh = full(adapter)
    fresh.extend(episode(adapter, 2))
    for token in reply.ids:
        fresh.feed(token)
    torch.testing.assert_close(session.next_logits, fresh.next_logits, **CLOSE)
    assert session.cost.tokens_generated == len(reply.ids) == 9


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_truncate_then_extend_equals_never_having_extended(adapter: Adapter, cut: int) -> None:
    session, plain = full(adapter), full(adapter)
    session.extend(episode(adapter, 4))
    length = len(adapter.encode(episode(adapter, 2), generate=False))
    session.truncate(length if cut == -1 else cut)
    for s in (session, plain):
        s.extend(episode(adapter, 3, first=0))
    torch.testing.assert_close(session.next_logits, plain.next_logits, **CLOSE)
    assert torch.equal(session.ledger.ids, plain.ledger.ids)
    assert session.kv_bytes == plain.kv_bytes


def test_reuse_is_decided_by_content(adapter: Adapter) -> None:
    """The same tokens with another picture are not the same prefix."""
    session = full(adapter)
    session.extend(episode(adapter, 1, first=0))
    other = episode(adapter, 1, first=8)  # the size of screenshot 0, other pixels
    renamed = tuple(
        Message(m.role, tuple(type(p)(p.image, 0) if hasattr(p, "image") else p for p in m.parts)) for m in other
    )
    session.extend(renamed)
    fresh = full(adapter)
    fresh.extend(renamed)
    assert torch.equal(adapter.encode(renamed).ids, adapter.encode(episode(adapter, 1)).ids)
    torch.testing.assert_close(session.next_logits, fresh.next_logits, **CLOSE)
    start = int((session.ledger.frames == 0).nonzero()[0])
    assert session.cost.tokens_reused == start


@pytest.mark.parametrize("moment", ["prefill", "next_observation"])
@pytest.mark.parametrize("name", list(POLICIES))
def test_bytes_are_entries_times_kv_heads(adapter: Adapter, name: str, moment: str) -> None:
    session = Session(adapter, Settings(make_policy(name), Budget(20, "percent"), moment=moment))  # type: ignore[arg-type]
    for frames in range(1, 5):
        step(session, episode(adapter, frames))
        shape = adapter.shape
        entries = sum(layer.entries for layer in session.cache.layers)
        assert session.kv_bytes == entries * 2 * shape.kv_heads * shape.head_dim * 4
        assert session.kv_bytes == session.cost.kv_bytes
        for layer in session.cache.layers:
            assert layer.keys.shape[1] == shape.kv_heads
    ratio = session.kv_bytes / session.cost.full_kv_bytes
    assert ratio == 1 if name == "full" else 0.05 < ratio < 0.65


def test_budget_does_not_grow_with_the_episode(adapter: Adapter) -> None:
    session = gui(adapter, history=3, moment="prefill")
    sizes = []
    for frames in range(1, 13):
        step(session, episode(adapter, frames))
        assert session.kv_bytes <= 0.2 * session.cost.full_kv_bytes or session.kv_bytes < 200_000
        sizes.append(session.kv_bytes)
    assert max(sizes[4:]) < 1.1 * min(sizes[4:])


@pytest.mark.parametrize("name", [n for n in POLICIES if n != "full"])
def test_protected_spans_survive(adapter: Adapter, name: str) -> None:
    session = Session(adapter, Settings(make_policy(name), Budget(3, "percent"), moment="prefill", protect=True))
    step(session, episode(adapter, 3))
    rows = set(session.ledger.protected.nonzero().flatten().tolist())
    assert rows
    for layer in session.cache.layers:
        for head in layer.index[0]:
            assert rows <= set(head.tolist())


def test_removing_a_frame_moves_nobody(adapter: Adapter) -> None:
    session = full(adapter)
    session.extend(episode(adapter, 3))
    positions, before = session.ledger.positions.clone(), session.cache.layers[0].keys.clone()
    rows = session.ledger.turns != 1
    session.drop_frame(1)
    session.ledger.verify(session.cache)
    assert torch.equal(session.ledger.positions, positions)
    assert torch.equal(session.cache.layers[0].keys, before[:, :, rows])
    assert session.kept_patches()[1].kept == (0.0,) * len(session.kept_patches()[1].kept)
    # What follows attends to exactly the entries that are left.
    session.extend(episode(adapter, 4))
    session.ledger.verify(session.cache)
    assert session.cost.tokens_reused == len(rows)


def test_removing_a_frame_from_a_compressed_cache(adapter: Adapter) -> None:
    """Heads keep different numbers of its tokens: the cache becomes ragged and stays right."""
    session = gui(adapter, moment="prefill", budget=80)
    step(session, episode(adapter, 3))
    assert not any(layer.padded for layer in session.cache.layers)
    session.drop_frame(0)
    assert any(layer.padded for layer in session.cache.layers)
    session.ledger.verify(session.cache)
    assert not bool(torch.isin(session.cache.layers[0].index, (session.ledger.turns == 0).nonzero()).any())
    step(session, episode(adapter, 4))
    assert session.next_logits is not None
    assert bool(session.next_logits.isfinite().all())


def test_ragged_attention_ignores_padding(adapter: Adapter) -> None:
    """A head's result does not depend on how much padding the longest head forces on it."""
    from guikv.attention import attend

    torch.manual_seed(0)
    query, key, value = torch.randn(1, 4, 3, 16), torch.randn(1, 2, 9, 16), torch.randn(1, 2, 9, 16)
    padding = torch.zeros(1, 2, 9, dtype=torch.bool)
    padding[:, 1, :4] = True
    for rows in (1, 3):
        got = attend(query[:, :, -rows:], key, value, padding=padding)
        alone = attend(query[:, 2:, -rows:], key[:, 1:, 4:], value[:, 1:, 4:])
        torch.testing.assert_close(got[:, 2:], alone)


@pytest.mark.parametrize("moment", ["prefill", "next_observation"])
def test_saved_session_continues_bit_for_bit(adapter: Adapter, tmp_path: Path, moment: str) -> None:
    session = gui(adapter, moment=moment)
    step(session, episode(adapter, 3))
    session.drop_frame(0)
    session.save(tmp_path / "s")
    loaded, forked = Session.load(tmp_path / "s", adapter), session.fork()
    results = []
    for s in (session, loaded, forked):
        first = s.next_logits.clone()
        reply = s.generate(max_new_tokens=5)
        step(s, episode(adapter, 4))
        results.append((first, reply.ids, s.next_logits, s.cache.layers[1].keys, s.cache.layers[2].index))
    for other in results[1:]:
        for mine, theirs in zip(results[0], other, strict=True):
            assert torch.equal(mine, theirs) if isinstance(mine, Tensor) else mine == theirs


def test_fork_is_independent(adapter: Adapter) -> None:
    session = gui(adapter)
    step(session, episode(adapter, 2))
    keys = session.cache.layers[0].keys.clone()
    other = session.fork()
    step(other, episode(adapter, 4))
    other.generate(3)
    assert torch.equal(session.cache.layers[0].keys, keys)
    session.ledger.verify(session.cache)


def test_loading_damaged_or_foreign_sessions_is_a_typed_error(adapter: Adapter, tmp_path: Path) -> None:
    from guikv.models.random_weights import random_model

    session = gui(adapter)
    step(session, episode(adapter, 2))
    session.save(tmp_path)
    with pytest.raises(SessionError, match="another model"):
        Session.load(tmp_path, random_model(seed=7))
    (tmp_path / "session.safetensors").write_bytes((tmp_path / "session.safetensors").read_bytes()[:500])
    with pytest.raises(SessionError, match="no usable session"):
        Session.load(tmp_path, adapter)
    with pytest.raises(SessionError):
        Session.load(tmp_path / "nowhere", adapter)


def test_windows(adapter: Adapter) -> None:
    """shrink keeps survivors of old screenshots, drop none, recompute equals the stateless protocol."""

    def start(window: str) -> Session:
        budget = Budget(60, "percent")
        return Session(adapter, Settings(GuiKV(), budget, moment="prefill", window=window, history=2))  # type: ignore[arg-type]

    sessions = {w: start(w) for w in ("shrink", "drop", "recompute")}
    for frames in range(1, 6):
        messages = episode(adapter, frames)
        for session in sessions.values():
            step(session, messages)
        stateless = start("shrink")
        step(stateless, last_frames(messages, 2))
        torch.testing.assert_close(sessions["recompute"].next_logits, stateless.next_logits, **CLOSE)
        for mine, theirs in zip(sessions["recompute"].cache.layers, stateless.cache.layers, strict=True):
            assert torch.equal(mine.index, theirs.index)
        assert sessions["recompute"].kv_bytes == stateless.kv_bytes
    held = {w: s.cost.entries_per_frame for w, s in sessions.items()}
    assert sum(held["shrink"][n] for n in (0, 1, 2)) > 0
    assert sum(held["drop"][n] for n in (0, 1, 2)) == 0
    assert set(held["recompute"]) == {3, 4}
    assert sessions["recompute"].cost.tokens_recomputed > sessions["shrink"].cost.tokens_recomputed


def test_current_screenshot_stays_whole_until_its_successor(adapter: Adapter) -> None:
    session = gui(adapter, moment="next_observation")
    for frames in range(1, 5):
        step(session, episode(adapter, frames))
        patches = session.kept_patches()
        assert set(patches[frames - 1].kept) == {1.0}
        if frames > 1:
            assert sum(patches[frames - 2].kept) < 0.7 * len(patches[frames - 2].kept)


def test_generating_from_nothing_is_a_typed_error(adapter: Adapter) -> None:
    session = full(adapter)
    with pytest.raises(SessionError, match="extend"):
        session.generate()
    with pytest.raises(SessionError, match="follows extend"):
        gui(adapter).compress()
    session.extend(episode(adapter, 1))
    with pytest.raises(SessionError, match="inside screenshot"):
        session.truncate(int((session.ledger.frames == 0).nonzero()[3]))
    with pytest.raises(SessionError, match="no screenshot 9"):
        session.drop_frame(9)


def test_a_forward_that_fails_halfway_changes_nothing(adapter: Adapter) -> None:
    """As when memory runs out: the session goes on as if the attempt had not been made."""
    session, plain = gui(adapter), gui(adapter)
    for s in (session, plain):
        step(s, episode(adapter, 2))

    def fail(*_: object) -> None:
        raise MemoryError("layer 1")

    handle = adapter.decoder_layers[1].register_forward_hook(fail)
    try:
        with pytest.raises(MemoryError):
            session.extend(episode(adapter, 3))
        with pytest.raises(MemoryError):
            session.feed(5)
    finally:
        handle.remove()
    session.ledger.verify(session.cache)
    for s in (session, plain):
        step(s, episode(adapter, 3))
    assert torch.equal(session.next_logits, plain.next_logits)
