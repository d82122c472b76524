"""`guikv nano eval` with the shipped weights in real Chromium, and what its ablations do to a session."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import Pipe, Process
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from agent.approval import Allow
from agent.config import LoopSettings
from agent.dialects import UiTars
from agent.dialects.coordinates import Coordinates
from agent.dialects.ui_tars.serialize import write_answer
from agent.interrupts import Stopped
from agent.loop import run_episode
from agent.runs import load_run
from envs.geometry import Resize, Size
from envs.playground.oracle import Oracle
from eval.cli import nano
from eval.live.altered_screens import SHIFTS, AlteredPlayground
from eval.live.brains import ForgetfulBrain
from eval.live.episodes import EvalError, Meter, NoRecord, Outcome, new_brain, run_all
from eval.live.plan import Plan, make_config
from eval.live.workers import Told, _listen, _work, run_split
from guikv.cache import PADDING
from guikv.compression import frame_presence
from guikv.content import Message
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model
from guikv.session import Session
from tests.agent.told import ToldBrain
from tests.leftovers import running, since

pytestmark = pytest.mark.skipif(not (shutil.which("chromium") or shutil.which("google-chrome")), reason="no Chromium")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    return random_model()


@pytest.fixture(scope="module")
def screen() -> Iterator[AlteredPlayground]:
    with AlteredPlayground.launch("click", 0) as opened:
        yield opened


def plan(model: str, seeds: range, workers: int = 1, blank: bool = False) -> Plan:
    config = make_config(model, "gui_kv", (), "20%", "next_observation", "shrink", 5)
    return Plan(config, ("click",), seeds, workers=workers, blank=blank)


def test_click_live(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(nano, ["eval", "--seeds", "0:2", "--tasks", "click", "--json", "--out", str(out)])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result == json.loads((out / "result.json").read_text())
    click = result["tasks"]["click"]
    assert {"success", "n", "interval", "chance", "steps", "ended"} == set(click)
    assert (click["success"], click["n"]) == (1.0, 2)
    assert 0 < click["chance"] < 1
    assert 0 < result["kv_bytes_mean"] <= result["kv_bytes_full_mean"]
    assert result["seconds_per_step"] > 0
    assert result["settings"]["policy"] == "gui_kv"
    assert load_run(out / "click-1").header["status"] == "success"
    assert len((out / "episodes.jsonl").read_text().splitlines()) == 2


def test_nothing_can_be_clicked_on_white_pictures() -> None:
    outcomes: list[Outcome] = []
    run_all(plan("nano", range(3), blank=True), [("click", seed) for seed in range(3)], outcomes.append)
    assert sum(outcome.success for outcome in outcomes) <= 1


def test_two_workers_share_the_episodes() -> None:
    outcomes: list[Outcome] = []
    run_split(plan("nano", range(2), workers=2), outcomes.append)
    assert {outcome.seed for outcome in outcomes} == {0, 1}
    assert all(outcome.success for outcome in outcomes)


def test_an_error_of_a_worker_comes_back(tmp_path: Path) -> None:
    here, there = Pipe()
    _work(plan(str(tmp_path / "none"), range(2)), [("click", 0)], there)
    worker = Process()
    with pytest.raises(EvalError, match="there is no model at"):
        _listen({here: worker}, set(), lambda outcome: None)


def test_a_worker_that_is_told_to_stop_stops() -> None:
    before = running()
    here, there = Pipe()
    here.close()
    with pytest.raises(Stopped):
        Told(there).check()
    _work(plan("nano", range(2)), [("click", 0)], there)
    assert not since(before)


class WatchedBrain(ForgetfulBrain, ToldBrain):
    """Notes, when it is about to answer, which frames and how many older rows the cache still holds."""

    def extend(self, messages: tuple[Message, ...]) -> None:
        super().extend(messages)
        held = frame_presence(self.session.cache, self.session.ledger)
        self.held = [frame for frame, share in held.items() if float(share.sum()) > 0]
        self.reused = self.session.cost.tokens_reused
        seen.append((self.held, self.reused, rows_between(self.session)))


seen: list[tuple[list[int], int, int]] = []


def rows_between(session: Session) -> int:
    """Cached rows between the opening and the end of the last reply: what the newest turn could read of the past."""
    ledger = session.ledger
    newest = int((ledger.turns == ledger.newest_frame).nonzero()[0])
    old = ~ledger.protected
    old[max(0, newest - 3) :] = False  # the end mark of the last reply belongs to what was prefilled now
    index = session.cache.layers[0].index
    return int(old[index[index != PADDING]].sum())


@pytest.mark.parametrize("policy", ["gui_kv", "full"])
def test_forgetting_leaves_only_the_opening_and_the_newest_screenshot(
    policy: str, adapter: Adapter, screen: AlteredPlayground
) -> None:
    from guikv.policies import make_policy

    screen.load("remember_2", 1)
    oracle = Oracle(screen)
    resize = Resize(Size(280, 280), Size(*adapter.image_size((280, 280))))
    seen.clear()
    brain = WatchedBrain(
        Session(adapter, make_policy(policy)), adapter, lambda: write_answer("", [oracle.next()], Coordinates(resize))
    )
    meter, dialect = Meter(), UiTars("Task: {instruction}")
    settings = LoopSettings(max_steps=8)
    result = run_episode(brain, screen, screen.goal, dialect, settings, Allow(), NoRecord(), meter)
    assert result.status == "success", result.reason
    assert [held for held, _, _ in seen] == [[0], [1], [2]]
    assert [old for _, _, old in seen] == [0, 0, 0]
    # What was removed keeps its place in the ledger, so nothing of it is prefilled again.
    assert seen[2][1] > seen[1][1] > 100
    assert brain.session.cost.tokens_recomputed == 0
    brain.session.ledger.verify(brain.session.cache)
    assert meter.kv_bytes < meter.full_kv_bytes


def test_what_was_forgotten_changes_nothing_any_more(adapter: Adapter) -> None:
    """The next answer is the same whatever the forgotten turn showed and said."""
    from PIL import Image

    from guikv.content import Frame, Reply, Text

    logits = []
    for colour, word in (("red", 7), ("blue", 9)):
        opening = (Message("user", (Text("Look.", protected=True),)),)
        first = (*opening, Message("user", (Frame(Image.new("RGB", (112, 112), colour), 0),)))
        said = Message("assistant", (Reply((word, word), ""),))
        brain = ForgetfulBrain(Session(adapter), adapter)
        brain.extend(first)
        for token in (word, word):
            brain.session.feed(token)
        brain.extend((*first, said, Message("user", (Frame(Image.new("RGB", (112, 112), "green"), 1),))))
        brain.compress()
        assert brain.session.next_logits is not None
        logits.append(brain.session.next_logits)
    assert torch.equal(logits[0], logits[1])


def test_the_ablation_is_asked_for(adapter: Adapter) -> None:
    chosen = plan("nano", range(1))
    assert not isinstance(new_brain(chosen, adapter), ForgetfulBrain)
    assert isinstance(new_brain(replace(chosen, forget=True), adapter), ForgetfulBrain)


def test_white_pictures_and_other_looks(screen: AlteredPlayground) -> None:
    screen.load("click", 3)
    plain = screen.screenshot().image
    boxes = [element["word"] for element in screen.elements()]
    try:
        for screen.shift in SHIFTS:
            screen.load("click", 3)
            assert screen.screenshot().image.tobytes() != plain.tobytes()
            assert [element["word"] for element in screen.elements()] == boxes
        screen.shift, screen.blank = "", True
        white = screen.screenshot()
        assert white.image.getcolors() == [(280 * 280, (255, 255, 255))]
        assert white.viewport.screenshot == Size(280, 280)
    finally:
        screen.shift, screen.blank = "", False
