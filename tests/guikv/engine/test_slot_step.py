"""The decoding step over slots: right, one graph, and without a look at any value."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from guikv.budget import Budget
from guikv.cache import CompressedCache
from guikv.engine.batch import advance
from guikv.engine.graphs import GraphDecoder
from guikv.engine.sampling import Sampling
from guikv.engine.slot_step import rows_of, step
from guikv.engine.slots import Slots
from guikv.engine.writing import Writing
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model, random_qwen3
from guikv.policies import GuiKV
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.conftest import episode

CAPACITY = 2048


@pytest.fixture(params=[random_model, random_qwen3], ids=["qwen2.5", "qwen3"])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    made: Callable[[], Adapter] = request.param
    return made()


def in_slots(adapter: Adapter, monkeypatch: pytest.MonkeyPatch, slots: Slots) -> list[Session]:
    """Three sessions of different lengths, one of them with ragged heads."""
    monkeypatch.setattr(type(adapter), "new_cache", lambda self: CompressedCache(self.shape.layers, slots))
    sessions = []
    for number, window in enumerate(("shrink", "drop", "shrink")):
        settings = Settings(GuiKV(), Budget(80, "percent"), window=window, history=2, moment="prefill")  # type: ignore[arg-type]
        session = Session(adapter, settings)
        for frames in range(1, 3 + number):
            session.extend(episode(adapter, frames))
            session.compress()
        if window == "drop":
            session.drop_frame(1)
            session.feed(1)
        sessions.append(session)
    assert slots.outside == 0
    assert any(layer.padded for layer in sessions[1].cache.layers)
    return sessions


def new_slots(adapter: Adapter) -> Slots:
    return Slots(adapter.shape, list(range(adapter.shape.layers)), 8, CAPACITY, adapter.dtype, adapter.device)


def test_it_computes_what_each_session_would(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = new_slots(adapter)
    sessions = in_slots(adapter, monkeypatch, slots)
    expected = []
    for session in sessions:
        other = session.fork()
        for token in (7, 8, 9):
            other.feed(token)
        expected.append(other.next_logits)
    del other
    with torch.inference_mode():
        rows = rows_of([Writing(s.cache, s.ledger.next_position) for s in sessions], adapter.device)
        for token in (7, 8, 9):
            logits = step(adapter, slots, rows, torch.full((3,), token))
            rows.advance()
    torch.testing.assert_close(logits, torch.stack(expected), atol=1e-4, rtol=1e-4)  # type: ignore[arg-type]
    for session in sessions:
        session.ledger.verify(session.cache)


def test_it_is_one_graph_whose_shapes_do_not_change(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = new_slots(adapter)
    sessions = in_slots(adapter, monkeypatch, slots)
    graphs = []

    def backend(graph: torch.fx.GraphModule, inputs: object) -> torch.fx.GraphModule:
        graphs.append(graph)
        return graph

    torch._dynamo.reset()
    with torch.inference_mode():
        writings = [Writing(s.cache, s.ledger.next_position) for s in sessions]
        plain, compiled = rows_of(writings, adapter.device), rows_of(writings, adapter.device)
        whole = torch.compile(lambda rows, tokens: step(adapter, slots, rows, tokens), fullgraph=True, backend=backend)
        for token in (3, 4, 5):
            tokens = torch.full((3,), token)
            expected = step(adapter, slots, plain, tokens)
            torch.testing.assert_close(whole(compiled, tokens), expected)
            plain.advance()
            compiled.advance()
    assert len(graphs) == 1


def test_it_looks_at_no_value(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under fake tensors, which have shapes but no content, whatever asked for a value would raise."""
    slots = new_slots(adapter)
    sessions = in_slots(adapter, monkeypatch, slots)
    rows = rows_of([Writing(s.cache, s.ledger.next_position) for s in sessions], adapter.device)
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        logits = step(adapter, slots, rows, torch.full((3,), 5))
    assert type(logits).__name__ == "FakeTensor"
    assert logits.shape == (3, adapter.shape.vocabulary)


@pytest.mark.parametrize("ahead", [False, True])
def test_batches_of_any_size_and_changing_members(
    adapter: Adapter, monkeypatch: pytest.MonkeyPatch, ahead: bool
) -> None:
    slots = new_slots(adapter)
    sessions = in_slots(adapter, monkeypatch, slots)
    expected = [s.fork().generate(12, 12, drafts=False).ids for s in sessions]
    decoder = GraphDecoder(adapter, slots, ahead)
    replies = [session.reply(12, 12) for session in sessions]
    with torch.inference_mode():
        for turn in range(30):
            going = [r for n, r in enumerate(replies) if (turn + n) % 3 and r.next_ids(draft=False)]
            if going:
                assert decoder.fits(going)
                logits, likely = decoder.run(going, [r.asked[0] for r in going])
                assert logits.argmax(-1).tolist() == likely
                for reply, row in zip(going, logits, strict=True):
                    reply.take(row[None])
    assert [session.finish(reply).ids for session, reply in zip(sessions, replies, strict=True)] == expected


def test_a_fork_that_still_reads_is_left_alone(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = new_slots(adapter)
    session = in_slots(adapter, monkeypatch, slots)[0]
    longer = session.fork()
    longer.feed(3)
    keys = longer.cache.layers[0].keys.clone()
    decoder, reply = GraphDecoder(adapter, slots), session.reply(4, 4)
    with torch.inference_mode():
        while reply.next_ids(draft=False):
            assert decoder.fits([reply])
            reply.take(*decoder.run([reply], reply.asked))
    session.finish(reply)
    assert torch.equal(longer.cache.layers[0].keys, keys)


def test_a_step_ahead_is_used_by_those_who_go_on(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = new_slots(adapter)
    sessions = in_slots(adapter, monkeypatch, slots)
    lengths = (3, 9, 9)
    expected = [s.fork().generate(n, n, drafts=False) for s, n in zip(sessions, lengths, strict=True)]
    decoder = GraphDecoder(adapter, slots, ahead=True)
    replies = [session.reply(n, n, drafts=False) for session, n in zip(sessions, lengths, strict=True)]
    with torch.inference_mode():
        going = list(replies)
        while going:
            over = advance(adapter, going, decoder)
            going = [reply for reply in going if reply not in over]
    assert [s.finish(r) for s, r in zip(sessions, replies, strict=True)] == expected
    # Three tokens of three and one that was too much for one of them but right for two; then five more, and one more.
    assert decoder.steps == 10
    for session in sessions:
        session.ledger.verify(session.cache)


def test_who_draws_has_no_step_ahead(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = new_slots(adapter)
    session = in_slots(adapter, monkeypatch, slots)[0]
    sampling = Sampling(temperature=1.0, seed=4)
    expected = session.fork().generate(7, 7, sampling)
    decoder, reply = GraphDecoder(adapter, slots, ahead=True), session.reply(7, 7, sampling)
    with torch.inference_mode():
        while not advance(adapter, [reply], decoder):
            pass
    assert session.finish(reply) == expected
    assert decoder.steps == 7
