"""The page of a run, looked at by a real browser."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from agent.errors import RunError
from agent.recorder import Recorder
from agent.report import build_report, render_html
from agent.report.markers import marker_svg
from agent.report.pictures import veil
from agent.runs import Run, load_run
from envs.base import Event
from envs.browser.chromium import find_chromium, launch_args
from tests.agent.scripted import FakeScreen, click, play

NASTY = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>{{ 7*7 }}&amp;\x00\ud800"
ANSWERS: list[str | Exception] = [
    click(140, 55),
    f"Thought: {NASTY}\nAction: type(content='{NASTY}\\n')",
    "rubbish",
    "Action: drag(start_box='(10,10)', end_box='(200,200)')",
    "Action: scroll(direction='down')",
    "Action: left_double(start_box='(60,240)')",
    f"Action: finished(content='{NASTY}')",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    event = Event("dialog", {"message": NASTY, "answer": "dismiss"})
    capabilities = frozenset({"click", "type", "drag", "scroll"})
    screen = FakeScreen(
        targets={"click": NASTY, "type": NASTY}, events_of={"click": (event,)}, capabilities=capabilities
    )
    header = {"task": NASTY, "model": {"name": "scripted"}, "cache": {"policy": "gui_kv", "budget": "20%"}}
    play(ANSWERS, screen, recorder=Recorder.create(tmp_path / "run", header))
    return tmp_path / "run"


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=launch_args())
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        yield tab
        browser.close()


def visit(page: Any, path: Path) -> tuple[list[str], list[str]]:
    """Console messages and requests of opening the page."""
    messages: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    return messages, [url for url in requests if not url.startswith("data:")]


def test_the_page_in_a_real_browser(folder: Path, page: Any) -> None:
    path = build_report(load_run(folder))
    messages, requests = visit(page, path)
    assert messages == []
    assert requests == [path.as_uri()]
    assert page.evaluate("window.hacked") is None
    assert page.locator("script").count() == 0
    assert page.locator("article").count() == 6
    assert page.locator("svg.chart").count() == 3
    assert "49" not in page.locator("h1").inner_text()
    assert page.locator("h1").inner_text().startswith("</script><script>")
    ring = page.locator("#step-1 .mark").first.bounding_box()
    shot = page.locator("#step-1 .shot").bounding_box()
    centre = (ring["x"] + ring["width"] / 2 - shot["x"]) / shot["width"] * 280
    assert centre == pytest.approx(140, abs=2)
    assert page.locator("#step-4 .strip figure").count() == 4
    assert page.locator("#step-4 .veil").first.is_visible()
    page.locator("#veils").uncheck()
    assert not page.locator("#step-4 .veil").first.is_visible()
    assert page.locator("#step-1 .shot").evaluate("e => getComputedStyle(e).backgroundImage").startswith('url("data:')


def test_a_cut_run_is_shown_as_far_as_it_got(folder: Path, page: Any) -> None:
    steps = folder / "steps.jsonl"
    steps.write_bytes(steps.read_bytes()[:-30])
    messages, _ = visit(page, build_report(load_run(folder)))
    assert messages == []
    assert page.locator("article").count() == 5
    assert "cut off" in page.locator(".alert.mild").first.inner_text()


def test_a_run_without_steps(tmp_path: Path) -> None:
    html = render_html(Run(tmp_path, {"task": "x", "status": "error"}, ()))
    assert "No step was recorded" in html


def test_missing_and_foreign_pictures(folder: Path) -> None:
    run = load_run(folder)
    for frame in (folder / "frames").iterdir():
        frame.unlink()
    secret = folder.parent / "secret.png"
    Image.new("RGB", (5, 5)).save(secret)
    steps = (*run.steps, {**run.steps[0], "step": 9, "frame": 9, "frame_file": "frames/../../secret.png"})
    html = render_html(Run(folder, run.header, steps))
    assert "no picture" in html
    assert "not one of this run" in html
    assert base64.b64encode(secret.read_bytes()).decode() not in html


@pytest.mark.parametrize(
    "damage",
    [
        {"actions": [{"wanted": {"type": "explode"}, "executed": None}]},
        {"actions": [{}]},
        {"actions": 5},
        {"seconds": {"total": "soon"}},
        {"kept_patches": {"0": {"rows": 2, "cols": 2, "kept": "99"}}},
        {"kept_patches": {"zero": {"rows": 1, "cols": 1, "kept": "9"}}},
        {"error": "x"},
        {"context": [1]},
    ],
)
def test_damaged_steps_are_named(folder: Path, damage: dict[str, Any]) -> None:
    run = load_run(folder)
    with pytest.raises(RunError, match="step 1 of"):
        render_html(Run(folder, run.header, ({**run.steps[0], **damage},)))


def test_veil_is_dark_where_nothing_is_kept() -> None:
    data = base64.b64decode(veil(2, 3, "905090").partition(",")[2])
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    assert image.size == (3, 2)
    alphas = [image.getpixel((i % 3, i // 3))[3] for i in range(6)]  # type: ignore[index]
    assert alphas[0] == alphas[4] == 0
    assert alphas[1] == alphas[3] == alphas[5] > alphas[2] > 0


def test_an_action_that_was_not_done_is_marked_as_such() -> None:
    data = {"wanted": {"type": "click", "x": 1, "y": 2}, "executed": None, "points": [[1, 2]]}
    assert "undone" in marker_svg([data], 100, 100).text


def test_the_report_is_one_small_file(folder: Path) -> None:
    path = build_report(load_run(folder), folder.parent / "elsewhere" / "page.html")
    text = path.read_text()
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert path.stat().st_size < 300_000
    assert json.loads((folder / "run.json").read_text())["status"] == "success"


def test_pictures_of_a_long_run_stay_in_its_folder(tmp_path: Path, page: Any) -> None:
    answers = [click(9 + n % 200, 9) for n in range(130)]
    play(answers, FakeScreen(), recorder=Recorder.create(tmp_path / "run", {"task": "x"}), max_steps=130)
    run = load_run(tmp_path / "run")
    path = build_report(run, tmp_path / "a page" / "report.html")
    messages, requests = visit(page, path)
    assert messages == []
    frames = [url for url in requests if url.endswith(".png")]
    assert all("/run/frames/" in url for url in frames)
    assert 0 < len(frames) < 30, "what is out of sight is not read"
    page.locator("#step-120").scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#step-120 .shot').getBoundingClientRect().top < innerHeight")
    shot = page.locator("#step-120 .shot")
    assert shot.evaluate("e => getComputedStyle(e).backgroundImage").endswith(f'{run.steps[119]["frame_file"]}")')
    assert page.locator("#step-120 .strip figure").count() == 5
    assert "115 earlier screenshots" in page.locator("#step-120").inner_text()
    assert page.locator("svg.chart").first.locator("rect, circle").count() < 1000
    whole = build_report(run, tmp_path / "whole.html", whole=True)
    assert visit(page, whole)[1] == [whole.as_uri()]


def test_pictures_that_are_missing_are_told_of_a_long_run_too(tmp_path: Path) -> None:
    play([click(9, 9)], recorder=Recorder.create(tmp_path / "run", {"task": "x"}), max_steps=3)
    run = load_run(tmp_path / "run")
    first, *_, last = (tmp_path / "run" / step["frame_file"] for step in run.steps)
    first.unlink()
    last.write_bytes(b"no picture")
    html = render_html(run, tmp_path)
    assert html.count("cannot be read") == 1
    assert html.count("is not an image") == 1
