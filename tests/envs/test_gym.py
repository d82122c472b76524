"""Gymnasium's own check on a real browser, and what each part of a step means."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env

from envs.actions import ACTION_TYPES, Action, Answer, AskUser, Click, Drag, Finish, Scroll, Swipe, Wait, dump_action
from envs.base import (
    ActionFailed,
    Blocked,
    EnvironmentDied,
    HiddenScreen,
    ScreenshotError,
    SetupError,
    UnsupportedAction,
    UserStopped,
    Verdict,
)
from envs.geometry import Size
from envs.gym import ACTION_NAMES, ENVIRONMENT_ID, PLAYGROUND_ID, GuiEnv, Seconds, action_space
from envs.gym.space import from_space
from envs.playground.live import Playground
from tests.agent.scripted import FakeScreen
from tests.envs.playground_oracle import Oracle
from tests.patience import PATIENCE

INFO = {
    "last_action_error", "seconds", "events", "context", "goal", "steps", "success", "claimed", "hidden", "action_mask",
}  # fmt: skip


def value_of(action: Action, size: tuple[int, int]) -> dict[str, Any]:
    """The value of the space that stands for an action of one of the kinds that the playground needs."""
    space = action_space()
    space.seed(1)
    value = {**space.sample(), "type": ACTION_NAMES.index(action.type)}
    for key in ("text", "amount", "count", "submit"):
        if key in type(action).model_fields:
            value[key] = getattr(action, key)
    if isinstance(action, Click | Scroll):
        value["point"] = np.array([action.x / size[0], action.y / size[1]])
        value |= {"button": 0, "direction": 1}
    assert value in space
    return value


@pytest.fixture(scope="module")
def playground() -> Iterator[GuiEnv]:
    made = gymnasium.make(f"envs.gym:{PLAYGROUND_ID}", task="form", render_mode="rgb_array", longest_seconds=0.2)
    assert isinstance(made.unwrapped, GuiEnv)
    yield made.unwrapped
    made.close()


def test_gymnasiums_own_check_finds_nothing(playground: GuiEnv) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        check_env(playground, skip_close_check=True)


@pytest.mark.parametrize("form", ["action", "json", "space"])
def test_a_page_is_solved_by_actions_in_every_form(playground: GuiEnv, form: str) -> None:
    seen, info = playground.reset(seed=4)
    assert playground.observation_space.contains(seen)
    assert isinstance(playground.environment, Playground)
    oracle = Oracle(playground.environment)
    assert info["goal"] == playground.environment.goal
    rewards = []
    for step in range(1, 30):
        action = oracle.next()
        given = {"action": action, "json": dump_action(action), "space": value_of(action, (280, 280))}[form]
        seen, reward, terminated, truncated, info = playground.step(given)
        rewards.append(reward)
        assert info["last_action_error"] == ""
        assert (info["steps"], info["context"]["host"]) == (step, "playground.test")
        assert min(info["seconds"].execute, info["seconds"].settle, info["seconds"].screenshot) > 0
        if terminated:
            break
    assert (rewards[-1], sum(rewards), terminated, truncated, info["success"]) == (1.0, 1.0, True, False, True)
    assert np.array_equal(playground.render(), seen)
    with pytest.raises(ResetNeeded):
        playground.step(Wait())


def test_a_seed_is_a_page(playground: GuiEnv) -> None:
    first, told = playground.reset(seed=8)
    other, _ = playground.reset()
    again, retold = playground.reset(seed=8)
    assert np.array_equal(first, again)
    assert told["goal"] == retold["goal"]
    assert not np.array_equal(first, other)
    playground.reset(options={"episode_seed": 90_000})
    assert isinstance(playground.environment, Playground)
    assert playground.environment.page.seed == 90_000


def test_a_browser_that_died_is_raised_and_replaced_at_the_next_reset(playground: GuiEnv) -> None:
    playground.reset(seed=1)
    before = playground.environment
    assert isinstance(before, Playground)
    before.browser.close()
    with pytest.raises(EnvironmentDied):
        playground.step(Click(x=1, y=1))
    with pytest.raises(ResetNeeded):
        playground.step(Click(x=1, y=1))
    _, info = playground.reset(seed=1)
    assert info["goal"]
    assert playground.environment is not before


def test_any_environment_of_the_registry_can_be_made() -> None:
    made = gymnasium.make(ENVIRONMENT_ID, name="playground", options={"task": "click"}, size=(140, 140))
    with made:
        seen, _ = made.reset(seed=2)
        assert seen.shape == (140, 140, 3)
        gui = made.unwrapped
        assert isinstance(gui, GuiEnv)
        assert isinstance(gui.environment, Playground)
        assert gui.environment.page.seed == int(np.random.default_rng(2).integers(2**31 - 1))
        action = Oracle(gui.environment).next()
        assert isinstance(action, Click)
        # The page is twice as large as the picture.
        _, reward, terminated, _, _ = made.step(action.model_copy(update={"x": action.x / 2, "y": action.y / 2}))
        assert (reward, terminated) == (1.0, True)
    with pytest.raises(SetupError, match="did you mean 'browser'"):
        gymnasium.make(ENVIRONMENT_ID, name="browsr")


def test_every_value_of_the_space_is_an_action_and_every_action_has_one() -> None:
    space, size = action_space(longest_seconds=2.0), Size(100, 50)
    space.seed(5)
    made = [from_space(space.sample(), size) for _ in range(600)]
    assert {type(action) for action in made} == set(ACTION_TYPES.values())
    for action in made:
        if isinstance(action, Drag):
            assert all(0 <= x <= 100 and 0 <= y <= 50 for x, y in action.path)
        assert getattr(action, "seconds", 0.05) <= 2.0


def screen(**settings: Any) -> tuple[FakeScreen, GuiEnv]:
    fake = FakeScreen()
    gui = GuiEnv(fake, **settings)
    gui.reset()
    return fake, gui


def test_the_picture_is_fitted_and_points_are_taken_back() -> None:
    fake, gui = screen(size=(140, 70))
    gui.step(Click(x=70, y=35))
    gui.step(Drag(path=((0, 0), (10, 10), (140, 70))))
    gui.step(Swipe(x=1, y=2, x2=3, y2=4))
    gui.step(Scroll(direction="up"))
    assert fake.done == [
        Click(x=140, y=140),
        Drag(path=((0, 0), (20, 40), (280, 280))),
        Swipe(x=2, y=8, x2=6, y2=16),
        Scroll(direction="up"),
    ]
    fake.size = (560, 280)
    gui.step(Wait(seconds=0))
    seen, *_ = gui.step(Click(x=70, y=35))
    assert (fake.done[-1], seen.shape) == (Click(x=280, y=140), (70, 140, 3))


@pytest.mark.parametrize("error", [UnsupportedAction("no"), ActionFailed("no"), Blocked("no"), ScreenshotError("no")])
def test_what_could_not_be_done_is_in_the_info(error: Exception) -> None:
    fake, gui = screen()
    fake.failing["execute"] = [error]
    *_, terminated, truncated, info = gui.step(Click(x=1, y=1))
    assert (terminated, truncated, info["last_action_error"]) == (False, False, f"{type(error).__name__}: no")
    assert set(info) == INFO
    *_, info = gui.step(Click(x=1, y=1))
    assert info["last_action_error"] == ""


@pytest.mark.parametrize("error", [EnvironmentDied("gone"), UserStopped("Escape"), RuntimeError("a bug")])
@pytest.mark.parametrize("method", ["execute", "settle", "verdict", "screenshot"])
def test_what_ends_the_environment_is_raised(error: Exception, method: str) -> None:
    fake, gui = screen()
    fake.failing[method] = [error]
    with pytest.raises(type(error)):
        gui.step(Click(x=1, y=1))
    with pytest.raises(ResetNeeded):
        gui.step(Click(x=1, y=1))
    gui.reset()
    gui.step(Click(x=1, y=1))


def test_the_mask_tells_what_can_be_done_here() -> None:
    fake, gui = screen()
    _, info = gui.reset()
    able = {name for name, can in zip(ACTION_NAMES, info["action_mask"], strict=True) if can}
    assert able == fake.capabilities | {"answer", "ask_user", "finish"}


def test_a_protected_screen_is_black_and_said_to_be() -> None:
    fake, gui = screen()
    fake.failing["screenshot"] = [HiddenScreen("the bank hides its screen")]
    seen, *_, info = gui.step(Wait(seconds=0))
    assert (int(seen.max()), info["hidden"]) == (0, "the bank hides its screen")
    seen, *_, info = gui.step(Wait(seconds=0))
    assert (int(seen.max()), info["hidden"]) == (255, "")


def test_a_screenshot_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envs.gym.observation._PAUSE", 0.0)
    fake, gui = screen()
    fake.failing["screenshot"] = [ScreenshotError("black")] * 2
    gui.step(Wait(seconds=0))
    fake.failing["settle"] = [ScreenshotError("still moving")]
    *_, info = gui.step(Wait(seconds=0))
    assert info["last_action_error"] == ""
    fake.failing["screenshot"] = [ScreenshotError("black")] * 3
    with pytest.raises(ScreenshotError):
        gui.step(Wait(seconds=0))


@pytest.mark.parametrize(
    ("verdict", "status", "reward", "success"),
    [
        (None, "success", 0.0, None),
        (Verdict(False), "success", 0.0, False),
        (Verdict(False, True), "success", 1.0, True),
        (Verdict(True, True), "failure", 1.0, True),
    ],
)
def test_only_a_verdict_is_rewarded(verdict: Verdict | None, status: Any, reward: float, success: bool | None) -> None:
    fake, gui = screen()
    fake.verdicts = (verdict,)
    _, paid, terminated, truncated, info = gui.step(Finish(status=status))
    assert (paid, terminated, truncated) == (reward, True, False)
    assert (info["success"], info["claimed"]) == (success, status)
    assert fake.done == []


def test_speaking_is_done_and_asking_is_not() -> None:
    fake, gui = screen()
    assert gui.step(Answer(text="so far so good"))[4]["last_action_error"] == ""
    assert "nobody is there" in gui.step(AskUser())[4]["last_action_error"]
    assert fake.done == []


def test_an_episode_is_truncated_after_its_steps() -> None:
    _, gui = screen(max_steps=2)
    assert gui.step(Click(x=1, y=1))[2:4] == (False, False)
    assert gui.step(Click(x=1, y=1))[2:4] == (False, True)
    with pytest.raises(ResetNeeded):
        gui.step(Click(x=1, y=1))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": "jump"}, "does not match any of the expected tags"),
        ({"type": "click", "x": 1}, "click.y: Field required"),
        ({"type": 0}, "KeyError 'point'"),
        ({**action_space().sample(), "type": 99}, "IndexError"),
        ("click(1, 1)", "not 'click"),
        (None, "not None"),
    ],
)
def test_what_is_no_action_is_refused_and_changes_nothing(given: Any, said: str) -> None:
    fake, gui = screen()
    with pytest.raises(InvalidAction, match=re.escape(said)):
        gui.step(given)
    assert gui.step(Click(x=1, y=1))[4]["steps"] == 1
    assert fake.done == [Click(x=1, y=1)]


def test_a_function_starts_one_for_every_episode_unless_it_can_be_shown_in_the_old_one() -> None:
    made: list[int] = []
    closed: list[int] = []

    class Counted(FakeScreen):
        def close(self) -> None:
            closed.append(len(made))

    def make(seed: int) -> FakeScreen:
        made.append(seed)
        return Counted()

    anew = GuiEnv(make, size=(280, 280))
    assert made == []
    anew.reset(options={"episode_seed": 3})
    anew.reset(options={"episode_seed": 4})
    anew.close()
    anew.close()
    assert (made, closed) == ([3, 4], [1, 2])
    shown: list[int] = []
    kept = GuiEnv(make, lambda environment, seed: shown.append(seed))
    assert kept.observation_space.shape == (280, 280, 3)
    kept.reset(options={"episode_seed": 5})
    kept.reset(options={"episode_seed": 6})
    assert (made, shown) == ([3, 4, 0], [5, 6])
    kept.close()
    kept.reset(options={"episode_seed": 7})
    assert made[-1] == 7


def test_settings_that_cannot_be() -> None:
    with pytest.raises(SetupError, match="human"):
        GuiEnv(FakeScreen(), render_mode="human")
    with pytest.raises(SetupError, match="at least one step"):
        GuiEnv(FakeScreen(), max_steps=0)
    _, gui = screen()
    assert gui.render() is None
    with pytest.raises(SetupError, match="no option 'task'"):
        gui.reset(options={"task": "click"})
    gui.close()
    with pytest.raises(SetupError, match="has been closed"):
        gui.reset()


def test_what_a_step_took_does_not_make_it_another_step() -> None:
    assert Seconds(1.0, 2.0, 3.0) == Seconds()


def test_without_gymnasium_it_says_what_to_install() -> None:
    script = "import sys; sys.modules['gymnasium'] = None; import envs.gym"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert "envs.base.SetupError: Gymnasium is not installed (pip install gymnasium)" in done.stderr
