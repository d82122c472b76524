"""Trajectories in one session: what persists, what is judged, what is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agent.config import CacheConfig, Config, PromptConfig
from agent.errors import ConfigError
from envs.actions import Action, Click, Scroll
from envs.geometry import Size
from eval.benchmarks import BENCHMARKS
from eval.benchmarks.base import Source, Step, Trajectory
from eval.benchmarks.errors import DataError, MissingImage
from eval.benchmarks.pictures import Picture
from eval.benchmarks.playground.benchmark import PLAYGROUND, Playground
from eval.benchmarks.playground.gold import PlaygroundGold
from eval.metrics.measures import evaluate
from eval.replay.offline_dialect import as_set
from eval.replay.play import MOST_ANSWERS, play
from eval.replay.settings import ReplaySettings
from eval.rows import Row
from guikv.models import Adapter
from guikv.policies import POLICIES

EPISODES = Path(__file__).parents[2] / "data" / "nano_episodes"
DIALECTS = ("ui_tars", "opencua", "qwen25", "qwen3")


def settings(**values: Any) -> ReplaySettings:
    return ReplaySettings(**{"benchmark": "playground", "path": EPISODES, **values})


def cached(**values: Any) -> Config:
    return Config(cache=CacheConfig(**values))


def episode(task: str) -> Trajectory:
    return next(t for t in PLAYGROUND.trajectories(Source(EPISODES, splits=(task,))))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_oracle_is_always_right(dialect: str) -> None:
    wanted = settings(model="oracle", dialect=dialect)
    rows = [row for t in PLAYGROUND.trajectories(wanted.source) for row in play(wanted, PLAYGROUND, t, None)]
    assert len(rows) == 35
    assert [row.error or row.texts for row in rows if row.scores["official"] != 1.0] == []
    assert {v.name: v.value for v in evaluate(PLAYGROUND.measures, [row.scored for row in rows])}["episodes"] == 1.0


def test_the_cache_persists_across_the_steps(adapter: Adapter) -> None:
    first, second, third = play(settings(history="own"), PLAYGROUND, episode("form"), adapter)
    assert first.cost["tokens_reused"] == 0
    for before, row in ((first, second), (second, third)):
        spent = sum(before.cost[name] for name in ("tokens_reused", "tokens_new", "tokens_generated"))
        # Everything but the end of the reply's turn was there.
        assert row.cost["tokens_reused"] == spent
        assert row.cost["tokens_recomputed"] == 0
    assert list(third.kept) == ["0", "1", "2"]


def test_a_recorded_answer_takes_the_place_of_the_model_s(adapter: Adapter) -> None:
    """Teacher-forced: the session goes back to the screenshot, and no further."""
    trajectory = episode("form")
    wrong = replace(trajectory, steps=(replace(trajectory.steps[0], thought="Orange"), *trajectory.steps[1:]))
    gold = list(play(settings(history="gold"), PLAYGROUND, wrong, adapter))
    own = list(play(settings(history="own"), PLAYGROUND, wrong, adapter))
    assert gold[0].comparable == own[0].comparable
    assert gold[1].cost["tokens_reused"] >= gold[0].cost["tokens_new"]
    assert gold[1].cost["tokens_reused"] < own[1].cost["tokens_reused"]


@pytest.mark.parametrize("policy", list(POLICIES))
def test_every_policy_plays_and_repeats_itself(policy: str, adapter: Adapter) -> None:
    wanted = settings(history="own", config=cached(policy=policy, budget="20%"))
    trajectory = episode("remember_2")
    once, again = ([row.comparable for row in play(wanted, PLAYGROUND, trajectory, adapter)] for _ in range(2))
    assert once == again
    last = once[-1]["cost"]
    assert (last["kv_bytes"] < last["full_kv_bytes"]) == (policy != "full")


def test_the_seed_is_the_random_policy_s(adapter: Adapter) -> None:
    kept = []
    for seed in (0, 0, 1):
        wanted = settings(seed=seed, history="own", config=cached(policy="random"))
        kept.append([row.kept for row in play(wanted, PLAYGROUND, episode("form"), adapter)])
    assert kept[0] == kept[1] != kept[2]


def test_the_prefill_moment_compresses_before_the_answer(adapter: Adapter) -> None:
    wanted = settings(config=cached(policy="gui_kv", budget="20%", moment="prefill"))
    first = next(play(wanted, PLAYGROUND, episode("form"), adapter))
    assert first.cost["kv_bytes"] < first.cost["full_kv_bytes"]


def gone(trajectory: Trajectory, index: int) -> Trajectory:
    steps = list(trajectory.steps)
    steps[index] = replace(steps[index], views=(Picture("gone.png", Path("gone.png"), where="here"),))
    return replace(trajectory, steps=tuple(steps))


def test_a_missing_image_is_an_error(adapter: Adapter) -> None:
    rows = play(settings(), PLAYGROUND, gone(episode("form"), 1), adapter)
    assert next(rows).step == 0
    with pytest.raises(MissingImage, match=r"here: the image gone\.png is missing"):
        next(rows)


@pytest.mark.parametrize("model", ["nano", "oracle"])
def test_a_missing_image_can_be_left_out(model: str, adapter: Adapter) -> None:
    wanted = settings(missing="skip", model=model)
    rows = list(play(wanted, PLAYGROUND, gone(episode("form"), 1), None if model == "oracle" else adapter))
    assert [bool(row.skipped) for row in rows] == [False, True, False]
    assert rows[1].scores == {}
    assert "gone.png" in rows[1].skipped


def test_an_oracle_needs_a_size(adapter: Adapter) -> None:
    with pytest.raises(DataError, match="its size is not stated"):
        list(play(settings(missing="blank", model="oracle"), PLAYGROUND, gone(episode("form"), 0), None))


def test_an_image_that_is_none_is_told(tmp_path: Path, adapter: Adapter) -> None:
    (tmp_path / "bad.png").write_text("not a picture")
    trajectory = episode("form")
    bad = replace(trajectory.steps[0], views=(Picture("bad.png", tmp_path / "bad.png"),))
    with pytest.raises(DataError, match="is not an image"):
        next(play(settings(), PLAYGROUND, replace(trajectory, steps=(bad,)), adapter))


@dataclass(frozen=True)
class Pages(Playground):
    """Every answer, whatever it is, leads to the next of the views."""

    def follow(self, step: Step, view: int, actions: Sequence[Action]) -> int | None:
        return view + 1 if actions and view + 1 < len(step.views) else None

    def oracle_view(self, step: Step) -> int:
        return len(step.views) - 1


def test_views_of_a_step_are_answered_one_after_the_other(tmp_path: Path, adapter: Adapter) -> None:
    trajectory = episode("form")
    view = trajectory.steps[0].views[0]
    long = replace(trajectory.steps[0], views=(view,) * 3)
    row, later = play(settings(history="own"), Pages(), replace(trajectory, steps=(long, trajectory.steps[1])), adapter)
    assert row.views == (0, 1, 2)
    assert len(row.texts) == 3
    assert list(later.kept) == ["0", "1", "2", "3"]


def test_views_end_somewhere(tmp_path: Path, adapter: Adapter) -> None:
    trajectory = episode("form")
    endless = replace(trajectory.steps[0], views=trajectory.steps[0].views * 20)
    (row,) = play(settings(), Pages(), replace(trajectory, steps=(endless,)), adapter)
    assert len(row.texts) == MOST_ANSWERS


def test_the_right_answer_stands_under_the_view_it_belongs_to(tmp_path: Path, adapter: Adapter) -> None:
    """In a teacher-forced history the model's wanderings leave no trace."""
    red = tmp_path / "red.png"
    Image.new("RGB", (280, 280), "red").save(red)
    trajectory = episode("form")
    first = replace(trajectory.steps[0], views=(trajectory.steps[0].views[0], Picture("red.png", red)))
    there = replace(trajectory, steps=(first, trajectory.steps[1]))

    @dataclass(frozen=True)
    class Still(Pages):
        def follow(self, step: Step, view: int, actions: Sequence[Action]) -> int | None:
            return None

    moving = list(play(settings(), Pages(), there, adapter))
    still = list(play(settings(), Still(), there, adapter))
    assert moving[0].views == (0, 1)
    assert still[0].views == (0,)
    # The red view replaces the one that was seen.
    assert moving[1].texts == still[1].texts


