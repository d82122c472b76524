"""Every architecture in a session: cut, without a screenshot, compressed, saved; against transformers where it can."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from guikv.budget import Budget
from guikv.models.base import Adapter
from guikv.models.vision import Features
from guikv.policies import POLICIES, Full, GuiKV, make_policy
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.plain import Plain, conversation

CLOSE = {"atol": 1e-4, "rtol": 1e-4}


def talk(adapter: Adapter, steps: int) -> tuple:
    return conversation(adapter.tokenizer, steps)


def full(adapter: Adapter, **options: object) -> Session:
    return Session(adapter, Settings(Full(), **options))  # type: ignore[arg-type]


def rows_of(session: Session, frame: int) -> Tensor:
    return session.ledger.turns == frame


@pytest.mark.parametrize("cut", [1, 20, "screenshot 1", "screenshot 2", "end of screenshot 1"])
def test_truncate_then_extend(published: Adapter, plain: Plain, cut: int | str) -> None:
    """Screenshots after the cut are prefilled again in the middle of a conversation, features and all."""
    session = full(published)
    session.extend(talk(published, 4))
    if isinstance(cut, str):
        rows = (session.ledger.frames == int(cut[-1])).nonzero().flatten()
        cut = int(rows[-1]) + 1 if cut.startswith("end") else int(rows[0])
    session.truncate(cut)
    session.ledger.verify(session.cache)
    session.extend(talk(published, 4))
    assert session.cost.tokens_reused == cut
    assert session.cost.vision_misses == 0
    torch.testing.assert_close(session.next_logits, plain.logits(talk(published, 4)), **CLOSE)


@pytest.mark.parametrize("frame", [0, 1])
def test_drop_a_frame_in_the_middle_of_an_episode(published: Adapter, plain: Plain, frame: int) -> None:
    """What comes after it does not see the screenshot, what came before it has; nobody's position moves."""
    session = full(published)
    session.extend(talk(published, 3))
    before, positions = len(session.ledger), session.ledger.positions
    gone = rows_of(session, frame)
    session.drop_frame(frame)
    session.ledger.verify(session.cache)
    assert torch.equal(session.ledger.positions, positions)
    session.extend(talk(published, 4))
    assert session.cost.tokens_reused == before
    count = len(session.ledger)
    unseen = torch.zeros(count, count, dtype=torch.bool)
    unseen[before:, :before] = gone
    expected = plain.logits(talk(published, 4), unseen)
    torch.testing.assert_close(session.next_logits, expected, **CLOSE)
    assert not torch.allclose(expected, plain.logits(talk(published, 4)), atol=1e-2)


@pytest.mark.parametrize(
    ("name", "moment"), [*((name, "next_observation") for name in POLICIES), ("gui_kv", "prefill")]
)
def test_compresses(published: Adapter, name: str, moment: str) -> None:
    session = Session(published, Settings(make_policy(name), Budget(20, "percent"), moment))  # type: ignore[arg-type]
    for steps in (2, 3, 4):
        session.extend(talk(published, steps))
        session.compress()
        session.ledger.verify(session.cache)
    assert len(session.generate(2, min_new_tokens=2).ids) == 2
    shape, entries = published.shape, sum(layer.entries for layer in session.cache.layers)
    assert session.kv_bytes == entries * 2 * shape.kv_heads * shape.head_dim * 4
    ratio = session.kv_bytes / session.cost.full_kv_bytes
    assert ratio > 0.99 if name == "full" else 0.1 < ratio < 0.75


def test_a_budget_of_everything_changes_nothing(published: Adapter, plain: Plain) -> None:
    session = Session(published, Settings(GuiKV(), Budget(100, "percent"), moment="prefill", history=9))
    for steps in range(1, 4):
        session.extend(talk(published, steps))
        session.compress()
    torch.testing.assert_close(session.next_logits, plain.logits(talk(published, 3)), **CLOSE)


@pytest.mark.parametrize("window", ["shrink", "drop", "recompute"])
def test_windows(published: Adapter, plain: Plain, window: str) -> None:
    session = full(published, window=window, history=2)
    for steps in range(1, 5):
        session.extend(talk(published, steps))
        session.ledger.verify(session.cache)
    if window == "shrink":
        torch.testing.assert_close(session.next_logits, plain.logits(talk(published, 4)), **CLOSE)
    held = {n for n, kept in session.kept_patches().items() if sum(kept.kept)}
    assert held == ({0, 1, 2, 3} if window == "shrink" else {2, 3})


def test_saved_and_forked_sessions_go_on_bit_for_bit(published: Adapter, tmp_path: Path) -> None:
    session = Session(published, Settings(GuiKV(), Budget(30, "percent")))
    for steps in (1, 2, 3):
        session.extend(talk(published, steps))
        session.compress()
    session.save(tmp_path)
    results = []
    for one in (session, session.fork(), Session.load(tmp_path, published)):
        one.extend(talk(published, 4))
        one.compress()
        reply = one.generate(4, min_new_tokens=4)
        results.append((reply.ids, one.next_logits, one.cache.layers[1].keys))
    for ids, logits, keys in results[1:]:
        assert ids == results[0][0]
        assert torch.equal(logits, results[0][1])
        assert torch.equal(keys, results[0][2])


@pytest.mark.parametrize("checkpoint", ["qwen3_vl"], indirect=True)
def test_deep_features_count(published: Adapter, plain: Plain) -> None:
    """Without what deepstack adds after the first layers the logits would be others."""
    session = full(published)
    session.extend(talk(published, 2))
    prompt = published.encode(talk(published, 3))
    pixels = prompt.images[2]
    features = published.embed_image(pixels)
    assert [tuple(deep.shape) for deep in features.deep] == [tuple(features.tokens.shape)] * 3
    other = session.fork()
    published.vision_cache.put(pixels, Features(features.tokens, tuple(torch.zeros_like(d) for d in features.deep)))
    other.extend(prompt)
    published.vision_cache.put(pixels, features)
    session.extend(prompt)
    expected = plain.logits(talk(published, 3))
    torch.testing.assert_close(session.next_logits, expected, **CLOSE)
    assert float((other.next_logits - expected).abs().max()) > 0.01
