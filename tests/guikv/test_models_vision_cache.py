"""The vision encoder's output is kept by the picture's content, within a number of bytes, and reported."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from guikv.content import Frame, Message
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model, random_qwen3
from guikv.models.vision import Features, VisionCache, place
from guikv.policies import Full
from guikv.prompt import NO_FRAME, Pixels
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.conftest import episode, screenshot


@pytest.fixture(params=[random_model, random_qwen3])
def fresh(request: pytest.FixtureRequest) -> Adapter:
    return request.param()


def pixels(number: int, rows: int = 4) -> Pixels:
    return Pixels((1, 2 * rows, 8), f"picture {number}", rows, 4)


def features(rows: int = 4, deep: int = 0) -> Features:
    return Features(torch.zeros(rows * 4, 8), tuple(torch.zeros(rows * 4, 8) for _ in range(deep)))


def test_deep_features_have_a_row_for_every_token() -> None:
    with pytest.raises(ValueError, match="one row for every image token"):
        Features(torch.zeros(4, 8), (torch.zeros(8),))


def test_bytes_count_deep_features() -> None:
    assert features().nbytes == 16 * 8 * 4
    assert features(deep=3).nbytes == 4 * features().nbytes


def test_the_longest_unused_go_first() -> None:
    one = features()
    cache = VisionCache(limit=3 * one.nbytes)
    for number in range(3):
        cache.put(pixels(number), one)
    assert cache.get(pixels(0)) is one
    cache.put(pixels(3), one)
    assert [pixels(n) in cache for n in range(4)] == [True, False, True, True]
    assert (len(cache), cache.nbytes, cache.hits, cache.misses) == (3, cache.limit, 1, 0)
    assert cache.get(pixels(1)) is None
    assert cache.misses == 1
    cache.clear()
    assert cache.nbytes == 0


def test_what_alone_exceeds_the_limit_is_not_kept_and_pushes_nothing_out() -> None:
    cache = VisionCache(limit=features().nbytes)
    cache.put(pixels(0), features())
    cache.put(pixels(1, rows=8), features(rows=8))
    cache.put(pixels(0), features())
    assert pixels(0) in cache
    assert cache.nbytes == features().nbytes
    assert pixels(1, rows=8) not in cache


def test_a_picture_at_another_size_is_another_entry() -> None:
    cache = VisionCache()
    cache.put(pixels(0), features())
    assert cache.get(replace(pixels(0), grid=(1, 4, 8))) is None


def test_the_same_screenshot_is_encoded_once(fresh: Adapter) -> None:
    """Across steps, sessions and truncations; a new session finds what an older one has seen."""
    session = Session(fresh, Settings(Full(), window="recompute", history=3))
    for frames in range(1, 4):
        session.extend(episode(fresh, frames))
        assert (session.cost.vision_hits, session.cost.vision_misses) == (0, 1)
    session.truncate(5)
    session.extend(episode(fresh, 3))
    assert (session.cost.vision_hits, session.cost.vision_misses) == (3, 0)
    other = Session(fresh, Settings(Full()))
    other.extend(episode(fresh, 4))
    assert (other.cost.vision_hits, other.cost.vision_misses) == (3, 1)
    assert other.cost.vision_bytes == fresh.vision_cache.nbytes > 0
    assert {"vision_hits", "vision_misses", "vision_bytes"} <= other.cost.to_dict().keys()
    assert (fresh.vision_cache.hits, fresh.vision_cache.misses) == (6, 4)


def test_equal_content_under_another_number_is_a_hit(fresh: Adapter) -> None:
    first = (*episode(fresh, 1)[:2], Message("user", (Frame(screenshot(0), 0),)))
    again = (*first, Message("user", (Frame(screenshot(0).copy(), 1),)))
    session = Session(fresh, Settings(Full()))
    session.extend(first)
    session.extend(again)
    assert (session.cost.vision_hits, session.cost.vision_misses) == (1, 0)


def test_the_limit_holds_and_changes_no_result(fresh: Adapter) -> None:
    roomy, tight = (
        Session(fresh, Settings(Full())),
        Session(type(fresh)(fresh.model, fresh.tokenizer, fresh.processor), Settings(Full())),
    )
    tight.adapter.vision_cache.limit = 20_000
    for frames in range(1, 6):
        for session in (roomy, tight):
            session.extend(episode(session.adapter, frames))
        assert tight.cost.vision_bytes <= 20_000
        assert torch.equal(roomy.next_logits, tight.next_logits)
    assert len(tight.adapter.vision_cache) < len(fresh.vision_cache) == 5


def test_no_cache_at_all(fresh: Adapter) -> None:
    fresh.vision_cache.limit = 0
    session = Session(fresh, Settings(Full()))
    for _ in range(2):
        session.truncate(0)
        session.extend(episode(fresh, 2))
        assert (session.cost.vision_hits, session.cost.vision_misses) == (0, 2)


def test_features_go_to_their_own_rows_whatever_their_order() -> None:
    frames = torch.tensor([NO_FRAME, 7, 7, NO_FRAME, 2, NO_FRAME])
    embeds = torch.zeros(6, 2)
    seven = Features(torch.full((2, 2), 7.0), (torch.full((2, 2), 70.0),))
    two = Features(torch.full((1, 2), 2.0), (torch.full((1, 2), 20.0),))
    deep = place(embeds, frames, {2: two, 7: seven})
    assert embeds[:, 0].tolist() == [0, 7, 7, 0, 2, 0]
    assert deep is not None
    assert deep.rows.tolist() == [False, True, True, False, True, False]
    assert [layer[:, 0].tolist() for layer in deep.layers] == [[70, 70, 20]]
    assert place(embeds, torch.full((6,), NO_FRAME), {}) is None
