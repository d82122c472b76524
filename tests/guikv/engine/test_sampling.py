"""Choosing tokens: greedy by default, otherwise as transformers' own `generate` draws them; stop texts; drafts."""

from __future__ import annotations

import random

import pytest
import torch
from transformers import GenerationConfig

from guikv.budget import Budget
from guikv.engine.batch import advance
from guikv.engine.drafts import LONGEST, Lookup
from guikv.engine.reply import Reply
from guikv.engine.sampling import Chooser, Sampling
from guikv.errors import SessionError
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.nano import WEIGHTS
from guikv.policies import Full, GuiKV
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.conftest import episode

NEW = 24


def ready(adapter: Adapter, frames: int = 2) -> Session:
    session = Session(adapter, Settings(GuiKV(), Budget(40, "percent")))
    session.extend(episode(adapter, frames))
    session.compress()
    return session


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0.7},
        {"temperature": 1.0, "top_k": 5},
        {"temperature": 1.3, "top_p": 0.6},
        {"temperature": 0.9, "min_p": 0.2},
        {"temperature": 0.8, "top_k": 20, "top_p": 0.9, "min_p": 0.01, "repetition_penalty": 1.2},
        {"repetition_penalty": 1.3},
    ],
)
def test_the_chances_are_those_of_transformers(adapter: Adapter, options: dict[str, float]) -> None:
    """Against the processors that `generate` itself would put together for the same options."""
    config = GenerationConfig(do_sample=options.get("temperature", 0) > 0, **options)  # type: ignore[arg-type]
    processors = adapter.model._get_logits_processor(generation_config=config, input_ids_seq_length=12)
    noise = torch.Generator().manual_seed(0)
    chooser = Chooser(Sampling(**options, seed=1), torch.device("cpu"))  # type: ignore[arg-type]
    for _ in range(20):
        logits = 4 * torch.randn(200, generator=noise)
        before = torch.randint(0, 200, (12,), generator=noise)
        expected = processors(before[None], logits[None])[0].softmax(-1)
        if "temperature" in options:
            found = chooser.steps(before[None], logits[None])[0].softmax(-1)
            torch.testing.assert_close(found, expected)
            assert expected[chooser.choose(logits, before)] > 0
        else:
            assert int(chooser.choose(logits, before)) == int(expected.argmax())


def test_a_seed_draws_the_same_again(adapter: Adapter) -> None:
    session = ready(adapter)
    sampling = Sampling(temperature=1.5, seed=7)
    one = session.fork().generate(NEW, NEW, sampling)
    assert session.fork().generate(NEW, NEW, sampling).ids == one.ids
    others = {session.fork().generate(NEW, NEW, Sampling(temperature=1.5, seed=seed)).ids for seed in range(8)}
    assert len(others) > 4
    greedy = session.fork().generate(NEW, NEW)
    assert session.fork().generate(NEW, NEW, Sampling(temperature=1e-4, seed=7)).ids == greedy.ids


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"temperature": -1.0}, "temperature"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"top_k": -1}, "top_k"),
        ({"min_p": 1.0}, "min_p"),
        ({"repetition_penalty": 0.0}, "repetition_penalty"),
        ({"seed": -1}, "seed"),
        ({"stop": ("",)}, "stop"),
        ({"temperature": float("nan")}, "temperature"),
    ],
)
def test_impossible_values_are_named(options: dict[str, object], name: str) -> None:
    with pytest.raises(SessionError, match=f"{name} cannot be"):
        Sampling(**options)  # type: ignore[arg-type]


def test_the_text_ends_before_a_stop_text(adapter: Adapter) -> None:
    session = ready(adapter)
    whole = session.fork().generate(NEW, NEW, Sampling(temperature=2.0, seed=3))
    tried = 0
    for start in range(1, len(whole.text) - 2):
        for length in (1, 2, 3):
            stop = whole.text[start : start + length]
            found = session.fork().generate(NEW, NEW, Sampling(temperature=2.0, seed=3, stop=("nowhere", stop)))
            assert found.text == whole.text[: whole.text.index(stop)]
            assert found.finished
            assert whole.ids[: len(found.ids)] == found.ids
            tried += 1
    assert tried > 20


def test_drafts_come_from_what_was_there_before() -> None:
    lookup = Lookup([1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2])
    assert lookup.draft_after(3) == (4, 5, 6, 7, 8, 9, 1, 2)
    assert len(lookup.draft_after(3)) <= LONGEST
    assert lookup.draft_after(3, most=2) == (4, 5)
    assert lookup.draft_after(9) == ()
    lookup.add(3)
    lookup.add(77)
    assert lookup.draft_after(2) == ()
    for token in (1, 2):
        lookup.add(token)
    assert lookup.draft_after(3) == (77, 1, 2), "the newest place counts"
    assert Lookup([]).draft_after(1) == ()


def test_drafts_change_nothing(adapter: Adapter) -> None:
    """Random models repeat themselves; drafts are taken, and the reply, the cache and the logits are the same."""
    session = ready(adapter, 3)
    for new in (1, 2, 7, NEW, 90):
        plain, drafted = session.fork(), session.fork()
        expected = plain.generate(new, new, drafts=False)
        assert drafted.generate(new, new, drafts=True) == expected
        assert drafted.tokens == plain.tokens
        torch.testing.assert_close(drafted.next_logits, plain.next_logits, atol=1e-4, rtol=1e-4)
        drafted.ledger.verify(drafted.cache)


@pytest.fixture(scope="module")
def nano() -> Adapter:
    return load_model(str(WEIGHTS), device="cpu", dtype="float32")


def test_the_shipped_model_says_the_same_in_fewer_passes(nano: Adapter) -> None:
    """With replies of its own kind in the history, so that there is something to look up."""
    passes = tokens = 0
    for seed in range(6):
        number = random.Random(seed).randrange(100)
        session = Session(nano, Settings(Full()))
        session.extend(episode(nano, 4, first=number))
        expected = session.fork().generate(40, drafts=False)
        reply = session.reply(40, drafts=True)
        while not advance(nano, [reply]):
            pass
        assert session.finish(reply) == expected
        passes += len(reply.runs)
        tokens += len(expected.ids)
    assert passes < tokens


def test_a_drafted_end_ends_the_reply(adapter: Adapter) -> None:
    """Ends of earlier turns stand in the ledger, so drafts have them."""
    session = ready(adapter)
    stop = min(adapter.stop_ids)
    lookup = Lookup([3, 4, 5, stop, 7, 8, 3, 4])
    reply = Reply(adapter, session.state, NEW, lookup=lookup)

    def likely(*tokens: int) -> torch.Tensor:
        return torch.nn.functional.one_hot(torch.tensor(tokens), adapter.shape.vocabulary).float()

    reply.logits = likely(5)[0]
    assert reply.next_ids() == (5, stop, 7, 8, 3, 4)
    reply.take(likely(stop, 7, 8, 3, 4, 9))
    assert (reply.ids, reply.writing.count) == ([5], 1)
    assert reply.next_ids() == ()
    assert reply.finished
