"""The shipped weights look at the screen, and remember what it showed: without either they fall to chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from PIL import Image

from agent.assemble import load_adapter, make_brain, make_dialect
from agent.config import CacheConfig, Config
from agent.model import SessionBrain
from envs.playground.episodes import write_episodes
from eval.live.episodes import ForgetfulBrain
from eval.study.episodes import Episode, load_groups
from eval.study.play import StoredPlayer
from guikv.content import Frame
from guikv.models.base import Adapter

SEEDS = range(94000, 94016)
TASKS = ("click", "form", "remember_1", "remember_2", "dialog")
MEMORY = ("remember_1", "remember_2")
FULL = CacheConfig(policy="full")
GUI_KV = CacheConfig(policy="gui_kv", budget="20%")

pytestmark = pytest.mark.slow


def forgetful(config: CacheConfig, adapter: Adapter) -> SessionBrain:
    return ForgetfulBrain(make_brain(config, adapter).session, adapter)


def blank(episode: Episode) -> Episode:
    white = Image.new("RGB", (280, 280), "white")
    steps = tuple(replace(step, frame=Frame(white, step.frame.number)) for step in episode.steps)
    return replace(episode, steps=steps)


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    # More threads than free cores make the many small products of a tiny model slow.
    torch.set_num_threads(1)
    return load_adapter(Config())


@pytest.fixture(scope="module")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Episode]]:
    folder = tmp_path_factory.mktemp("episodes")
    found = {}
    for task in TASKS:
        assert len(list(write_episodes(task, SEEDS, folder))) == len(SEEDS)
        [found[task]] = load_groups(folder, task, 1, len(SEEDS))
    return found


Brain = Callable[[CacheConfig, Adapter], SessionBrain]


def success(adapter: Adapter, episodes: list[Episode], config: CacheConfig, brain: Brain = make_brain) -> float:
    player = StoredPlayer(adapter, make_dialect(Config(), adapter), brain=brain)
    played = [(episode, player.play(episode, config)) for episode in episodes]
    done = [len(steps) == len(episode.steps) and steps[-1].right for episode, steps in played]
    return sum(done) / len(done)


@pytest.mark.parametrize("config", [FULL, GUI_KV], ids=["full", "gui_kv 20%"])
@pytest.mark.parametrize("task", TASKS)
def test_it_can(adapter: Adapter, episodes: dict[str, list[Episode]], task: str, config: CacheConfig) -> None:
    assert success(adapter, episodes[task], config) >= 0.65


@pytest.mark.parametrize("task", TASKS)
def test_without_the_screenshot_it_cannot(adapter: Adapter, episodes: dict[str, list[Episode]], task: str) -> None:
    chance = sum(e.chance for e in episodes[task]) / len(episodes[task])
    assert success(adapter, [blank(e) for e in episodes[task]], FULL) <= chance + 0.1


@pytest.mark.parametrize("task", MEMORY)
def test_without_the_earlier_turns_it_cannot_remember(
    adapter: Adapter, episodes: dict[str, list[Episode]], task: str
) -> None:
    chance = sum(e.chance for e in episodes[task]) / len(episodes[task])
    assert success(adapter, episodes[task], FULL, forgetful) <= chance + 0.2


def test_without_the_earlier_turns_it_still_clicks(adapter: Adapter, episodes: dict[str, list[Episode]]) -> None:
    whole, without = (success(adapter, episodes["dialog"], FULL, brain) for brain in (make_brain, forgetful))
    assert without >= whole - 0.2
    assert success(adapter, episodes["click"], FULL, forgetful) == success(adapter, episodes["click"], FULL)
