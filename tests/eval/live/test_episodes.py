"""`guikv nano eval` with the shipped weights in real Chromium, and what its ablations do to a session."""

from __future__ import annotations

import json
import multiprocessing.resource_tracker
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
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
from envs.base import EnvironmentDied
from envs.geometry import Resize, Size
from envs.processes import tree
from eval.cli import nano
from eval.live.altered_screens import SHIFTS, AlteredPlayground, PlaygroundSite
from eval.live.episodes import (
    ROWS,
    TRIES,
    EpisodePlayer,
    EpisodeRow,
    EvalError,
    ForgetfulBrain,
    Meter,
    NoRecord,
    QuietInterrupts,
    new_brain,
    run_episodes,
)
from eval.live.plan import Plan, make_config
from eval.rows import RowsError, read_rows
from eval.sweep.events import RowMade
from eval.sweep.ray_pool import Cluster
from eval.sweep.workers import Processes, Workers
from guikv.cache import PADDING
from guikv.compression import frame_presence
from guikv.content import Message
from guikv.errors import ModelError
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model
from guikv.session import Session
from guikv.settings import Settings
from tests.agent.told import ToldBrain
from tests.envs.playground_oracle import Oracle
from tests.leftovers import running, since
from tests.patience import until

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


def plan(model: str = "nano", seeds: range = range(1), blank: bool = False) -> Plan:
    config = make_config(model, "gui_kv", (), "20%", "next_observation", "shrink", 5)
    return Plan(config, PlaygroundSite(blank), ("click",), seeds, threads=1)


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
    rows = list(read_rows(out / "episodes.jsonl", EpisodeRow))
    assert [(row.seed, row.status, row.steps, row.chance > 0) for row in rows] == [
        (seed, "success", 1, True) for seed in (0, 1)
    ]
    more = CliRunner().invoke(nano, ["eval", "--seeds", "0:3", "--tasks", "click", "--json", "--out", str(out)])
    assert more.exit_code == 0, more.output
    assert json.loads(more.stdout)["tasks"]["click"]["n"] == 3
    again = list(read_rows(out / "episodes.jsonl", EpisodeRow))
    assert again[:2] == rows, "they are not run again"
    assert len(again) == 3
    other = CliRunner().invoke(
        nano, ["eval", "--seeds", "0:1", "--tasks", "click", "--budget", "30%", "--out", str(out)]
    )
    assert isinstance(other.exception, RowsError)
    assert "budget" in str(other.exception)


def test_nothing_can_be_clicked_on_white_pictures() -> None:
    rows = run_episodes(plan(seeds=range(3), blank=True))
    assert len(rows) == 3
    assert sum(row.success for row in rows.values()) <= 1


def test_two_workers_share_the_episodes() -> None:
    multiprocessing.resource_tracker.ensure_running()  # Python's own helper runs on and is no leftover
    before = running()
    rows = run_episodes(plan(seeds=range(2)), workers=Workers(2))
    assert set(rows) == {("click", 0), ("click", 1)}
    assert all(row.success for row in rows.values())
    assert not since(before)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_worker_comes_back(tmp_path: Path, workers: int) -> None:
    with pytest.raises(ModelError, match="there is no model at"):
        run_episodes(plan(str(tmp_path / "none"), range(2)), workers=Workers(workers))


def test_a_player_that_is_to_stop_stops() -> None:
    with pytest.raises(Stopped):
        QuietInterrupts(lambda: True).check()
    QuietInterrupts(lambda: False).check()
    before = running()
    with pytest.raises(KeyboardInterrupt):
        list(EpisodePlayer(plan(), lambda: True).play(("click", 0)))
    assert not since(before)


def test_a_worker_in_the_middle_of_its_episode_closes_its_browser() -> None:
    multiprocessing.resource_tracker.ensure_running()
    before = running()
    with Processes(partial(EpisodePlayer, plan(seeds=range(2))), 1, patience=60.0) as pool:
        pool.give(0, ("click", 0))
        assert isinstance(pool.wait()[1], RowMade)
        pool.wait()
        pool.give(0, ("click", 1))
    assert not since(before)


@pytest.mark.slow
def test_a_cluster_plays_episodes_and_closes_its_browsers(home_of_ray: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home_of_ray))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    multiprocessing.resource_tracker.ensure_running()
    before = running()
    rows = run_episodes(plan(seeds=range(2)), workers=Workers(1, ray=True))
    assert [row.status for row in rows.values()] == ["success"] * 2
    with Cluster(partial(EpisodePlayer, plan(seeds=range(2))), 1, 1, patience=60.0) as pool:
        pool.give(0, ("click", 0))
        assert isinstance(pool.wait()[1], RowMade)
        pool.wait()
        pool.give(0, ("click", 1))
    assert until(lambda: not since(before))


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_keeps_the_episodes_and_leaves_no_process(tmp_path: Path, workers: str) -> None:
    """Pressed in a terminal: every process of the group gets the signal."""
    out = tmp_path / "out"
    arguments = ["nano", "eval", "--seeds", "0:40", "--tasks", "order", "--workers", workers, "--out", str(out)]
    program = [sys.executable, "-c", "from eval.cli import main; main()", *arguments]
    before = running()
    process = subprocess.Popen(program, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert until(lambda: (out / ROWS).is_file() and (out / ROWS).read_bytes().count(b"\n") > 2)
    started = tree([process.pid])
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130, told
    assert until(lambda: not (tree(started) or since(before)))
    rows = list(read_rows(out / ROWS, EpisodeRow))
    assert 2 <= len(rows) < 40
    last = 1 + max(row.seed for row in rows)
    again = CliRunner().invoke(nano, ["eval", "--seeds", f"0:{last}", *arguments[4:], "--json"])
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["tasks"]["order"]["n"] == last
    assert list(read_rows(out / ROWS, EpisodeRow))[: len(rows)] == rows


def test_a_spoiled_episode_is_tried_again_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(PlaygroundSite):
        def launch(self, task: str, seed: int) -> AlteredPlayground:
            launched.append(seed)
            raise EnvironmentDied("gone")

    launched: list[int] = []
    with pytest.raises(EvalError, match=f"click 0 could not be run, {TRIES} times: gone"):
        run_episodes(replace(plan(), site=Broken()))
    assert len(launched) == TRIES


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
        Session(adapter, Settings(make_policy(policy))),
        adapter,
        words=lambda: write_answer("", [oracle.next()], Coordinates(resize)),
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
    cache = plan().config.cache
    assert not isinstance(new_brain(cache, adapter), ForgetfulBrain)
    assert isinstance(new_brain(cache, adapter, forgetful=True), ForgetfulBrain)


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