def test_a_note_is_shown_with_its_screenshot_only(adapter: Adapter) -> None:
    trajectory = episode("form")
    noted = replace(trajectory, steps=(replace(trajectory.steps[0], note="Click the red one."), *trajectory.steps[1:]))
    plain, told = (
        [r.cost["tokens_new"] for r in play(settings(), PLAYGROUND, t, adapter)] for t in (trajectory, noted)
    )
    assert told[0] > plain[0]
    assert told[1:] == plain[1:]


def test_what_cannot_be_said_in_a_dialect_is_told() -> None:
    @dataclass(frozen=True)
    class Odd(Playground):
        def oracle(self, step: Step, size: Any) -> tuple[Action, ...]:
            return (Scroll(direction="left"), Scroll(direction="left"))

    rows = list(play(settings(model="oracle", dialect="qwen25"), Odd(), episode("click"), None))
    assert len(rows) == 1
    assert rows[0].scores["official"] == 0.0


def test_an_oracle_s_prompt_is_the_settings_own() -> None:
    prompt = PromptConfig(coordinates="relative")
    voice = as_set("ui_tars", prompt, PLAYGROUND)
    plain = as_set("ui_tars", PromptConfig(), PLAYGROUND)
    resize, action = plain.resize(Size(1000, 1000)), Click(x=500, y=500)
    assert "(500,500)" in voice.dialect.write("", (action,), resize)
    assert "(500,500)" not in plain.dialect.write("", (action,), resize)
    with pytest.raises(ConfigError, match="the dialect qwen3 has no option 'foo'"):
        as_set("qwen3", PromptConfig(options={"foo": 1}), PLAYGROUND)


