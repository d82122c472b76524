"""AITZ: episodes as published, oracles, measures and damaged files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ConfigError
from envs.geometry import Size
from eval.benchmarks.aitz.benchmark import AITZ
from eval.benchmarks.base import Source, Trajectory
from eval.benchmarks.errors import DataError
from eval.metrics.measures import Scored, evaluate
from eval.replay.offline_dialect import speaker

DATA = Path(__file__).parents[2] / "data" / "aitz"
EPISODE = "GOOGLE_APPS-523638528775825151"
DIALECTS = ("ui_tars", "opencua", "qwen25", "qwen3")


def step(number: int, kind: int, touch: str = "[-1.0, -1.0]", lift: str = "", text: str = "") -> dict[str, Any]:
    return {
        "episode_id": "7",
        "step_id": number,
        "instruction": "order a pizza",
        "ui_positions": "[[10, 20, 30, 40]]",
        "result_action_type": kind,
        "result_action_text": text,
        "result_touch_yx": touch,
        "result_lift_yx": lift or touch,
        "image_path": f"general/GENERAL-7/GENERAL-7_{number}.png",
        "coat_action_think": "why",
    }


HAND_MADE = [
    step(0, 4, "[0.25, 0.75]"),
    step(1, 3, text='pizza near me\'s "best"'),
    step(2, 7),
    step(3, 4, "[0.8, 0.5]", "[0.2, 0.52]"),
    step(4, 4, "[0.5, 0.1]", "[0.5, 0.9]"),
    step(5, 5),
    step(6, 6),
    step(7, 4, "[0.999, 1.0]"),
    step(8, 11),
]


def load(path: Path, images: Path | None = None, splits: tuple[str, ...] = ()) -> list[Trajectory]:
    return list(AITZ.trajectories(Source(path, images, splits)))


def write(folder: Path, records: Any, name: str = "GENERAL-7") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps(records), "utf-8")
    return file


def test_published_episode() -> None:
    (found,) = load(DATA)
    assert (found.id, found.split) == ("google_apps-523638528775825151", "google_apps")
    assert found.goal == 'open app "Clock" (install if not already installed)'
    assert [s.key for s in found.steps] == ["0", "1", "2", "3"]
    assert [s.kind for s in found.steps] == ["press", "scroll", "click", "stop"]
    assert found.steps[2].thought.startswith("The Clock app is displayed")
    click = found.steps[2].gold
    assert click.touch == (0.6069772839546204, 0.49836206436157227)
    assert click.boxes[0] == (236, 34, 5, 16)
    assert [s.views[0].size() for s in found.steps] == [Size(270, 600)] * 4


@pytest.mark.parametrize("dialect", DIALECTS)
def test_oracle(dialect: str, tmp_path: Path) -> None:
    said = speaker(dialect, AITZ.kind, AITZ.capabilities)
    (hand_made,) = load(write(tmp_path, HAND_MADE))
    for trajectory in (*load(DATA), hand_made):
        for recorded in trajectory.steps:
            size = Size(270, 600) if trajectory.split == "google_apps" else Size(1080, 2400)
            text = said.dialect.write("so", AITZ.oracle(recorded, size), said.resize(size))
            prediction = said.predict((text,), size, can=AITZ.capabilities)
            gold = AITZ.gold_type.model_validate(json.loads(recorded.gold.model_dump_json()))
            found = AITZ.score(gold, recorded.kind, prediction)
            assert (recorded.key, text, set(found.values())) == (recorded.key, text, {1.0})


def test_kinds_of_steps(tmp_path: Path) -> None:
    (found,) = load(write(tmp_path, HAND_MADE))
    expected = ["click", "type", "press", "scroll", "scroll", "press", "press", "click", "stop"]
    assert [s.kind for s in found.steps] == expected


def test_published_folders(tmp_path: Path) -> None:
    other = [{**step(0, 5), "episode_id": "8", "image_path": "install/INSTALL-8/INSTALL-8_0.png"}]
    write(tmp_path / "test" / "install" / "INSTALL-8", other, "INSTALL-8")
    write(tmp_path / "test" / "general" / "GENERAL-7", HAND_MADE)
    found = load(tmp_path / "test")
    assert [t.id for t in found] == ["general-7", "install-8"]
    folder = tmp_path / "test" / "general" / "GENERAL-7"
    assert found[0].steps[1].views[0].path == folder / "GENERAL-7_1.png"
    assert [t.id for t in load(tmp_path, splits=("install",))] == ["install-8"]


def test_folder_of_images(tmp_path: Path) -> None:
    file = write(tmp_path / "json", HAND_MADE)
    named, flat = tmp_path / "named", tmp_path / "flat"
    (named / "general" / "GENERAL-7").mkdir(parents=True)
    flat.mkdir()
    shutil.copy(DATA / f"{EPISODE}_0.png", named / "general" / "GENERAL-7" / "GENERAL-7_0.png")
    shutil.copy(DATA / f"{EPISODE}_0.png", flat / "GENERAL-7_0.png")
    assert load(file, named)[0].steps[0].views[0].path == named / "general" / "GENERAL-7" / "GENERAL-7_0.png"
    assert load(file, flat)[0].steps[0].views[0].path == flat / "GENERAL-7_0.png"
    # Of a missing one the name in the data is told.
    assert load(file, flat)[0].steps[1].views[0].path == flat / "general" / "GENERAL-7" / "GENERAL-7_1.png"


def rows(name: str, split: str, right: str) -> list[Scored]:
    kinds = {"c": "click", "t": "type"}
    return [
        Scored(
            name, split, kinds[letter.lower()], {"official": hit, "type_id": hit, "type_match": 1, "exact_match": hit}
        )
        for letter in right
        for hit in [float(letter.isupper())]
    ]


def test_measures() -> None:
    found = [*rows("a", "general", "CTtC"), *rows("b", "install", "CC"), *rows("c", "install", "tC")]
    values = {value.name: value.value for value in evaluate(AITZ.measures, found, resamples=20)}
    assert values["official"] == 6 / 8
    assert values["official by subset"] == pytest.approx((3 / 4 + 3 / 4) / 2)
    assert values["official click"] == 1.0
    assert values["official type"] == pytest.approx(1 / 3)
    assert "official press" not in values
    assert values["type_match"] == 1.0
    assert values["success_rate"] == pytest.approx(1 / 3)
    assert values["goal_progress"] == pytest.approx((2 / 4 + 1 + 0) / 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"result_action_type": 8}, "result_action_type"),
        ({"result_action_type": None}, "result_action_type"),
        ({"result_touch_yx": "[0.5]"}, "result_touch_yx"),
        ({"result_touch_yx": "[0.5, 0.5"}, "result_touch_yx"),
        ({"result_touch_yx": "[NaN, 0.5]"}, "result_touch_yx"),
        ({"result_touch_yx": '["0.5", 0.5]'}, "result_touch_yx"),
        ({"result_touch_yx": "[5, 0.5]"}, r"result_touch_yx: \[5.0, 0.5\] is not on the screen"),
        ({"result_lift_yx": "[-1.0, -1.0]"}, "result_lift_yx: .* is not on the screen"),
        ({"result_touch_yx": "[" * 100_000}, "result_touch_yx"),
        ({"ui_positions": "[[1, 2, 3]]"}, r"ui_positions\.0"),
        ({"image_path": "../../secret.png"}, "leads out of"),
        ({"image_path": ""}, "image_path"),
        ({"episode_id": "9"}, "episode_id: 9 among 7"),
        ({"step_id": 0}, "step_id: 0 is there twice"),
        ({"instruction": ""}, "instruction"),
    ],
)
def test_bad_field(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    records = [step(0, 5), {**step(1, 4, "[0.5, 0.5]"), **change}]
    with pytest.raises(DataError, match=rf"GENERAL-7\.json record 1: .*{message}"):
        load(write(tmp_path, records))


@pytest.mark.parametrize("field", ["result_action_type", "result_touch_yx", "image_path", "instruction"])
def test_missing_field(field: str, tmp_path: Path) -> None:
    record: Mapping[str, Any] = step(0, 5)
    with pytest.raises(DataError, match=rf"record 0: {field}: Field required"):
        load(write(tmp_path, [{key: value for key, value in record.items() if key != field}]))


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \*\.json"):
        load(tmp_path)
    with pytest.raises(DataError, match="is missing"):
        load(tmp_path / "none.json")
    with pytest.raises(DataError, match="holds no steps"):
        load(write(tmp_path, []))
    (tmp_path / "GENERAL-7.json").write_bytes(json.dumps(HAND_MADE).encode()[:-20])
    with pytest.raises(DataError, match="is not whole JSON"):
        load(tmp_path)


def test_an_episode_that_is_there_twice(tmp_path: Path) -> None:
    write(tmp_path, HAND_MADE, "a")
    write(tmp_path, HAND_MADE, "b")
    found = AITZ.trajectories(Source(tmp_path))
    assert next(found).id == "general-7"
    with pytest.raises(DataError, match=r"b\.json: episode_id: .*twice"):
        next(found)


def test_impossible_settings() -> None:
    with pytest.raises(ConfigError, match="no subset 'games'"):
        load(DATA, splits=("games",))
    with pytest.raises(ConfigError, match="aitz has no option 'level'"):
        list(AITZ.trajectories(Source(DATA, options={"level": "high"})))
