"""A session that decodes in a slot of its own says what one without says, whatever happens to its cache between."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from guikv.budget import Budget
from guikv.engine.graphs import GraphDecoder
from guikv.engine.sampling import Sampling
from guikv.errors import DeviceMemoryError
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.policies import Full, GuiKV, SnapKV
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv import hybrid_checkpoint
from tests.guikv.conftest import episode

KINDS = {
    "gui_kv": Settings(GuiKV(), Budget(30, "percent")),
    "prefill": Settings(GuiKV(), Budget(30, "percent"), moment="prefill"),
    "dropped": Settings(SnapKV(), Budget(80, "percent"), moment="prefill", window="drop", history=2),
    "recomputed": Settings(GuiKV(), Budget(30, "percent"), window="recompute", history=2),
    "full": Settings(Full()),
}
STEPS = 5


def decoder_of(session: Session) -> GraphDecoder:
    assert session._lane is not None
    assert session._lane.decoder is not None
    return session._lane.decoder


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_replies(adapter: Adapter, kind: str) -> None:
    plain, lane = (Session(adapter, KINDS[kind], slots=slots) for slots in (False, True))
    assert plain._lane is None
    for frames in range(1, STEPS + 1):
        for session in (plain, lane):
            session.extend(episode(adapter, frames))
            session.compress()
        expected = plain.generate(6, 6)
        assert lane.generate(6, 6) == expected
        torch.testing.assert_close(lane.next_logits, plain.next_logits, atol=1e-4, rtol=1e-4)
        lane.ledger.verify(lane.cache)
        assert lane.kv_bytes == plain.kv_bytes
    assert decoder_of(lane).steps, "no step ran in the slot"


def test_every_token_runs_in_the_slot(adapter: Adapter) -> None:
    session = Session(adapter, KINDS["gui_kv"], slots=True)
    counted: dict[GraphDecoder, int] = {}
    for frames in range(1, STEPS + 1):
        session.extend(episode(adapter, frames))
        session.compress()
        session.generate(6, 6)
        counted[decoder_of(session)] = decoder_of(session).steps
        assert sum(counted.values()) == 6 * frames


def test_a_slot_that_was_outgrown_is_replaced(adapter: Adapter) -> None:
    session = Session(adapter, KINDS["full"], slots=True)
    session.extend(episode(adapter, 1))
    session.generate(2, 2)
    first = decoder_of(session).slots
    other = session.fork()
    session.extend(episode(adapter, 9))
    reply = session.generate(first.capacity, first.capacity)
    assert decoder_of(session).slots.capacity > first.capacity
    other.extend(episode(adapter, 9))
    assert other.generate(first.capacity, first.capacity) == reply


def test_forks_go_on_by_themselves(adapter: Adapter) -> None:
    session = Session(adapter, KINDS["gui_kv"], slots=True)
    session.extend(episode(adapter, 2))
    session.compress()
    session.generate(3, 3)
    fork = session.fork()
    keys = fork.cache.layers[0].keys.clone()
    session.extend(episode(adapter, 3))
    session.compress()
    session.generate(6, 6, Sampling(temperature=1.0, seed=1))
    assert torch.equal(fork.cache.layers[0].keys, keys)
    fork.ledger.verify(fork.cache)
    session.ledger.verify(session.cache)


def test_heads_that_slots_are_not_made_for_decode_without(adapter: Adapter) -> None:
    settings = Settings(GuiKV(selection="query"), Budget(30, "percent"), moment="prefill")
    plain, lane = (Session(adapter, settings, slots=slots) for slots in (False, True))
    for session in (plain, lane):
        session.extend(episode(adapter, 2))
        session.compress()
    assert lane.generate(4, 4) == plain.generate(4, 4)


def test_no_memory_for_a_slot(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    session = Session(adapter, KINDS["gui_kv"], slots=True)
    session.extend(episode(adapter, 1))
    with monkeypatch.context() as patched:
        patched.setattr("guikv.engine.lane.Slots", full)
        with pytest.raises(DeviceMemoryError, match="making a slot"):
            session.generate(3, 3)
    assert len(session.generate(3, 3).ids) == 3


def test_a_hybrid_has_no_slots(tmp_path: Path) -> None:
    hybrid_checkpoint.write(tmp_path)
    assert Session(load_model(str(tmp_path), "cpu", "float32"), slots=True)._lane is None