def test_gold_comes_back_from_a_row() -> None:
    row = next(play(settings(model="oracle"), PLAYGROUND, episode("click"), None))
    gold = PlaygroundGold.model_validate(row.gold)
    assert PLAYGROUND.score(gold, row.kind, row.prediction) == row.scores
    assert Row.model_validate_json(row.model_dump_json()) == row


def test_the_registry_knows_them_by_name() -> None:
    assert all(name == benchmark.name for name, benchmark in BENCHMARKS.items())


def test_the_oracle_has_no_cache_settings() -> None:
    assert "cache" not in settings(model="oracle").identity()["config"]
    assert settings().identity()["config"]["cache"]["options"]["alpha"] == 8.0


@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name not in ("aitz", "webvoyager", "playground")])
def test_both_scorers_have_a_number_that_is_shown_first(name: str) -> None:
    """Those that the release knows nothing of have their own rules only."""
    measures = [measure.name for measure in BENCHMARKS[name].measures]
    assert measures[0] == "official"
    assert "release" in measures
    assert len(set(measures)) == len(measures)


def test_an_image_that_the_annotation_is_not_of(tmp_path: Path, adapter: Adapter) -> None:
    small = tmp_path / "small.png"
    Image.new("RGB", (40, 40)).save(small)
    trajectory = episode("form")
    other = replace(trajectory.steps[0], views=(Picture("small.png", small),))
    with pytest.raises(
        DataError, match=r"form\.jsonl line 1: the right answer lies outside the image small\.png: click"
    ):
        next(play(settings(), PLAYGROUND, replace(trajectory, steps=(other,)), adapter))


@pytest.mark.parametrize("model", ["nano", "oracle"])
def test_an_image_that_no_model_takes_is_named(model: str, tmp_path: Path, adapter: Adapter) -> None:
    thread = tmp_path / "thread.png"
    Image.new("RGB", (9000, 300)).resize((9000, 20)).save(thread)
    trajectory = episode("click")
    step = replace(trajectory.steps[0], views=(Picture("thread.png", thread, where="line 7"),))
    gold = step.gold.model_copy(update={"box": (0.0, 0.0, 10.0, 10.0)})
    bad = replace(trajectory, steps=(replace(step, gold=gold),))
    with pytest.raises(DataError, match=r"line 7: the image .*thread\.png: .*too small"):
        next(play(settings(model=model), PLAYGROUND, bad, None if model == "oracle" else adapter))


@pytest.mark.parametrize("model", ["nano", "oracle"])
def test_what_cannot_be_used_can_be_left_out_and_the_rest_goes_on(model: str, tmp_path: Path, adapter: Adapter) -> None:
    """As if the step were not there: what comes after has the same answers and costs as without it."""
    whole = episode("form")
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    picture = replace(whole.steps[1].views[0], path=bad)
    damaged = replace(whole, steps=(whole.steps[0], replace(whole.steps[1], views=(picture,)), *whole.steps[2:]))
    wanted = settings(model=model, skip_bad=True)
    rows = list(play(wanted, PLAYGROUND, damaged, adapter if model == "nano" else None))
    assert [bool(row.skipped) for row in rows] == [False, True, *[False] * (len(whole.steps) - 2)]
    assert "is not an image" in rows[1].skipped
    shorter = replace(whole, steps=(whole.steps[0], *whole.steps[2:]))
    expected = list(play(wanted, PLAYGROUND, shorter, adapter if model == "nano" else None))
    assert [(row.texts, row.cost) for row in rows if not row.skipped] == [(row.texts, row.cost) for row in expected]
    with pytest.raises(DataError, match="is not an image"):
        list(play(settings(model=model), PLAYGROUND, damaged, adapter if model == "nano" else None))
