"""Everything that can die dies here, and nothing is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envs import processes
from envs.actions import Click, Navigate, Wait
from envs.base import ActionFailed, EnvError, EnvironmentDied, ScreenshotError, SetupError
from envs.browser import Browser, BrowserOptions
from tests.envs.conftest import Site
from tests.leftovers import running, since
from tests.patience import PATIENCE, until

SMALL = BrowserOptions(viewport=(200, 150), reply_seconds=60)


@pytest.fixture
def before() -> set[int]:
    return running()


def chromium_of(before: set[int]) -> int:
    """The main process of the browser that was started since."""
    rows = {row.pid: row for row in processes.table()}
    new = since(before)
    (main,) = [
        pid
        for pid in new
        if "--user-data-dir" in rows[pid].command and "--type=" not in rows[pid].command and rows[pid].parent in new
    ]
    return main


def gone(before: set[int]) -> bool:
    return until(lambda: not since(before))


def test_closing_leaves_nothing(before: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Browser.launch(SMALL) as browser:
        browser.screenshot()
        assert since(before)
        assert list(tmp_path.glob("guikv-browser-*"))
    assert gone(before)
    assert list(tmp_path.iterdir()) == []
    browser.close()
    with pytest.raises(EnvironmentDied, match="has been closed"):
        browser.screenshot()


def test_a_killed_browser(before: set[int]) -> None:
    with Browser.launch(SMALL) as browser:
        browser.screenshot()
        os.kill(chromium_of(before), signal.SIGKILL)
        with pytest.raises(EnvironmentDied):
            browser.screenshot()
        with pytest.raises(EnvironmentDied):
            browser.execute(Click(x=1, y=1))
        with pytest.raises(EnvironmentDied):
            browser.settle()
        with pytest.raises(EnvironmentDied):
            browser.context()
    assert gone(before)


def test_a_browser_killed_in_the_middle_of_an_action(before: set[int]) -> None:
    with Browser.launch(SMALL) as browser:
        browser.screenshot()
        killer = threading.Timer(0.3, os.kill, (chromium_of(before), signal.SIGKILL))
        killer.start()
        with pytest.raises(EnvironmentDied):
            execute_and_look(browser, Wait(seconds=1.5), killer)
    assert gone(before)


def execute_and_look(browser: Browser, action: Wait, killer: threading.Timer) -> None:
    """On a busy machine the action may be over before the browser is."""
    browser.execute(action)
    killer.join()
    browser.screenshot()


def test_a_crashed_page(before: set[int]) -> None:
    async def crash(tab: Any) -> None:
        await tab.goto("chrome://crash", timeout=30000)

    with Browser.launch(SMALL) as browser:
        with pytest.raises(EnvError):
            browser.with_tab(crash, 60)
        with pytest.raises(EnvironmentDied, match="crashed"):
            browser.screenshot()
    assert gone(before)


def test_a_killed_driver(before: set[int]) -> None:
    with Browser.launch(SMALL) as browser:
        (driver,) = browser._worker.started
        os.kill(driver, signal.SIGKILL)
        with pytest.raises(EnvironmentDied):
            browser.screenshot()
    assert gone(before)


def test_a_stopped_browser_is_ended_all_the_same(before: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envs.browser.start.CLOSE_SECONDS", 1.0)
    with Browser.launch(SMALL) as browser:
        browser.screenshot()
        browser.options = replace(browser.options, reply_seconds=1)
        os.kill(chromium_of(before), signal.SIGSTOP)
        with pytest.raises(ScreenshotError):
            browser.screenshot()
    assert gone(before)


def test_a_page_that_hangs(before: set[int], site: Site) -> None:
    site.pages["/"] = "<button style='width:99px;height:99px' onclick='for(;;);'>x</button>"
    with Browser.launch(SMALL) as browser:
        browser.execute(Navigate(url=site.url()))
        browser.screenshot()
        browser.options = replace(browser.options, reply_seconds=1)
        with pytest.raises(ActionFailed, match="did not answer"):
            browser.execute(Click(x=20, y=20))
        with pytest.raises(EnvError):
            browser.screenshot()
    assert gone(before)


def test_missing_programs(monkeypatch: pytest.MonkeyPatch, before: set[int]) -> None:
    with pytest.raises(SetupError, match="no program here") as caught:
        Browser.launch(BrowserOptions(executable="/nowhere/chromium"))
    assert "apt-get install chromium" in caught.value.hint
    monkeypatch.setenv("GUIKV_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(SetupError, match="GUIKV_CHROMIUM"):
        Browser.launch()
    assert gone(before)


def test_no_browser_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from envs.browser.chromium import find_chromium

    monkeypatch.delenv("GUIKV_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SetupError, match="no Chromium or Chrome was found") as caught:
        find_chromium()
    assert "playwright install chromium" in caught.value.hint
    assert find_chromium(bundled=sys.executable) == sys.executable


def test_a_program_that_is_no_browser(before: set[int]) -> None:
    with pytest.raises(SetupError, match="did not start"):
        Browser.launch(BrowserOptions(executable="/bin/false"))
    assert gone(before)


def test_a_temporary_folder_whose_path_is_too_long(
    before: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(SetupError, match="to a folder with a shorter path"):
        Browser.launch(SMALL)
    assert gone(before)


def test_an_exception_while_starting(before: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("envs.browser.driver.Tabs", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Browser.launch(SMALL)
    assert gone(before)


SCRIPT = """
import sys
from envs.actions import Wait
from envs.browser import Browser, BrowserOptions
try:
    with Browser.launch(BrowserOptions(viewport=(100, 100))) as browser:
        try:
            browser.screenshot()
            print("ready", flush=True)
            browser.execute(Wait(seconds=60))
        except KeyboardInterrupt:
            print("size", browser.screenshot().image.size, flush=True)
            raise
except KeyboardInterrupt:
    sys.exit(7)
"""


@pytest.fixture
def script() -> Iterator[subprocess.Popen[str]]:
    # Chromium's socket lies below it, and sockets have short names.
    folder = Path(tempfile.mkdtemp())
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    yield process
    processes.end(processes.tree([process.pid]))
    process.wait(PATIENCE)
    shutil.rmtree(folder, ignore_errors=True)


def left_of(pids: set[int]) -> set[int]:
    until(lambda: not pids & {row.pid for row in processes.table()})
    return pids & {row.pid for row in processes.table()}


def test_ctrl_c_leaves_the_browser_usable_and_then_nothing(script: subprocess.Popen[str]) -> None:
    assert script.stdout is not None
    assert script.stdout.readline() == "ready\n"
    everything = processes.tree([script.pid])
    # To the whole group, as a terminal does.
    os.killpg(script.pid, signal.SIGINT)
    assert script.stdout.readline() == "size (100, 100)\n"
    assert script.wait(PATIENCE) == 7
    assert not left_of(everything)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_program_takes_its_browser_along(script: subprocess.Popen[str], number: int) -> None:
    assert script.stdout is not None
    assert script.stdout.readline() == "ready\n"
    everything = processes.tree([script.pid])
    assert len(everything) > 3
    script.send_signal(number)
    script.wait(PATIENCE)
    assert not left_of(everything)
