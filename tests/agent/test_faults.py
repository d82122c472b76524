"""Screens that die, or go away for a moment, in the middle of a run: how the episode ends, and what is left."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.approval import Allow
from agent.config import LoopSettings
from agent.console import Silent
from agent.dialects import UiTars
from agent.loop import run_episode
from agent.recorder import Recorder
from agent.records import Result
from agent.runs import load_run
from envs.android import AdbServer, Android, AndroidOptions
from envs.android.simulator import Phone, PhoneOptions
from envs.base import Environment
from envs.desktop import Desktop, Sandbox, SandboxOptions
from tests.agent.scripted import FINISHED, ScriptedBrain, click
from tests.leftovers import running, since

CLICKS = [click(20 + 10 * n, 30) for n in range(4)]


def play(screen: Environment, folder: Path, before: Callable[[int], None]) -> Result:
    """Four clicks and the end; `before` is called with the number of each answer."""
    brain = ScriptedBrain([*CLICKS, FINISHED], before)
    settings = LoopSettings(max_steps=8, retry_pause=0.1)
    recorder = Recorder.create(folder, {"task": "x"})
    return run_episode(brain, screen, "x", UiTars("{instruction}"), settings, Allow(), recorder, Silent())


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """The test ends with the processes that it began with."""
    before = running()
    yield
    assert not since(before)


@pytest.fixture(scope="module")
def phone() -> Iterator[Phone]:
    with Phone.start(PhoneOptions(size=(280, 280), density=160)) as started:
        yield started


@pytest.mark.usefixtures("nothing_left")
def test_an_x_server_that_is_killed(tmp_path: Path) -> None:
    sandbox = Sandbox.start(SandboxOptions(size=(320, 240)))
    server = next(pid for pid in sandbox.pids if b"Xvfb" in Path(f"/proc/{pid}/cmdline").read_bytes())

    with Desktop.launch(sandbox=sandbox) as screen:
        result = play(screen, tmp_path / "run", lambda said: os.kill(server, signal.SIGKILL) if said == 2 else None)
    assert (result.status, result.error and result.error.type) == ("error", "EnvironmentDied")
    run = load_run(tmp_path / "run")
    assert (len(run.steps), run.warnings) == (3, ())
    assert [step["error"] is None for step in run.steps] == [True, True, False]


def test_an_adb_server_that_is_killed(phone: Phone, tmp_path: Path) -> None:
    with AdbServer.start() as server:
        options = AndroidOptions(serial=phone.address, adb_port=server.port, reconnect_seconds=1.0)
        with Android.launch(options) as screen:
            result = play(screen, tmp_path / "run", lambda said: server.close() if said == 2 else None)
    assert (result.status, result.error and result.error.type) == ("error", "EnvironmentDied")
    assert "adb" in result.reason
    assert len(load_run(tmp_path / "run").steps) == 3


def test_a_device_that_drops_and_returns(phone: Phone, tmp_path: Path) -> None:
    back = threading.Timer(1.0, phone.reconnect)

    def drop(said: int) -> None:
        if said == 2:
            phone.drop()
            back.start()

    with (
        AdbServer.start() as server,
        Android.launch(AndroidOptions(serial=phone.address, adb_port=server.port)) as screen,
    ):
        result = play(screen, tmp_path / "run", drop)
    back.join()
    assert result.status == "success"
    events = [
        event["kind"] for step in load_run(tmp_path / "run").steps for a in step["actions"] for event in a["events"]
    ]
    assert "reconnected" in events


def test_a_framebuffer_that_is_refused_half_way(phone: Phone, tmp_path: Path) -> None:
    def refuse(said: int) -> None:
        phone.refuse_framebuffer = said >= 2

    try:
        with (
            AdbServer.start() as server,
            Android.launch(AndroidOptions(serial=phone.address, adb_port=server.port)) as screen,
        ):
            screen.screenshot()
            first = screen.picture_method
            result = play(screen, tmp_path / "run", refuse)
            assert (first, result.status) == ("framebuffer", "success")
            assert screen.picture_method != "framebuffer"
    finally:
        phone.refuse_framebuffer = False


@pytest.mark.usefixtures("nothing_left")
def test_a_program_of_the_sandbox_that_is_killed(tmp_path: Path) -> None:
    sandbox = Sandbox.start(SandboxOptions(size=(320, 240), command=("xterm",)))
    shown = next(pid for pid in sandbox.pids if b"xterm" in Path(f"/proc/{pid}/cmdline").read_bytes())

    with Desktop.launch(sandbox=sandbox) as screen:
        result = play(screen, tmp_path / "run", lambda said: os.kill(shown, signal.SIGKILL) if said == 2 else None)
    assert result.status == "success"
