"""`guikv bench env`: what is counted, and a real run; times are reported, never judged here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from typer.testing import CliRunner

from agent.errors import ConfigError
from envs.base import Environment, EnvironmentDied, SetupError
from eval.bench import env as bench_env
from eval.bench.env import PHASES, PLACES, Track, actions, choose, opened, run_bench, spread, summarise
from eval.cli import app
from eval.commands.bench import env_table
from tests.agent.scripted import FakeScreen
from tests.patience import until


def track(total: float) -> Track:
    made = Track((10, 20))
    for step in range(8):
        made.kinds.append(actions(step, (10, 20)).type)
        for phase in PHASES:
            made.seconds[phase].append(total / 4 * (1 + 9 * (step == 7)))
    return made


def test_the_ratio_is_of_medians_to_the_browsers() -> None:
    result = summarise({"browser": track(0.2), "desktop": track(0.5)})
    assert result["steps"] == 8
    desktop = result["environments"]["desktop"]
    assert (desktop["ratio"], desktop["size"]) == (2.5, [10, 20])
    assert desktop["step"]["median"] == pytest.approx(0.5)
    assert desktop["step"]["p95"] > 2
    assert desktop["actions"]["click"] == {"median": 0.5, "p95": 0.5}
    assert set(desktop["actions"]) == {"click", "type", "scroll"}
    assert result["environments"]["browser"]["ratio"] == 1.0
    assert summarise({"desktop": track(0.5)})["environments"]["desktop"]["ratio"] is None
    assert env_table(result).row_count == 7


def test_median_and_percentile() -> None:
    assert spread([0.3, 0.1, 0.2]) == {"median": 0.2, "p95": 0.29}
    assert spread([0.3]) == {"median": 0.3, "p95": 0.3}


def test_environments_take_turns_and_the_first_steps_do_not_count() -> None:
    order: list[str] = []

    class Seen(FakeScreen):
        def settle(self) -> float:
            order.append(self.name)
            return 0.0

    screens = {"browser": Seen(name="browser"), "other": Seen(name="other", size=(100, 50))}
    told: list[int] = []
    result = run_bench(screens, steps=5, warm_up=2, report=lambda step, tracks: told.append(step))
    assert order == ["browser", "other"] * 7
    assert told == list(range(7))
    assert result["steps"] == 5
    assert {name: row["size"] for name, row in result["environments"].items()} == {
        "browser": [280, 280],
        "other": [100, 50],
    }
    assert screens["browser"].done == [actions(step, (280, 280)) for step in range(7)]
    for column in result["environments"].values():
        assert all(column["phases"][phase]["median"] >= 0 for phase in PHASES)
        assert column["phases"]["encode"]["median"] > 0


def test_an_environment_that_dies_ends_it() -> None:
    with pytest.raises(EnvironmentDied):
        run_bench({"browser": FakeScreen(failing={"execute": [EnvironmentDied("gone")]})}, steps=4)


def test_places_by_name() -> None:
    assert choose("") == tuple(PLACES)
    assert choose(" browser,browser ") == ("browser",)
    with pytest.raises(ConfigError, match="nothing to measure in 'moon'"):
        choose("browser,moon")


def test_one_that_cannot_be_started_closes_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    @contextmanager
    def good() -> Iterator[Environment]:
        try:
            yield FakeScreen()
        finally:
            closed.append("good")

    def bad() -> AbstractContextManager[Environment]:
        raise SetupError("no display")

    monkeypatch.setattr(bench_env, "PLACES", {"good": good, "bad": bad})
    with pytest.raises(SetupError), opened(("good", "bad")):
        pass
    assert closed == ["good"]


@pytest.mark.parametrize("name", list(PLACES))
def test_the_same_page_is_there_in_every_place_and_answers(name: str) -> None:
    with opened((name,)) as places:
        place = places[name]
        for step in range(4):
            before = place.screenshot().image
            place.execute(actions(step, before.size))
            place.settle()
            changed = until(lambda before=before: place.screenshot().image.tobytes() != before.tobytes())
            assert changed, f"step {step} changed nothing"


def test_the_command_prints_what_was_measured() -> None:
    done = CliRunner().invoke(app, ["bench", "env", "--environments", "browser", "--steps", "4", "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["environments"]["browser"]["size"] == [1280, 800]
    assert result["steps"] == 4
