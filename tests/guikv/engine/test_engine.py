"""Many sessions on one engine: the same replies as alone, in fair order, wherever their caches are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

import pytest

from guikv.budget import Budget
from guikv.engine.drafts import LONGEST
from guikv.engine.engine import Engine, Handle
from guikv.engine.prefill import SLICE
from guikv.engine.sampling import Sampling
from guikv.errors import ContextError, SessionError
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.policies import Full, GuiKV, SnapKV
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv import hybrid_checkpoint
from tests.guikv.conftest import episode

NEW = 9
EVERYONE = [
    Settings(GuiKV(), Budget(30, "percent")),
    Settings(GuiKV(), Budget(30, "percent"), moment="prefill", window="drop", history=1),
    Settings(SnapKV(), Budget(40, "percent"), moment="prefill"),
    Settings(Full()),
    Settings(GuiKV(), Budget(20, "percent"), window="recompute", history=2),
]


def play(session: Session | Handle, adapter: Adapter, first: int) -> list[tuple[int, ...]]:
    """Three steps of an episode of its own; the replies."""
    replies = []
    for frames in (1, 2, 3):
        session.extend(episode(adapter, frames, first))
        session.compress()
        replies.append(session.generate(NEW, min_new_tokens=NEW).ids)
    return replies


def together(engine: Engine, adapter: Adapter, everyone: list[Settings]) -> list[list[tuple[int, ...]]]:
    """All at the same time, each asked by a thread of its own."""
    handles = [engine.open(settings) for settings in everyone]
    with ThreadPoolExecutor(len(handles)) as pool:
        return list(pool.map(lambda pair: play(pair[1], adapter, pair[0]), enumerate(handles)))


@pytest.fixture(scope="module")
def alone(adapter: Adapter) -> list[list[tuple[int, ...]]]:
    return [play(Session(adapter, settings), adapter, number) for number, settings in enumerate(EVERYONE)]


@pytest.mark.parametrize("capacity", [None, 4096, 64], ids=["own memory", "slots", "slots that are too small"])
def test_batched_equals_alone(adapter: Adapter, alone: list[list[tuple[int, ...]]], capacity: int | None) -> None:
    with Engine(adapter, resident=len(EVERYONE), capacity=capacity) as engine:
        assert together(engine, adapter, EVERYONE) == alone
        assert engine.passes < len(EVERYONE) * 3 * NEW
        if engine.slots is not None:
            held = [engine.slots.hold(session.cache) for session in engine.tiers.sessions]
            assert held == [capacity == 4096] * len(EVERYONE)
            assert engine.slots.outside > 0 or capacity == 4096


def test_what_has_no_room_moves_and_comes_back(
    adapter: Adapter, alone: list[list[tuple[int, ...]]], tmp_path: Path
) -> None:
    """Five sessions, room for two, and no byte for others in the host's memory: they go to disk and back."""
    with Engine(adapter, resident=2, capacity=2048, host_bytes=0, folder=tmp_path) as engine:
        assert together(engine, adapter, EVERYONE) == alone
        assert engine.tiers.counts() == {"device": 2, "host": 0, "disk": 3}
        assert len(list(tmp_path.iterdir())) == 3
    assert not any(tmp_path.iterdir())
    with Engine(adapter, resident=2) as engine:
        assert together(engine, adapter, EVERYONE) == alone
        assert engine.tiers.counts() == {"device": 2, "host": 3, "disk": 0}
        folder = engine.tiers.folder
    assert not folder.exists()


def test_hybrids_take_turns(tmp_path: Path) -> None:
    hybrid_checkpoint.write(tmp_path)
    hybrid = load_model(str(tmp_path), device="cpu", dtype="float32")
    everyone = [Settings(GuiKV(), Budget(30, "percent")), Settings(Full())]
    expected = [play(Session(hybrid, settings), hybrid, number) for number, settings in enumerate(everyone)]
    with Engine(hybrid, resident=1, host_bytes=0) as engine:
        assert together(engine, hybrid, everyone) == expected
    with pytest.raises(SessionError, match="leave the capacity out"):
        Engine(hybrid, capacity=1024)


