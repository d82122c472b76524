"""The same pages in a tab, on an X desktop and on a simulated phone: same pictures, same coordinates, same verdicts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from envs.geometry import Size
from envs.playground import SIDE, Playground
from envs.playground.screens import SCREENS
from tests.envs.playground_oracle import Oracle
from tests.leftovers import running, since

TASKS = ("click", "form", "remember_1", "dialog", "scroll", "order")
STEPS = 16


@pytest.fixture(scope="module", params=sorted(SCREENS))
def shown(request: pytest.FixtureRequest) -> Iterator[Playground]:
    before = running()
    playground = SCREENS[request.param](None)
    started = since(before)
    assert started
    try:
        yield playground
    finally:
        playground.close()
    assert not started & running()


@pytest.fixture(scope="module")
def in_tab() -> Iterator[Playground]:
    with Playground.launch("click", 0) as playground:
        yield playground


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_the_right_steps_solve_every_task(shown: Playground, task: str) -> None:
    shown.load(task, 7)
    oracle = Oracle(shown)
    for _ in range(STEPS):
        action = oracle.next()
        if action.type == "finish":
            break
        shown.execute(action)
        shown.settle()
    verdict = shown.verdict()
    assert (verdict.done, verdict.success) == (True, True)


def test_the_picture_is_the_page_and_nothing_else(shown: Playground, in_tab: Playground) -> None:
    for playground in (shown, in_tab):
        playground.load("form", 5)
        playground.settle()
    picture, wanted = shown.screenshot(), in_tab.screenshot()
    assert picture.viewport.screenshot == Size(SIDE, SIDE)
    difference = np.abs(np.asarray(picture.image, dtype=int) - np.asarray(wanted.image, dtype=int)).max(axis=2)
    # A control below a pointer that rests there may be tinted; nothing else may differ.
    assert (difference > 48).mean() < 0.001
    assert (difference > 0).mean() < 0.05
