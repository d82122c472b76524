"""Annotation files: what is read, and what is bad."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ConfigError
from envs.geometry import Size
from eval.benchmarks.agentnetbench.benchmark import AGENTNETBENCH
from eval.benchmarks.base import Source, Trajectory
from eval.benchmarks.errors import DataError

DATA = Path(__file__).parents[2] / "data" / "agentnetbench"


def _click(x: float = 0.5, y: float = 0.5, box: list[float] | None = None) -> dict[str, Any]:
    metadata = {} if box is None else {"bboxes": [{"rel_bbox": box}]}
    return {"type": "click", "params": {"position": {"x": x, "y": y}}, "metadata": metadata}


def _task(name: str = "t", **changes: Any) -> dict[str, Any]:
    step = {"step_num": 0, "image": "t_0.png", "milestone": False, "ground_truth_actions": [_click()], **changes}
    return {"task_id": name, "high_level_task_description": "Do it.", "steps": [step]}


def _load(folder: Path, *tasks: dict[str, Any], **options: str) -> list[Trajectory]:
    for index, task in enumerate(tasks):
        (folder / f"{index}.json").write_text(json.dumps(task), "utf-8")
    return list(AGENTNETBENCH.trajectories(Source(folder, options=options)))


def test_the_recorded_ones() -> None:
    first, second = AGENTNETBENCH.trajectories(Source(DATA))
    assert (first.id, second.id) == ("s_5473959e0f6e21f7", "s_df0fd37049f470c2")
    assert second.goal.startswith("Search for George Orwell")
    assert [step.key for step in second.steps] == ["2", "3", "4", "6", "7", "9", "10"]
    assert [step.kind for step in second.steps] == ["click", "write", "click", "scroll", "click", "click", "terminate"]
    scroll = second.steps[3]
    assert [action.type for action in scroll.gold.actions] == ["moveTo", "scroll"]
    assert scroll.gold.actions[0].boxes == ((0.0, 0.19925, 1.0, 0.7562083333333334),)
    assert scroll.facts == {"milestone": False, "first": "moveto", "system": "Windows", "domain": "Daily"}
    assert scroll.views[0].path == DATA / "images" / "s_df0fd37049f470c2_6.png"
    assert all(step.views[0].size() == step.views[0].stated == Size(480, 270) for step in second.steps)
    assert first.steps[3].gold.alternatives[0][0].type == "click"
    assert [step.key for step in first.steps if step.gold.milestone] == ["2", "7", "8"]


@pytest.mark.parametrize(
    ("options", "thought"),
    [
        ({}, "I think."),
        ({"history": "thought"}, "I think."),
        ({"history": "instruction"}, "Click it."),
        ({"history": "both"}, "I think.\nClick it."),
    ],
)
def test_the_recorded_thought(tmp_path: Path, options: dict[str, str], thought: str) -> None:
    monologue = {"observation": "A page.", "thought": " I think.", "low_level_instruction": "Click it."}
    (step,) = _load(tmp_path, _task(inner_monologue=monologue), **options)[0].steps
    assert (step.thought, step.note) == (thought, "")


def test_what_may_be_absent(tmp_path: Path) -> None:
    task = _task(ground_truth_actions=[{"type": "Triple_Click", "params": {"position": {"x": 0.1, "y": 0.2}}}])
    del task["steps"][0]["step_num"], task["steps"][0]["milestone"], task["high_level_task_description"]
    task["user_task_description"] = "Do this."
    task["steps"][0]["alternative_options"] = [[]]
    task["steps"].append({"image": "t_1.png", "ground_truth_actions": [{"type": "press", "params": {"keys": "esc"}}]})
    (trajectory,) = _load(tmp_path, task)
    first, second = trajectory.steps
    assert trajectory.goal == "Do this."
    assert (first.key, first.kind, first.gold.alternatives, first.gold.milestone) == ("0", "tripleClick", (), False)
    assert (second.key, second.gold.actions[0].keys, second.thought) == ("1", ("esc",), "")
    assert first.views[0].stated is None


def test_mappings_are_no_tasks_and_files_come_by_name(tmp_path: Path) -> None:
    (tmp_path / "mapping_images.json").write_text("[1, 2]", "utf-8")
    found = _load(tmp_path, _task("z"), _task("a"))
    assert [trajectory.id for trajectory in found] == ["z", "a"]
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "mapping.json").write_text("{}", "utf-8")
    with pytest.raises(DataError, match=r"no \*\.json beside"):
        _load(tmp_path / "only")


def test_one_file(tmp_path: Path) -> None:
    _load(tmp_path, _task())
    (trajectory,) = AGENTNETBENCH.trajectories(Source(tmp_path / "0.json", tmp_path / "pictures"))
    assert trajectory.steps[0].views[0].path == tmp_path / "pictures" / "t_0.png"


def test_files_are_read_one_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "0.json").write_text(json.dumps(_task()), "utf-8")
    (tmp_path / "1.json").write_text('{"task_id": "u", "steps": [{"image"', "utf-8")
    found = AGENTNETBENCH.trajectories(Source(tmp_path))
    assert next(found).id == "t"
    with pytest.raises(DataError, match=r"1\.json"):
        next(found)


def _without(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(task: dict[str, Any]) -> None:
        at: Any = task
        for part in path[:-1]:
            at = at[part]
        del at[path[-1]]

    return change


GOLD = "steps.0.ground_truth_actions"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ground_truth_actions": None}, rf"0\.json: {GOLD}: .*tuple"),
        ({"ground_truth_actions": []}, rf"0\.json: {GOLD}: .*at least 1"),
        ({"ground_truth_actions": [_click(x=1.2)]}, rf"0\.json: {GOLD}\.0\.params\.position\.x: .*1\.05"),
        ({"ground_truth_actions": [_click(box=[0.5, 0.5, 0.6, 0.1])]}, r"bboxes\.0: .*leaves the picture"),
        ({"ground_truth_actions": [_click(box=[-0.2, 0.5, 0.1, 0.1])]}, r"rel_bbox\.0: "),
        ({"ground_truth_actions": [_click(box=[0.5, 0.5, -0.1, 0.1])]}, r"rel_bbox\.2: "),
        ({"ground_truth_actions": [_click(box=[0.5, 0.5, 0.1])]}, r"rel_bbox"),
        ({"ground_truth_actions": [{"type": "click", "params": {}}]}, "a click needs params.position"),
        ({"ground_truth_actions": [{"type": "write", "params": {}}]}, "a write needs params.text"),
        ({"ground_truth_actions": [{"type": "press", "params": {"keys": []}}]}, "a press needs params.keys"),
        ({"ground_truth_actions": [{"type": "hotkey", "params": {"keys": ["a", ""]}}]}, "a hotkey needs params.keys"),
        ({"ground_truth_actions": [{"type": "hotkey", "params": {"keys": list("abcdef")}}]}, "at most 5 keys"),
        ({"ground_truth_actions": [{"type": "terminate", "params": {}}]}, "a terminate needs params.status"),
        ({"ground_truth_actions": [{"type": "fly", "params": {}}]}, "there is no action type 'fly'"),
        ({"alternative_options": [[{"type": "click", "params": {}}]]}, r"alternative_options\.0\.0: .*position"),
        ({"image": ""}, r"steps\.0\.image: "),
        ({"image": "../../secret.png"}, r"0\.json steps\.0\.image: .*leads out"),
        ({"image": "/etc/passwd"}, r"0\.json steps\.0\.image: .*leads out"),
        ({"image": "C:\\secret.png"}, r"0\.json steps\.0\.image: .*leads out"),
    ],
)
def test_a_bad_step_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        _load(tmp_path, _task(**changes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("task_id"), r"0\.json: task_id: "),
        (_without("steps"), r"0\.json: steps: "),
        (_without("high_level_task_description"), "task_description is needed"),
        (_without("steps", 0, "ground_truth_actions"), rf"0\.json: {GOLD}: Field required"),
        (_without("steps", 0, "image"), r"0\.json: steps\.0\.image: Field required"),
        (lambda task: task["steps"].append(dict(task["steps"][0])), r"steps\.1\.step_num: 0 is also"),
        (lambda task: task["steps"].clear(), r"0\.json: steps: "),
    ],
)
def test_a_bad_task_is_named(tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str) -> None:
    task = _task()
    change(task)
    with pytest.raises(DataError, match=message):
        _load(tmp_path, task)


def test_boxes_may_reach_a_little_over_the_edge(tmp_path: Path) -> None:
    actions = [_click(1.0, 1.004, [0.9, -0.01, 0.12, 1.04])]
    (trajectory,) = _load(tmp_path, _task(ground_truth_actions=actions))
    assert trajectory.steps[0].gold.actions[0].boxes == ((0.9, -0.01, 0.12, 1.04),)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none(tmp_path: Path, value: str) -> None:
    text = json.dumps(_task()).replace('"x": 0.5', f'"x": {value}')
    (tmp_path / "0.json").write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"0\.json"):
        list(AGENTNETBENCH.trajectories(Source(tmp_path)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (json.dumps(_task()).encode()[:-20], r"0\.json"),
        (b'{"task_id": "\xe9"}', r"0\.json is not UTF-8"),
        (b"", r"0\.json"),
        (b"[]", r"0\.json: "),
    ],
)
def test_files_that_are_none(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "0.json").write_bytes(data)
    with pytest.raises(DataError, match=message):
        list(AGENTNETBENCH.trajectories(Source(tmp_path)))


def test_a_task_that_is_there_twice(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1\.json: task_id: 't' is also the task of .*0\.json"):
        _load(tmp_path, _task(), _task())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source(DATA / "nowhere"), "nowhere"),
        (Source(DATA, splits=("test",)), "no split 'test'"),
        (Source(DATA, options={"level": "high"}), "no option 'level'"),
        (Source(DATA, options={"history": "none"}), "it is thought or instruction or both"),
    ],
)
def test_a_source_that_does_not_fit(source: Source, message: str) -> None:
    with pytest.raises((ConfigError, DataError), match=message):
        next(AGENTNETBENCH.trajectories(source))
