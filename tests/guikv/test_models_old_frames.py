"""Old screenshots at a lower resolution, under `recompute`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from guikv.content import Frame, smaller_but_newest
from guikv.errors import SessionError
from guikv.models.base import Adapter
from guikv.policies import Full
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.plain import conversation, picture

CLOSE = {"atol": 1e-4, "rtol": 1e-4}
LIMIT = 80_000


def talk(adapter: Adapter, steps: int) -> tuple:
    return conversation(adapter.tokenizer, steps)


def test_only_the_newest_keeps_its_size(published: Adapter) -> None:
    session = Session(published, Settings(Full(), window="recompute", history=3, old_pixels=LIMIT))
    sizes = []
    for steps in range(1, 7):
        session.extend(talk(published, steps))
        session.ledger.verify(session.cache)
        shots = session.ledger.screenshots
        sizes.append({n: info.rows * info.cols for n, info in shots.items()})
        newest = published.describe(Frame(picture(steps - 1), steps - 1))
        assert sizes[-1][steps - 1] == newest.tokens
        side = published.processor.patch_size * 2
        assert all(tokens * side**2 <= LIMIT for n, tokens in sizes[-1].items() if n != steps - 1)
    assert sizes[3][3] > sizes[4][3]
    assert set(sizes[-1]) == {3, 4, 5}


def test_it_equals_a_fresh_session_over_the_smaller_pictures(published: Adapter) -> None:
    session = Session(published, Settings(Full(), window="recompute", old_pixels=LIMIT))
    for steps in (2, 3, 4, 5):
        session.extend(talk(published, steps))
    fresh = Session(published, Settings(Full()))
    fresh.extend(smaller_but_newest(talk(published, 5), LIMIT))
    torch.testing.assert_close(session.next_logits, fresh.next_logits, **CLOSE)
    whole = Session(published, Settings(Full()))
    whole.extend(talk(published, 5))
    assert whole.tokens > session.tokens


def test_what_is_small_already_is_not_computed_again(published: Adapter) -> None:
    session = Session(published, Settings(Full(), window="recompute", old_pixels=10**6))
    for steps in range(1, 5):
        session.extend(talk(published, steps))
        assert session.cost.tokens_recomputed == 0
        assert (session.cost.vision_hits, session.cost.vision_misses) in ((0, 1), (1, 0))


def test_saved_and_forked_with_the_rest(published: Adapter, tmp_path: Path) -> None:
    session = Session(published, Settings(Full(), window="recompute", old_pixels=LIMIT))
    session.extend(talk(published, 2))
    session.save(tmp_path)
    for other in (session.fork(), Session.load(tmp_path, published)):
        assert other.settings.old_pixels == LIMIT
        other.extend(talk(published, 3))
        before, after = (s.ledger.screenshots[1] for s in (session, other))
        assert after.rows * after.cols <= before.rows * before.cols
        assert other.ledger.screenshots[0] == session.ledger.screenshots[0]


@pytest.mark.parametrize("options", [{"window": "shrink"}, {"window": "drop"}, {"old_pixels": 0}])
def test_where_it_makes_no_sense(published: Adapter, options: dict) -> None:
    with pytest.raises(SessionError, match="old_pixels is a number of pixels"):
        Session(published, Settings(Full(), **{"window": "recompute", "old_pixels": LIMIT, **options}))