def in_background(call: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    found: list[object] = []

    def run() -> None:
        try:
            found.append(call())
        except (CancelledError, SessionError) as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


def test_a_long_prompt_holds_nobody_up(adapter: Adapter) -> None:
    """While it is prefilled part by part, the other's reply gets a token after every part."""
    order: list[str] = []
    with Engine(adapter) as engine:
        writer, reader = engine.open(Settings(Full())), engine.open(Settings(Full()))
        writer.extend(episode(adapter, 1))
        going = threading.Event()

        def told(token: int) -> None:
            order.append("token")
            going.set()

        thread, _ = in_background(lambda: writer.generate(400, 400, told=told))
        going.wait()
        long = episode(adapter, 60)
        parts = reader.session.extending

        def watched(content: object) -> object:
            for _ in parts(content):  # type: ignore[arg-type]
                order.append("part")
                yield

        reader.session.extending = watched  # type: ignore[method-assign, assignment]
        reader.extend(long)
        thread.join()
    assert len(adapter.encode(long)) > 2 * SLICE
    between = "".join("t" if what == "token" else "P" for what in order)
    assert between.count("P") > 60
    assert "PP" not in between.rstrip("P"), between


def test_cancelled_at_any_token_or_part(adapter: Adapter) -> None:
    with Engine(adapter) as engine:
        handle = engine.open(Settings(GuiKV(), Budget(30, "percent")))
        handle.extend(episode(adapter, 2))
        before = handle.session.state
        heard: list[int] = []

        def told(token: int) -> None:
            heard.append(token)
            if len(heard) == 5:
                handle.cancel()

        with pytest.raises(CancelledError):
            handle.generate(10_000, 10_000, told=told)
        assert 5 <= len(heard) <= 5 + LONGEST
        assert handle.session.state is before
        parts = handle.session.extending

        def cancelling(content: object) -> object:
            for _ in parts(content):  # type: ignore[arg-type]
                handle.cancel()
                yield

        handle.session.extending = cancelling  # type: ignore[method-assign, assignment]
        with pytest.raises(CancelledError):
            handle.extend(episode(adapter, 3))
        del handle.session.extending
        assert handle.session.state is before
        plain = Session(adapter, Settings(GuiKV(), Budget(30, "percent")))
        plain.extend(episode(adapter, 2))
        assert handle.generate(NEW, NEW).ids == plain.generate(NEW, NEW).ids


def test_one_failure_is_one_sessions(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = play(Session(adapter, EVERYONE[0]), adapter, 0)
    long = Session(adapter, Settings(Full()))
    long.extend(episode(adapter, 3, 3))
    with Engine(adapter) as engine:
        good, bad = engine.open(EVERYONE[0]), engine.open(Settings(Full()))
        bad.extend(episode(adapter, 3, 3))
        with pytest.raises(SessionError, match="call extend first"):
            engine.open().generate()
        assert play(good, adapter, 0) == expected
        monkeypatch.setattr(type(adapter), "context", bad.session.ledger.next_position + 3)
        with pytest.raises(ContextError):
            bad.generate(100, 100)
        monkeypatch.undo()
        assert bad.generate(NEW, NEW).ids == long.generate(NEW, NEW).ids


def test_closing_ends_what_is_not_done(adapter: Adapter) -> None:
    engine = Engine(adapter)
    handle = engine.open(Settings(Full()))
    handle.extend(episode(adapter, 1))
    going = threading.Event()
    thread, found = in_background(lambda: handle.generate(100_000, 100_000, told=lambda token: going.set()))
    going.wait()
    engine.close()
    thread.join()
    assert isinstance(found[0], CancelledError)
    assert not engine._thread.is_alive()
    with pytest.raises(SessionError, match="closed"):
        handle.generate()
    engine.close()


def test_a_handle_does_what_a_session_does(adapter: Adapter, tmp_path: Path) -> None:
    sampling = Sampling(temperature=0.8, top_p=0.9, seed=3)
    session = Session(adapter, EVERYONE[0])
    session.extend(episode(adapter, 2))
    session.compress()
    expected = session.generate(NEW, NEW, sampling)
    with Engine(adapter, capacity=1024) as engine:
        handle = engine.open(EVERYONE[0])
        handle.extend(episode(adapter, 2))
        handle.compress()
        assert handle.generate(NEW, NEW, sampling) == expected
        assert handle.cost.tokens_generated == NEW
        assert handle.cost.flops == session.cost.flops
        handle.call(lambda s: s.save(tmp_path / "s"))
        free = engine.slots.free if engine.slots is not None else 0
        handle.close()
        assert engine.slots is not None
        assert engine.slots.free == free + 1
    loaded = Session.load(tmp_path / "s", adapter)
    assert loaded.generate(NEW, NEW).ids == session.generate(NEW, NEW).ids
