"""Drafts of a reply are checked in one forward pass: what comes of it is what greedy decoding says."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from guikv.budget import Budget
from guikv.errors import ContextError, DeviceMemoryError, SessionError
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.random_weights import TINY, TINY_QWEN3, random_model, random_qwen3
from guikv.policies import Full, GuiKV, Policy
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv import hybrid_checkpoint
from tests.guikv.conftest import episode

NEW = 8


@pytest.fixture(scope="module", params=["qwen2_5_vl", "qwen3_vl", "qwen3_5"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    if request.param == "qwen3_5":
        folder: Path = tmp_path_factory.mktemp("hybrid")
        hybrid_checkpoint.write(folder)
        return load_model(str(folder), device="cpu", dtype="float32")
    # With a head of its own it does not say the same token for ever.
    make, sizes = (random_model, TINY) if request.param == "qwen2_5_vl" else (random_qwen3, TINY_QWEN3)
    return make(replace(sizes, tied=False), seed=1)


def ready(model: Adapter, policy: Policy) -> Session:
    """A session before its third reply, with holes in the cache where the policy makes some."""
    session = Session(model, Settings(policy, Budget(20, "percent")))
    for frames in (1, 2, 3):
        session.extend(episode(model, frames))
        session.compress()
    return session


def content(session: Session) -> list[Tensor]:
    tensors = [session.ledger.ids, session.ledger.positions]
    for _, layer in session.cache.kv:
        tensors += [layer.keys, layer.values, layer.index]
    return [*tensors, *session.cache.extra().values()]


@pytest.mark.parametrize("policy", [Full(), GuiKV()], ids=["full", "gui_kv"])
def test_a_draft_counts_as_far_as_the_model_agrees(model: Adapter, policy: Policy) -> None:
    session = ready(model, policy)
    said = session.fork().generate(NEW, min_new_tokens=NEW).ids
    before, logits, cost = content(session), session.next_logits, session.cost
    rng = random.Random(0)
    tried = 0
    for length in range(NEW):
        for _ in range(4):
            wrong = tuple(rng.randrange(200) for _ in range(rng.randrange(4)))
            draft = (*said[:length], *wrong)
            agreed = next((i for i, (a, b) in enumerate(zip(draft, said, strict=False)) if a != b), len(draft))
            if agreed >= NEW:
                continue
            found = session.verify(draft)
            assert found.ids == said[: agreed + 1]
            assert (found.text, found.finished) == (model.decode_text(found.ids), False)
            tried += 1
    assert tried > 24
    assert session.next_logits is logits
    assert all(torch.equal(a, b) for a, b in zip(content(session), before, strict=True))
    assert session.cost.tokens_generated == cost.tokens_generated == 0
    assert session.generate(NEW, min_new_tokens=NEW).ids == said, "looking changes nothing"


def test_the_whole_reply_is_known_where_the_model_ends_it(model: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    session = ready(model, Full())
    said = session.fork().generate(NEW, min_new_tokens=NEW).ids
    place = next(i for i in range(1, NEW) if said[i] not in said[:i])
    monkeypatch.setattr(type(model), "stop_ids", frozenset({said[place]}))
    whole = session.fork().generate(NEW)
    assert (whole.ids, whole.finished) == (said[:place], True)
    assert session.verify(whole.ids) == whole
    assert session.verify((*whole.ids, 3, 3)) == whole, "a draft that goes on too long is cut where the model stops"
    assert not session.verify(whole.ids[:-1]).finished
    monkeypatch.setattr(type(model), "stop_ids", frozenset({said[0]}))
    assert session.verify(()) == session.verify(said) == session.fork().generate(NEW)
    assert session.verify(()).ids == ()


def test_what_cannot_be_verified_is_told(model: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SessionError, match="call extend first"):
        Session(model).verify((3, 4))
    session = ready(model, Full())
    before, logits = content(session), session.next_logits
    monkeypatch.setattr(type(model), "context", session.ledger.next_position + 2)
    with pytest.raises(ContextError):
        session.verify((3, 4, 5))
    monkeypatch.undo()

    def fails(hidden: Tensor) -> Tensor:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(model, "logits", fails)
    with pytest.raises(DeviceMemoryError, match="verifying a draft"):
        session.verify((3, 4, 5))
    monkeypatch.undo()
    assert all(torch.equal(a, b) for a, b in zip(content(session), before, strict=True))
    assert session.next_logits is logits
    session.verify((3, 4, 5))
