"""Qwen3.5-style hybrids: entries in the full-attention layers, states in the linear ones, cut back only to marks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from guikv.budget import Budget
from guikv.content import Message, Reply, last_frames
from guikv.errors import ModelError, SessionError
from guikv.hybrid_cache import MARKS, HybridCache, bytes_of_states
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.images import patches
from guikv.policies import POLICIES, Full, GuiKV, SnapKV, make_policy
from guikv.prompt import NO_FRAME, Prompt
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv import hybrid_checkpoint, hybrid_reference
from tests.guikv.conftest import episode

CLOSE = {"atol": 1e-4, "rtol": 1e-4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hybrid")
    hybrid_checkpoint.write(made)
    return made


@pytest.fixture(scope="module")
def adapter(folder: Path) -> Adapter:
    return load_model(str(folder), device="cpu", dtype="float32", pack_weights=False)


def by_transformers(adapter: Adapter, prompt: Prompt) -> Tensor:
    """Last logits of a plain forward over the whole conversation, with transformers' own attention and positions."""
    adapter.model.set_attn_implementation({"text_config": "sdpa"})
    images = [prompt.images[n] for n in sorted(prompt.images)]
    try:
        with torch.inference_mode():
            return adapter.model(  # type: ignore[no-any-return]
                input_ids=prompt.ids[None],
                mm_token_type_ids=(prompt.frames[None] != NO_FRAME).int(),
                pixel_values=torch.cat([patches(p, adapter.processor) for p in images]),
                image_grid_thw=torch.tensor([p.grid for p in images]),
            ).logits[0, -1]
    finally:
        adapter.model.set_attn_implementation({"text_config": "guikv"})


@torch.inference_mode()
def by_reference(adapter: Adapter, prompt: Prompt, visible: dict[int, Tensor] | None = None) -> Tensor:
    """Last logits by the decoder in plain torch."""
    embeds = adapter.embed_text(prompt.ids).clone()
    for number, pixels in prompt.images.items():
        embeds[prompt.frames == number] = adapter.embed_image(pixels).tokens
    text = adapter.model.config.text_config
    weights = adapter.model.state_dict()
    return hybrid_reference.logits(weights, text, embeds, prompt.positions, visible)[-1]


def seen_by(session: Session, prompt: Prompt) -> dict[int, Tensor]:
    """Layer → what rows after the session's present end may see there."""
    n, end = len(prompt), len(session.ledger)
    out = {}
    for number, layer in session.cache.kv:
        heads = layer.index.shape[1]
        held = torch.zeros(heads, n, dtype=torch.bool).scatter(1, layer.index[0], True)
        held[:, end:] = True
        out[number] = torch.ones(heads, n, n, dtype=torch.bool)
        out[number][:, end:] = held.unsqueeze(1)
    return out


def cache_of(session: Session) -> HybridCache:
    assert isinstance(session.cache, HybridCache)
    return session.cache


def answered(session: Session, messages: tuple[Message, ...], tokens: int = 4) -> tuple[Message, ...]:
    """Extend, generate, and give the conversation with that reply, as an agent does."""
    session.extend(messages)
    reply = session.generate(tokens, min_new_tokens=tokens)
    return (*messages, Message("assistant", (Reply(reply.ids, reply.text),)))


