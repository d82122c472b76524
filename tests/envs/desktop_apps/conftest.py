"""A sandboxed desktop, applications in it, and a model that says what it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.records import StepRecord
from envs.desktop import Desktop, DesktopOptions, Sandbox, SandboxOptions
from tests.agent.scripted import FINISHED, play
from tests.envs.desktop_apps.looking import Outside, Window, until
from tests.patience import PATIENCE

Act = Callable[..., list[StepRecord]]
Open = Callable[..., Window]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start(SandboxOptions(size=(1024, 768))) as running:
        yield running


@pytest.fixture(scope="session")
def desktop(sandbox: Sandbox) -> Iterator[Desktop]:
    with Desktop.launch(DesktopOptions(display=sandbox.display, stable_seconds=20.0, reply_seconds=60.0)) as running:
        yield running


@pytest.fixture(scope="session")
def outside(sandbox: Sandbox) -> Outside:
    return Outside(sandbox.environment)


@pytest.fixture
def start(sandbox: Sandbox, outside: Outside) -> Iterator[Open]:
    """Start a program, wait for its window, and end it after the test."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(name: str, *command: str, output: Path | None = None, cwd: Path | None = None) -> Window:
        with (output or Path(os.devnull)).open("wb") as file:
            process = subprocess.Popen(
                command,
                env=dict(sandbox.environment),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        running.append(process)
        window = outside.window(name)
        sandbox.wait_window(window.title, PATIENCE)
        return window

    yield begin
    for process in running:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            # The test closed it.
            continue
        finally:
            process.wait(PATIENCE)
    until(lambda: not outside.say("wmctrl", "-l").strip(), "all windows are gone")


@pytest.fixture
def act(desktop: Desktop) -> Act:
    """An episode in which the model makes these calls, one a step, in its own dialect."""

    def run(*calls: str) -> list[StepRecord]:
        answers = [f"Thought: Next.\nAction: {call}" for call in calls]
        episode = play([*answers, FINISHED], desktop, max_steps=len(calls) + 1)  # type: ignore[arg-type]
        failed = [done.error.message for step in episode.steps for done in step.done if done.error is not None]
        assert (episode.result.status, episode.result.steps, failed) == ("success", len(calls) + 1, [])
        return episode.steps

    return run
