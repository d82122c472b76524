"""Right answers to AndroidControl's steps in every dialect's own words, and what is reported of rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.dialects import DIALECTS
from envs.actions import Direction, Drag, Scroll, Swipe, Type
from envs.geometry import Size
from eval.benchmarks.androidcontrol.benchmark import ANDROIDCONTROL
from eval.benchmarks.androidcontrol.official import swiped
from eval.benchmarks.base import Kind, Source, Step, Trajectory
from eval.metrics.measures import Scored, Value, evaluate
from eval.replay.offline_dialect import speaker
from eval.replay.oracle import oracle_prediction
from tests.eval.benchmarks.androidcontrol_files import episode, write

DATA = Path(__file__).parents[2] / "data" / "androidcontrol"
MOBILE: Kind = "mobile"


@pytest.fixture(params=["ui_s1", "processed", "published"])
def form(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param != "published":
        return DATA / str(request.param)
    write(tmp_path, episode())
    return tmp_path


def scored(path: Path, dialect: str) -> Iterator[tuple[Trajectory, Step, Scored]]:
    voice = speaker(dialect, MOBILE, ANDROIDCONTROL.capabilities)
    for trajectory in ANDROIDCONTROL.trajectories(Source(path)):
        for step in trajectory.steps:
            prediction = oracle_prediction(voice, ANDROIDCONTROL, step, blank=True)
            scores = ANDROIDCONTROL.score(step.gold, step.kind, prediction)
            row = Scored(trajectory.id, trajectory.split, step.kind, scores, step.facts, prediction.error)
            yield trajectory, step, row


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_oracle_is_always_right(form: Path, dialect: str) -> None:
    wrong = [(trajectory.id, step.key, row) for trajectory, step, row in scored(form, dialect) if row.error]
    assert wrong == []
    for name in ("official", "type_match", "box_or_near"):
        assert [step.where for _, step, row in scored(form, dialect) if row.scores[name] != 1.0] == [], name


@pytest.mark.parametrize("dialect", DIALECTS)
def test_where_the_other_rules_cannot_be_met(dialect: str) -> None:
    """node_box: taps on what has no label. distance_14: an app whose name begins with a blank, which dialects drop."""
    rows = list(scored(DATA / "ui_s1", dialect))
    missed = {(t.id, step.key) for t, step, row in rows if row.scores["node_box"] != 1.0}
    unlabelled = {
        (t.id, step.key) for t, step, _ in rows if step.kind in ("click", "long_press") and not step.gold.candidates
    }
    assert unlabelled
    assert missed == unlabelled | {("9128", "0")}
    assert [(t.id, step.gold.app) for t, step, row in rows if row.scores["distance_14"] != 1.0] == [
        ("9128", "\xa0Word Office")
    ]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_the_release_cannot_count(dialect: str) -> None:
    """C1 to C3 and C6: the steps that no answer in the dialect can get right there."""
    lost = {step.kind for _, step, row in scored(DATA / "ui_s1", dialect) if row.scores["release"] == 0.0}
    kept = {step.kind for _, step, row in scored(DATA / "ui_s1", dialect) if row.scores["release"] == 1.0}
    if dialect == "opencua":
        assert kept == {"click"}
    else:
        assert kept == {"click", "long_press", "scroll", "open_app", "navigate_back", "wait"}
        assert lost == {"click", "long_press", "type_text"}


def test_a_text_alone_is_as_right_as_with_a_tap() -> None:
    step = next(s for t in ANDROIDCONTROL.trajectories(Source(DATA / "processed")) for s in t.steps if s.gold.text)
    assert [action.type for action in ANDROIDCONTROL.oracle(step, Size(1080, 2400))] == ["click", "type"]
    for dialect in DIALECTS:
        voice = speaker(dialect, MOBILE, ANDROIDCONTROL.capabilities)
        text = voice.dialect.write("", [Type(text=step.gold.text)], voice.resize(Size(1080, 2400)))
        scores = ANDROIDCONTROL.score(step.gold, step.kind, voice.predict((text,), Size(1080, 2400)))
        assert (scores["official"], scores["node_box"]) == (1.0, 0.0)


@pytest.mark.parametrize("dialect", ["qwen25", "qwen3"])
@pytest.mark.parametrize("place", [(None, None), (540, 1200), (0, 0), (1080, 2400)])
@pytest.mark.parametrize(
    ("direction", "right", "down"), [("up", 0, 1), ("down", 0, -1), ("left", 1, 0), ("right", -1, 0)]
)
def test_qwens_fingers_go_the_other_way(
    dialect: str, place: tuple[float | None, float | None], direction: Direction, right: int, down: int
) -> None:
    voice = speaker(dialect, MOBILE, ANDROIDCONTROL.capabilities)
    scroll = Scroll(direction=direction, x=place[0], y=place[1])
    text = voice.dialect.write("", [scroll], voice.resize(Size(1080, 2400)))
    (swipe,) = voice.predict((text,), Size(1080, 2400)).actions
    assert isinstance(swipe, Swipe)
    way = (swipe.x2 - swipe.x, swipe.y2 - swipe.y)
    assert [(number > 1) - (number < -1) for number in way] == [right, down]
    assert swiped(swipe) == direction


def test_a_finger_that_stays_shows_nothing() -> None:
    assert swiped(Swipe(x=5, y=6, x2=5, y2=6)) is None
    assert swiped(Drag(path=((1, 1), (900, 900), (1, 5)))) == "up"


def test_the_steps_view_never_changes() -> None:
    step = next(iter(ANDROIDCONTROL.trajectories(Source(DATA / "processed")))).steps[0]
    assert ANDROIDCONTROL.oracle_view(step) == 0
    assert ANDROIDCONTROL.follow(step, 0, ANDROIDCONTROL.oracle(step, Size(1080, 2400))) is None


def row(trajectory: str, kind: str, splits: tuple[str, ...] = (), episode: bool = True, **scores: Any) -> Scored:
    facts = {"episode": episode, "splits": list(splits)}
    return Scored(trajectory, "", kind, {name.replace("_of_", " "): value for name, value in scores.items()}, facts)


def report(*rows: Scored) -> dict[str, Value]:
    return {value.name: value for value in evaluate(ANDROIDCONTROL.measures, rows, resamples=10)}


def test_measures() -> None:
    values = report(
        row("1", "click", ("IDD",), official=1.0, release=1.0, node_box=1.0, grounding_of_node_box=1.0),
        row("1", "scroll", ("IDD",), official=1.0, release=0.0, node_box=1.0),
        row("2", "type_text", ("task_unseen", "app_unseen"), official=1.0, release=0.0, node_box=0.0),
        row("2", "click", ("task_unseen", "app_unseen"), official=0.0, release=0.0, node_box=0.0),
    )
    assert (values["official"].value, values["official"].count) == (0.75, 4)
    assert (values["official episodes"].value, values["official episodes"].count) == (0.5, 2)
    assert values["official, IDD"].value == 1.0
    assert values["official, task_unseen"].value == values["official, app_unseen"].value == 0.5
    assert "official, category_unseen" not in values
    assert values["node_box"].value == 0.5
    assert values["release"].value == 0.25


def test_grounding_has_three_denominators() -> None:
    """C8: the release divides by all steps with a place, UGround and OS-Atlas by those answered with the right type."""
    rows = [
        row("1", "click", official=1.0, release=1.0, grounding_of_node_box=1.0, grounding_of_distance_14=1.0),
        row("1", "click", official=0.0, release=0.0, grounding_of_node_box=0.0, grounding_of_distance_14=1.0),
        row("1", "click", official=0.0, release=0.0),
        row("1", "type_text", official=1.0, release=0.0, grounding_of_node_box=0.0),
        row("1", "wait", official=1.0, release=1.0),
    ]
    values = report(*rows)
    assert (values["release grounding_accuracy"].value, values["release grounding_accuracy"].count) == (0.25, 4)
    assert values["grounding node_box"].value == pytest.approx(1 / 3)
    assert values["grounding distance_14"].value == 1.0


def test_a_step_that_was_left_out_moves_no_other() -> None:
    """C7: in the release the steps after a missing image are counted as other steps' kinds."""
    rows = [
        row("1", "wait"),
        row("1", "click", official=1.0, release=1.0),
        row("1", "wait", official=0.0, release=0.0),
    ]
    values = report(*rows)
    assert (values["release grounding_accuracy"].value, values["release grounding_accuracy"].count) == (1.0, 1)
    assert values["release"].value == 0.5


def test_single_steps_are_no_episodes() -> None:
    assert "official episodes" not in report(row("1_0", "click", episode=False, official=1.0, release=1.0))
