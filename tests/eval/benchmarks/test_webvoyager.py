"""WebVoyager's trajectories: replies, refused replies, frames, oracles and damaged files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ConfigError
from envs.actions import (
    Action,
    Answer,
    Back,
    Click,
    Finish,
    Keys,
    Navigate,
    Scroll,
    SystemButton,
    Type,
    Wait,
)
from envs.geometry import Resize, Size
from eval.benchmarks.base import Source, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.webvoyager.benchmark import WEBVOYAGER
from eval.benchmarks.webvoyager.gold import WebGold
from eval.benchmarks.webvoyager.records import read_reply
from eval.metrics.measures import Scored, evaluate
from eval.metrics.prediction import Prediction
from eval.replay.offline_dialect import speaker

DATA = Path(__file__).parents[2] / "data" / "webvoyager"
DIALECTS = ("ui_tars", "opencua", "qwen25", "qwen3")
SIZE = Size(1024, 768)

SEEN = "Observation: please analyze the attached screenshot and give the Thought and Action."
TASK = f"Now given a task: Find it.\nAll of it.  Please interact with https://example.com/ and get the answer. \n{SEEN}"
REFUSED = "The action you have chosen cannot be exected. Please double-check if you have selected the wrong label."
NO_FORMAT = "Format ERROR: Both 'Thought' and 'Action' should be included in your reply."


def user(text: str) -> dict[str, Any]:
    parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}]
    return {"role": "user", "content": parts}


def said(action: str) -> dict[str, str]:
    return {"role": "assistant", "content": f"Thought: because\n\nAction: {action}"}


def write(folder: Path, messages: Any, name: str = "taskBlog--1") -> Path:
    (folder / name).mkdir(parents=True, exist_ok=True)
    file = folder / name / "interact_messages.json"
    file.write_text(json.dumps(messages), "utf-8")
    return file


def load(path: Path, images: Path | None = None, splits: tuple[str, ...] = ()) -> list[Trajectory]:
    return list(WEBVOYAGER.trajectories(Source(path, images, splits)))


def test_recorded_trajectory() -> None:
    (found,) = load(DATA)
    assert (found.id, found.split) == ("taskWolfram_Alpha--6", "Wolfram_Alpha")
    assert found.goal == "Simplify x^5-20x^4+163x^3-676x^2+1424x-1209 so that it has fewer items."
    assert [s.kind for s in found.steps] == ["type", "scroll", "answer"]
    assert found.steps[0].gold == WebGold(action="type", label=8, text="x^5-20x^4+163x^3-676x^2+1424x-1209")
    assert found.steps[1].gold == WebGold(action="scroll", direction="down")
    assert found.steps[2].gold == WebGold(action="answer", text="(x - 4)^5 + 3(x - 4)^3 + 7")
    assert found.steps[0].thought.startswith("In order to submit the algebraic express")
    assert [s.views[0].name for s in found.steps] == ["screenshot1.png", "screenshot2.png", "screenshot3.png"]
    assert [s.views[0].size() for s in found.steps] == [Size(512, 384)] * 3
    assert [t.id for t in load(DATA / "taskWolfram_Alpha--6")] == [found.id]


@pytest.mark.parametrize(
    ("action", "gold"),
    [
        ("Click [33]", WebGold(action="click", label=33)),
        ("Click 5", WebGold(action="click", label=5)),
        ("Click [0].", WebGold(action="click", label=0)),
        ("Type [2]; green pad [new]", WebGold(action="type", label=2, text="green pad [new]")),
        ("Type [2]; [green pad]", WebGold(action="type", label=2, text="green pad")),
        ("Type 0; 90038", WebGold(action="type", label=0, text="90038")),
        ("Scroll [WINDOW]; down", WebGold(action="scroll", direction="down")),
        ("Scroll WINDOW; [up]", WebGold(action="scroll", direction="up")),
        ("Scroll [12]; up", WebGold(action="scroll", label=12, direction="up")),
        ("Wait", WebGold(action="wait")),
        ("GoBack", WebGold(action="goback")),
        ("Google", WebGold(action="google")),
        ("ANSWER; one\ntwo; Click [3]", WebGold(action="answer", text="one\ntwo; Click [3]")),
        ("ANSWER; [63 stars]", WebGold(action="answer", text="63 stars")),
        ("I will Click [4] now", WebGold(action="click", label=4)),
    ],
)
def test_replies(action: str, gold: WebGold) -> None:
    assert read_reply(f"Thought: why\n\nAction: {action}") == ("why", gold)


@pytest.mark.parametrize(
    "text", ["", "Thought: only", "Action: Dance", "Action: Click", "Action: Type [3]", "Click [3]"]
)
def test_replies_without_an_action(text: str) -> None:
    assert read_reply(text) is None


@pytest.mark.parametrize(
    "text", ["Action: " + "Click " * 9**5, "Action: Click" + " " * 9**6, "Action: Type [1]" + "; " * 9**6]
)
def test_long_replies_take_no_time(text: str) -> None:
    read_reply(text)


def test_refused_replies_are_no_steps_and_take_no_screenshot(tmp_path: Path) -> None:
    messages = [
        {"role": "system", "content": "You browse."},
        user(TASK),
        said("Click [1]"),
        {"role": "user", "content": "Observation: A screenshot and some texts. (Omitted in context.)"},
        {"role": "assistant", "content": "No format at all"},
        {"role": "user", "content": NO_FORMAT},
        said("Click [99]"),
        {"role": "user", "content": REFUSED},
        said("Click [9]"),
        user(SEEN),
        said("ANSWER; yes"),
    ]
    write(tmp_path, messages)
    (found,) = load(tmp_path)
    assert found.goal == "Find it.\nAll of it."
    assert found.steps[0].facts == {"url": "https://example.com/"}
    assert [(s.key, s.gold.label, s.views[0].name) for s in found.steps] == [
        ("1", 1, "screenshot1.png"),
        ("4", 9, "screenshot2.png"),
        ("5", None, "screenshot5.png"),
    ]


def test_the_recording_may_end_with_anything(tmp_path: Path) -> None:
    write(tmp_path, [user(TASK), said("Click [1]"), user(SEEN), {"role": "assistant", "content": "I give up"}])
    assert [s.key for s in load(tmp_path)[0].steps] == ["1"]


def test_sites_are_splits_and_images_may_lie_elsewhere(tmp_path: Path) -> None:
    for name in ("taskShop--2", "taskBlog--1"):
        write(tmp_path, [user(TASK), said("GoBack")], name)
    (tmp_path / "logs").mkdir()
    assert [t.split for t in load(tmp_path)] == ["Blog", "Shop"]
    (found,) = load(tmp_path, tmp_path / "images", ("Shop",))
    assert found.steps[0].views[0].path == tmp_path / "images" / "taskShop--2" / "screenshot1.png"
    (alone,) = load(tmp_path / "taskShop--2", tmp_path / "taskShop--2")
    assert alone.steps[0].views[0].path == tmp_path / "taskShop--2" / "screenshot1.png"
    with pytest.raises(ConfigError, match="no site 'Maps'"):
        load(tmp_path, splits=("Maps",))
    with pytest.raises(ConfigError, match="webvoyager has no option 'level'"):
        list(WEBVOYAGER.trajectories(Source(tmp_path, options={"level": "high"})))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_oracle(dialect: str, tmp_path: Path) -> None:
    actions = ["Click [1]", 'Type [2]; it\'s "x"', "Scroll [3]; up", "Wait", "GoBack", "Google", "ANSWER; 1\n2"]
    write(tmp_path, [user(TASK), *(message for action in actions for message in (said(action), user(SEEN)))])
    speaks = speaker(dialect, WEBVOYAGER.kind, WEBVOYAGER.capabilities)
    for trajectory in (*load(DATA), *load(tmp_path)):
        for step in trajectory.steps:
            text = speaks.dialect.write(step.thought, WEBVOYAGER.oracle(step, SIZE), speaks.resize(SIZE))
            prediction = speaks.predict((text,), SIZE, can=WEBVOYAGER.capabilities)
            gold = WEBVOYAGER.gold_type.model_validate(json.loads(step.gold.model_dump_json()))
            assert (step.kind, WEBVOYAGER.score(gold, step.kind, prediction)) == (step.kind, {"type_match": 1.0})


@pytest.mark.parametrize(
    ("verb", "actions", "right"),
    [
        ("click", (Click(x=1, y=1),), 1),
        ("click", (Click(x=900, y=700),), 1),
        ("click", (Type(text="x"),), 0),
        ("click", (), 0),
        ("type", (Type(text="something else"),), 1),
        ("type", (Click(x=1, y=1), Type(text="x"), Keys(keys=("enter",))), 1),
        ("click", (Click(x=1, y=1), Type(text="x")), 0),
        ("type", (Click(x=1, y=1),), 0),
        ("scroll", (Scroll(direction="up"),), 1),
        ("wait", (Wait(),), 1),
        ("goback", (Back(),), 1),
        ("goback", (SystemButton(button="back"),), 1),
        ("google", (Navigate(url="https://www.google.com/"),), 1),
        ("google", (Navigate(url="https://google.com"),), 1),
        ("google", (Navigate(url="https://example.com/?q=google."),), 0),
        ("answer", (Finish(message="x"),), 1),
        ("answer", (Answer(text="x"),), 1),
        ("answer", (Wait(), Finish()), 0),
    ],
)
def test_type_match(verb: Any, actions: tuple[Action, ...], right: int) -> None:
    prediction = Prediction(("text",), actions, Resize(SIZE, SIZE), "ui_tars")
    assert WEBVOYAGER.score(WebGold(action=verb), verb, prediction) == {"type_match": right}


def test_measures() -> None:
    found = [
        Scored("a", "Blog", "click", {"type_match": 1.0}),
        Scored("a", "Blog", "type", {"type_match": 0.0}),
        Scored("b", "Shop", "click", {"type_match": 1.0}),
    ]
    values = {value.name: value.value for value in evaluate(WEBVOYAGER.measures, found, resamples=20)}
    assert values["type_match"] == pytest.approx(2 / 3)
    assert values["type_match by task"] == pytest.approx(3 / 4)
    assert (values["type_match click"], values["type_match type"]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "record 0: content: there is no task"),
        ([user("Hello"), said("Wait")], "record 0: content: there is no task"),
        ([user(TASK)], "holds no reply with an action"),
        ([user(TASK), said("Dance"), user(SEEN), said("Wait")], "record 1: content: no action of WebVoyager"),
        ([user(TASK), {"role": "assistant"}], "record 1: content: Field required"),
        ([user(TASK), {"role": "tool", "content": ""}], "record 1: role"),
        ([user(TASK), {"role": "assistant", "content": 3}], "record 1: content"),
        ([user(TASK), 3], "record 1"),
        ({"role": "user"}, "no list"),
    ],
)
def test_bad_messages(messages: Any, message: str, tmp_path: Path) -> None:
    write(tmp_path, messages)
    with pytest.raises(DataError, match=rf"interact_messages\.json.*{message}"):
        load(tmp_path)


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no folder with"):
        load(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "nowhere")
    file = write(tmp_path, [user(TASK), said("Wait")])
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(DataError, match="is not whole JSON"):
        load(tmp_path)
    file.write_bytes(b'[{"role": "user", "content": "\xff"}]')
    with pytest.raises(DataError, match="is not UTF-8"):
        load(tmp_path)
