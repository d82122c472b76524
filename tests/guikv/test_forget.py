"""A screenshot that is forgotten: afterwards the session is one that never saw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from guikv.budget import Budget
from guikv.content import Frame, Message, Reply, Text
from guikv.costs import StepCost
from guikv.errors import DeviceMemoryError, SessionError
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model
from guikv.policies import Full, GuiKV
from guikv.prompt import NO_FRAME
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.architectures import ARCHITECTURES, tiny
from tests.guikv.conftest import episode, screenshot

CLOSE = {"atol": 1e-4, "rtol": 1e-4}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    return tiny(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture
def own() -> Adapter:
    """A model that a test may change."""
    return random_model()


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