def test_six_steps_equal_transformers(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    assert (adapter.family, adapter.dialect) == ("qwen3_5", "qwen3")
    for frames in range(1, 7):
        messages = episode(adapter, frames)
        session.extend(messages)
        prompt = adapter.encode(messages)
        torch.testing.assert_close(session.next_logits, by_transformers(adapter, prompt), **CLOSE)
        if frames % 3 == 0:
            torch.testing.assert_close(session.next_logits, by_reference(adapter, prompt), **CLOSE)
        assert session.cost.tokens_recomputed == 0


def test_with_experts(tmp_path: Path) -> None:
    hybrid_checkpoint.write(tmp_path, experts=True)
    adapter = load_model(str(tmp_path), device="cpu", dtype="float32")
    assert (adapter.family, adapter.shape.intermediate) == ("qwen3_5_moe", 3 * 24)
    session = Session(adapter, Settings(Full()))
    for frames in range(1, 4):
        answered(session, episode(adapter, frames))
    session.extend(episode(adapter, 4))
    prompt = adapter.encode(episode(adapter, 4))
    torch.testing.assert_close(session.next_logits, by_transformers(adapter, prompt), **CLOSE)


def test_an_episode_computes_nothing_twice(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    messages: tuple[Message, ...] = episode(adapter, 1)
    for number in range(1, 6):
        held = len(session.ledger)
        messages = answered(session, messages)
        assert (session.cost.tokens_reused, session.cost.tokens_recomputed) == (held, 0)
        messages = (*messages, *episode(adapter, 1, first=number)[-1:])
    session.extend(messages)
    torch.testing.assert_close(session.next_logits, by_transformers(adapter, adapter.encode(messages)), **CLOSE)


def test_decoding_equals_transformers(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    conversation = answered(session, episode(adapter, 2), tokens=9)
    prompt = adapter.encode(conversation, generate=False)
    cut = len(session.ledger)
    whole = Prompt(
        prompt.ids[:cut], prompt.positions[:, :cut], prompt.frames[:cut], prompt.turns[:cut], prompt.protected[:cut],
        prompt.images,
    )  # fmt: skip
    torch.testing.assert_close(session.next_logits, by_transformers(adapter, whole), **CLOSE)


def test_another_continuation_is_computed_from_the_mark_before(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    answered(session, episode(adapter, 3))
    ends = [len(adapter.encode(episode(adapter, n))) for n in (2, 3)]
    # The reply in the conversation is another than the generated one.
    session.extend(episode(adapter, 4))
    assert session.cost.tokens_reused == ends[1]
    torch.testing.assert_close(
        session.next_logits, by_transformers(adapter, adapter.encode(episode(adapter, 4))), **CLOSE
    )
    # The same conversation once more: its last token has to run, and there is no mark right before it.
    session.extend(episode(adapter, 4))
    assert session.cost.tokens_reused == ends[1]
    torch.testing.assert_close(
        session.next_logits, by_transformers(adapter, adapter.encode(episode(adapter, 4))), **CLOSE
    )


def test_marks_are_bounded(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    for frames in range(1, 2 * MARKS):
        answered(session, episode(adapter, frames), tokens=3)
    cache = cache_of(session)
    assert len(cache.marks) <= MARKS + 1
    one = sum(t.numel() * t.element_size() for layer in cache.states for t in layer.state if t is not None)
    assert (
        one
        <= cache.state_bytes
        <= bytes_of_states(adapter.model.config.text_config, adapter.dtype)
        == (MARKS + 2) * one
    )
    assert session.cost.state_bytes == cache.state_bytes
    # Before the oldest mark there is only the beginning.
    session.extend(episode(adapter, 1))
    assert session.cost.tokens_reused == 0


def test_truncate_to_a_mark_and_nowhere_else(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    answered(session, episode(adapter, 2))
    mark = len(adapter.encode(episode(adapter, 2)))
    ids, logits = session.ledger.ids, session.next_logits
    with pytest.raises(SessionError, match=f"can be cut back to .*{mark}"):
        session.truncate(mark - 3)
    assert session.ledger.ids is ids
    assert session.next_logits is logits
    session.truncate(mark)
    session.ledger.verify(session.cache)
    fresh = Session(adapter, Settings(Full()))
    fresh.extend(episode(adapter, 2))
    for one in (session, fresh):
        one.feed(5)
    torch.testing.assert_close(session.next_logits, fresh.next_logits, **CLOSE)
    session.truncate(0)
    session.extend(episode(adapter, 1))
    torch.testing.assert_close(
        session.next_logits, by_transformers(adapter, adapter.encode(episode(adapter, 1))), **CLOSE
    )


def test_a_screenshot_cannot_be_dropped(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    session.extend(episode(adapter, 3))
    entries, bytes_ = session.cache.entries, session.kv_bytes
    with pytest.raises(SessionError, match="cannot forget a screenshot"):
        session.drop_frame(1)
    assert (session.cache.entries, session.kv_bytes) == (entries, bytes_)
    assert not bool(session.ledger.dropped.any())
    with pytest.raises(SessionError, match="window 'shrink' or 'recompute'"):
        Session(adapter, Settings(Full(), window="drop"))


def test_recompute_is_the_stateless_protocol(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full(), window="recompute", history=2))
    for frames in range(1, 6):
        session.extend(episode(adapter, frames))
        prompt = adapter.encode(last_frames(episode(adapter, frames), 2))
        torch.testing.assert_close(session.next_logits, by_transformers(adapter, prompt), **CLOSE)


@pytest.mark.parametrize("policy", [GuiKV(), SnapKV(), GuiKV(selection="query")])
def test_compress_the_full_attention_layers(adapter: Adapter, policy: GuiKV | SnapKV) -> None:
    """Later rows no longer see what was evicted there; the states know everything still."""
    session = Session(adapter, Settings(policy, Budget(20, "percent")))
    session.extend(episode(adapter, 3))
    entries, states = session.cache.entries, cache_of(session).extra()
    session.compress()
    session.ledger.verify(session.cache)
    assert session.cache.entries < entries
    assert all(torch.equal(t, states[name]) for name, t in cache_of(session).extra().items())
    prompt = adapter.encode(episode(adapter, 4))
    visible = seen_by(session, prompt)
    session.extend(episode(adapter, 4))
    torch.testing.assert_close(session.next_logits, by_reference(adapter, prompt, visible), **CLOSE)


@pytest.mark.parametrize("name", list(POLICIES))
def test_bytes_are_those_of_the_full_attention_layers(adapter: Adapter, name: str) -> None:
    session = Session(adapter, Settings(make_policy(name), Budget(20, "percent")))
    for frames in range(1, 4):
        session.extend(episode(adapter, frames))
        session.compress()
        session.ledger.verify(session.cache)
    assert session.kv_bytes == session.cache.entries * 2 * adapter.shape.kv_heads * adapter.shape.head_dim * 4
    assert len(session.cache.kv) == adapter.shape.layers == 2
    assert session.cost.full_kv_bytes == len(session.ledger) * 2 * 2 * 2 * 32 * 4
    assert session.cost.flops > 0
    assert set(session.kept_patches()) == {0, 1, 2}


def test_save_and_load(adapter: Adapter, tmp_path: Path) -> None:
    session = Session(adapter, Settings(GuiKV(), Budget(20, "percent")))
    session.extend(episode(adapter, 3))
    session.compress()
    session.save(tmp_path)
    loaded = Session.load(tmp_path, adapter)
    assert loaded.generate(6, 6).ids == session.generate(6, 6).ids
    assert torch.equal(loaded.next_logits, session.next_logits)  # type: ignore[arg-type]


def test_a_fork_goes_its_own_way(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    session.extend(episode(adapter, 2))
    before = {name: t.clone() for name, t in cache_of(session).extra().items()}
    other = session.fork()
    for token in (3, 4, 5):
        other.feed(token)
    assert all(torch.equal(t, before[name]) for name, t in cache_of(session).extra().items())
    session.feed(3)
    plain = Session(adapter, Settings(Full()))
    plain.extend(episode(adapter, 2))
    plain.feed(3)
    assert torch.equal(session.next_logits, plain.next_logits)  # type: ignore[arg-type]


@contextmanager
def failing(
    adapter: Adapter, layer: int, after: int = 0, error: BaseException | type[BaseException] = KeyboardInterrupt
) -> Iterator[None]:
    """The decoder layer raises when it has run `after` times."""
    runs = 0

    def hook(*args: Any) -> None:
        nonlocal runs
        runs += 1
        if runs > after:
            raise error

    handle = adapter.decoder_layers[layer].register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@pytest.mark.parametrize("layer", [0, 1, 4, 7])
def test_a_failed_forward_leaves_the_session_as_it_was(adapter: Adapter, layer: int) -> None:
    session, plain = Session(adapter, Settings(Full())), Session(adapter, Settings(Full()))
    for one in (session, plain):
        one.extend(episode(adapter, 2))
    with failing(adapter, layer), pytest.raises(KeyboardInterrupt):
        session.extend(episode(adapter, 3))
    with failing(adapter, layer), pytest.raises(KeyboardInterrupt):
        session.feed(3)
    session.ledger.verify(session.cache)
    for one in (session, plain):
        one.feed(7)
        one.feed(8)
    with failing(adapter, layer), pytest.raises(KeyboardInterrupt):
        session.feed(9)
    for one in (session, plain):
        one.feed(9)
    assert torch.equal(session.next_logits, plain.next_logits)  # type: ignore[arg-type]
    for one in (session, plain):
        one.extend(episode(adapter, 3))
    assert torch.equal(session.next_logits, plain.next_logits)  # type: ignore[arg-type]


def test_a_failed_second_reply_leaves_the_first(adapter: Adapter) -> None:
    """Its beginning is no end of a prefill, and is marked all the same."""
    session, plain = Session(adapter, Settings(Full())), Session(adapter, Settings(Full()))
    for one in (session, plain):
        one.extend(episode(adapter, 1))
        one.generate(3, 3)
    with failing(adapter, 4, after=2, error=SessionError("enough")), pytest.raises(SessionError, match="enough"):
        session.generate(5, 5)
    assert len(session.ledger) == len(plain.ledger)
    assert session.generate(5, 5).ids == plain.generate(5, 5).ids
    assert torch.equal(session.next_logits, plain.next_logits)  # type: ignore[arg-type]


def test_unknown_kinds_of_layers(folder: Path, tmp_path: Path) -> None:
    for kinds, said in ((["linear_attention"] * 8, "linear_attention"), (["sliding_attention"] * 8, "sliding")):
        copy = tmp_path / kinds[0]
        shutil.copytree(folder, copy)
        data = json.loads((copy / "config.json").read_text())
        data["text_config"]["layer_types"] = kinds
        (copy / "config.json").write_text(json.dumps(data))
        with pytest.raises(ModelError, match=said):
            load_model(str(copy), device="cpu")
