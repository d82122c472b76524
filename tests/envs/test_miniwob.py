"""MiniWoB tasks through the same browser."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from envs.actions import Click, Navigate, Type
from envs.base import Blocked, Environment, SetupError
from envs.miniwob import AREA, MiniWob, task_names

ZOOM = 2


@pytest.fixture(scope="module")
def episode() -> Iterator[MiniWob]:
    pytest.importorskip("miniwob", exc_type=ImportError) if not _has_pages() else None
    with MiniWob.launch("click-button", 1, zoom=ZOOM) as episode:
        yield episode


def _has_pages() -> bool:
    try:
        return bool(task_names())
    except SetupError:
        return False


def click(episode: MiniWob, script: str) -> None:
    """Click the middle of the element that the script finds."""
    x, y = episode.browser.evaluate(
        f"(() => {{ const r = ({script}).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
    )
    episode.screenshot()
    episode.execute(Click(x=x * ZOOM, y=y * ZOOM))


NAMED = "[...document.querySelectorAll('#area button')].find((b) => (b.innerText === '{name}') === {same})"


def test_a_task_is_solved_by_pixels(episode: MiniWob) -> None:
    for seed in range(4):
        episode.load("click-button", seed)
        assert not episode.verdict().done
        assert episode.reward == 0
        name = episode.goal.split('"')[1]
        click(episode, NAMED.format(name=name, same="true"))
        verdict = episode.verdict()
        assert (verdict.done, verdict.success) == (True, True)
        assert episode.reward == 1


def test_a_wrong_click_fails(episode: MiniWob) -> None:
    for seed in range(20):
        episode.load("click-button", seed)
        name = episode.goal.split('"')[1]
        wrong = NAMED.format(name=name, same="false")
        if episode.browser.evaluate(f"Boolean({wrong})"):
            click(episode, wrong)
            verdict = episode.verdict()
            assert (verdict.done, verdict.success) == (True, False)
            assert episode.reward == -1
            return
    raise AssertionError("no seed had another button")


def test_typing(episode: MiniWob) -> None:
    episode.load("enter-text", 3)
    click(episode, "document.querySelector('#area input')")
    episode.execute(Type(text=episode.goal.split('"')[1]))
    click(episode, "document.querySelector('#area button')")
    assert episode.verdict().success


def test_seeds_repeat(episode: MiniWob) -> None:
    def goals() -> list[str]:
        out = []
        for seed in range(3):
            episode.load("enter-text", seed)
            out.append(episode.goal)
        return out

    assert goals() == goals()


def test_only_the_task_is_shown(episode: MiniWob) -> None:
    assert isinstance(episode, Environment)
    shot = episode.screenshot()
    assert shot.image.size == (AREA[0] * ZOOM, AREA[1] * ZOOM)
    assert (shot.viewport.device.width, shot.viewport.device.height) == AREA
    with pytest.raises(Blocked):
        episode.execute(Navigate(url="http://localhost/"))


def test_a_larger_screen_is_blank_around_the_task() -> None:
    with MiniWob.launch("click-button", 1, viewport=(280, 280)) as episode:
        for task in ("click-test-2", "click-test"):
            episode.load(task, 0)
            shot = episode.screenshot().image
            assert shot.size == (280, 280)
            right, below = shot.crop((AREA[0], 0, 280, 280)), shot.crop((0, AREA[1], 280, 280))
            assert right.getcolors() == [(120 * 280, (255, 255, 255))]
            assert below.getcolors() == [(280 * 70, (255, 255, 255))]
        x, y = episode.browser.evaluate(
            "(() => { const r = document.querySelector('#area button').getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        episode.execute(Click(x=x, y=y))
        assert episode.verdict().success
    with pytest.raises(SetupError, match="cuts the task"):
        MiniWob.launch("click-button", 1, viewport=(280, 200))


def test_a_task_that_there_is_not(episode: MiniWob) -> None:
    with pytest.raises(SetupError, match="no task 'nothing'"):
        episode.load("nothing", 0)
    with pytest.raises(SetupError, match="no task 'nothing'"):
        MiniWob.launch("nothing", 0)
    with pytest.raises(SetupError, match="no task"):
        MiniWob.launch("../core/core", 0)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envs.miniwob.find_spec", lambda _: None)
    monkeypatch.delitem(sys.modules, "miniwob", raising=False)
    with pytest.raises(SetupError, match="pip install --no-deps miniwob"):
        MiniWob.launch("click-button", 0)
