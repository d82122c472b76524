"""A recorded run's actions on a fresh page: unchanged, moved, and no longer what it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from agent.approval import Allow
from agent.cli import app
from agent.config import Config, LoopSettings
from agent.console import Silent
from agent.dialects import UiTars
from agent.dialects.coordinates import Coordinates
from agent.dialects.ui_tars.serialize import write_answer
from agent.loop import run_episode
from agent.recorder import Recorder
from agent.replay_actions import ReplayLimits, difference, replay_actions
from agent.runs import Run, load_run
from envs.actions import Action, Click, Finish, Type
from envs.base import Environment
from envs.browser import Browser, BrowserOptions
from envs.geometry import Resize, Size
from tests.agent.scripted import Said, ScriptedBrain

pytestmark = pytest.mark.skipif(not (shutil.which("chromium") or shutil.which("google-chrome")), reason="no Chromium")


class Choosing(ScriptedBrain):
    """Says what `choose` wants at each step."""

    def __init__(self, choose: Callable[[], Action], size: tuple[int, int]) -> None:
        super().__init__([])
        self.choose, self.places = choose, Coordinates(Resize(Size(*size), Size(*size)))

    def generate(self, max_new_tokens: int) -> Said:
        return Said(write_answer("", [self.choose()], self.places))


def record(environment: Environment, choose: Callable[[], Action], size: tuple[int, int], folder: Path) -> Run:
    header = {"task": "x", "environment": environment.name, "config": Config().model_dump(mode="json")}
    if isinstance(environment, Browser):
        header["config"]["browser"] |= {"url": environment.options.url, "viewport": list(size)}
    recorder, limits = Recorder.create(folder, header), LoopSettings(max_steps=12)
    brain = Choosing(choose, size)
    run_episode(brain, environment, "x", UiTars("{instruction}"), limits, Allow(), recorder, Silent())
    return load_run(folder)


@pytest.fixture(scope="module")
def playground() -> Iterator[Any]:
    from envs.playground import Playground

    with Playground.launch("click", 0) as opened:
        yield opened


def quickly(**limits: float) -> ReplayLimits:
    return ReplayLimits(**{"wait": 0.0, **limits})


@pytest.mark.parametrize(("task", "seed"), [("form", 1), ("order", 2), ("remember_1", 3)])
def test_a_recorded_playground_run(playground: Any, task: str, seed: int, tmp_path: Path) -> None:
    from tests.envs.playground_oracle import Oracle

    playground.load(task, seed)
    run = record(playground, Oracle(playground).next, (280, 280), tmp_path / "run")
    assert run.header["status"] == "success"
    told: list[str] = []
    playground.load(task, seed)
    same = replay_actions(run, playground, ReplayLimits(), tmp_path / "out", told.append)
    assert (same.stopped, same.steps, same.reason) == (None, len(run.steps), "")
    assert max(same.differences) < 0.01
    assert len(told) == len(run.steps)
    assert not (tmp_path / "out").exists()

    def move() -> None:
        playground.load(task, seed)
        playground.browser.evaluate("() => { document.querySelector('form').style.transform = 'translate(24px,18px)' }")

    move()
    moved = replay_actions(run, playground, quickly(), tmp_path / "out", told.append)
    assert moved.stopped == 1
    assert "of the screen differ, more than 1.0%" in moved.reason
    assert moved.pictures is not None
    with Image.open(moved.pictures) as both:
        assert both.size == (2 * 280 + 8, 280)
        with Image.open(run.folder / run.steps[0]["frame_file"]) as recorded:
            assert difference(both.crop((0, 0, 280, 280)), recorded) == 0
    assert not playground.verdict().success

    move()
    told.clear()
    followed = replay_actions(run, playground, quickly(threshold=1.0), tmp_path / "out", told.append)
    assert (followed.stopped, followed.reason) == (None, "")
    assert playground.verdict().success, "every target was found where it had moved to"
    assert any("it was at" in line for line in told)


PAGE = """<!DOCTYPE html><body style='margin:0;font:16px sans-serif'><form onsubmit='return false'>
<div style='padding:{top}px 20px'>{rows}</div>
<input type=password name=pin value=hunter2 style='position:absolute;left:20px;top:240px'></form>
<p id=said style='position:absolute;left:220px;top:240px'></p>
<script>document.querySelectorAll('button').forEach((b) => b.onclick = () => said.append(b.id + ' '))</script>
"""


def page(path: Path, top: int, *names: str) -> str:
    rows = "".join(
        f"<p><button type=button id=b{number}>{name}</button></p>" for number, name in enumerate(names, start=1)
    )
    path.write_text(PAGE.format(top=top, rows=rows))
    return path.as_uri()


def clicks(browser: Browser, *ids: str) -> Callable[[], Action]:
    """Clicks on these elements, then on the field, a text typed, and the end."""

    def middle(selector: str) -> Click:
        box = browser.evaluate("(s) => document.querySelector(s).getBoundingClientRect().toJSON()", selector)
        return Click(x=round(box["x"] + box["width"] / 2), y=round(box["y"] + box["height"] / 2))

    wanted = iter(
        [
            *(lambda name=name: middle(f"#{name}") for name in ids),
            lambda: middle("input"),
            lambda: Type(text="x"),
            Finish,
        ]
    )
    return lambda: next(wanted)()


def test_the_command_on_ones_own_page(tmp_path: Path) -> None:
    size = (400, 300)
    path = tmp_path / "page.html"
    url = page(path, 20, "Open", "Save", "Open")
    with Browser.launch(BrowserOptions(url=url, viewport=size, allow_files=True)) as browser:
        run = record(browser, clicks(browser, "b3", "b2"), size, tmp_path / "run")
        assert browser.evaluate("said.textContent") == "b3 b2 "
    assert run.header["status"] == "success"
    assert "hunter2" not in (run.folder / "steps.jsonl").read_text()

    def replay(*options: str) -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(app, ["replay-actions", str(run.folder), "--json", "--wait", "0", *options])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, json.loads(done.stdout[done.stdout.index("{") :])

    code, told = replay()
    assert (code, told["stopped"], told["steps"]) == (0, None, 5)
    # Both buttons of one name have moved down; the nearest to where the lower one was is the lower one.
    page(path, 60, "Open", "Save", "Open")
    code, told = replay()
    assert (code, told["stopped"]) == (1, 1)
    assert Path(told["pictures"]).is_file()
    code, told = replay("--threshold", "100")
    assert (code, told["stopped"]) == (0, None)
    elsewhere = page(tmp_path / "elsewhere.html", 20, "Open", "Save", "Open")
    code, told = replay("--set", f"browser.url={elsewhere}")
    assert (code, told["stopped"]) == (0, None)
    plain = CliRunner().invoke(app, ["replay-actions", str(run.folder), "--wait", "0"])
    assert "stopped at step 1:" in plain.output
    assert "pictures: " in plain.output


@pytest.mark.parametrize(
    ("names", "clicked"),
    [
        (("Save", "Open"), "b1"),  # changed places
        (("New", "Close", "Save"), "b3"),
        (("Save as", "Close"), "b2"),  # no longer there: the place
    ],
)
def test_the_target_is_looked_up(names: tuple[str, ...], clicked: str, tmp_path: Path) -> None:
    size, path = (400, 300), tmp_path / "page.html"
    options = BrowserOptions(url=page(path, 0, "Open", "Save"), viewport=size, allow_files=True)
    with Browser.launch(options) as browser:
        run = record(browser, clicks(browser, "b2"), size, tmp_path / "run")
        page(path, 0, *names)
        browser.with_tab(lambda tab: tab.reload(), 60)
        outcome = replay_actions(run, browser, quickly(threshold=1.0), tmp_path, print)
        assert outcome.stopped is None
        assert browser.evaluate("said.textContent") == f"{clicked} "
        browser.with_tab(lambda tab: tab.reload(), 60)
        replay_actions(run, browser, quickly(threshold=1.0, near=1.0), tmp_path, print)
        assert browser.evaluate("said.textContent") == "b2 ", "what is farther away is something else"


def test_inside_frames_and_shadow_roots(tmp_path: Path) -> None:
    html = """<!DOCTYPE html><body style='margin:0'>
    <iframe style='position:absolute;left:30px;top:40px;border:5px solid'
    srcdoc="<button style='position:absolute;left:50px;top:20px;width:90px;height:30px'>Inner</button>"></iframe>
    <div id=h style='position:absolute;left:10px;top:220px'></div>
    <script>h.attachShadow({mode: 'open'}).innerHTML =
    "<button style='width:80px;height:40px'><i>Root</i></button>"</script>"""
    (tmp_path / "page.html").write_text(html)
    options = BrowserOptions(url=(tmp_path / "page.html").as_uri(), viewport=(400, 300), allow_files=True)
    with Browser.launch(options) as browser:
        browser.screenshot()
        inner = browser.describe_target(Click(x=130, y=80))
        root = browser.describe_target(Click(x=50, y=240))
        assert "Inner" in inner
        assert "Root" in root
        assert browser.locate(inner, (0, 0)) == pytest.approx((130, 80), abs=1)
        assert browser.locate(root, (399, 0)) == pytest.approx((50, 240), abs=1)
        assert browser.locate('button "Nowhere"', (0, 0)) is None


def test_the_measure() -> None:
    white = Image.new("RGB", (100, 50), "white")
    other = white.copy()
    assert difference(white, other) == 0
    ImageDraw.Draw(other).rectangle((0, 0, 9, 9), fill="#fff9ff")
    assert difference(white, other) == 0, "6 of 255 is an edge, smoothed otherwise"
    ImageDraw.Draw(other).rectangle((0, 0, 9, 9), fill="#ff80ff")
    assert difference(white, other) == pytest.approx(0.02)
    assert difference(white, white.resize((50, 50))) == 1
