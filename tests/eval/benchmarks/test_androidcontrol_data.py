"""UGround's processed steps and UI-S1's episodes of AndroidControl."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ConfigError
from envs.geometry import Size
from eval.benchmarks.androidcontrol.benchmark import ANDROIDCONTROL
from eval.benchmarks.androidcontrol.processed import likely_screen, swiped_screen
from eval.benchmarks.base import Source, Step, Trajectory
from eval.benchmarks.errors import DataError

DATA = Path(__file__).parents[2] / "data" / "androidcontrol"
EPISODES, STEPS = DATA / "ui_s1", DATA / "processed"
LINES = EPISODES / "uis1_android_control_evaluation_std.jsonl"


def load(path: Path, **more: Any) -> list[Trajectory]:
    return list(ANDROIDCONTROL.trajectories(Source(path, **more)))


def named(trajectories: list[Trajectory]) -> dict[str, Trajectory]:
    return {trajectory.id: trajectory for trajectory in trajectories}


def test_episodes() -> None:
    found = named(load(EPISODES))
    assert list(found) == ["140", "9128", "9593", "18894", "2921", "11843", "15768", "7748", "16022"]
    kinds = Counter(step.kind for trajectory in found.values() for step in trajectory.steps)
    assert set(kinds) == {"click", "long_press", "type_text", "scroll", "open_app", "navigate_back", "wait"}
    assert sum(kinds.values()) == sum(len(json.loads(line)["steps"]) for line in LINES.read_text().splitlines())
    held = next(step for step in found["140"].steps if step.kind == "long_press")
    assert held.key == "1"
    assert held.gold.point == (117, 654)
    assert held.gold.candidates[0] == (32, 410, 409, 899)
    assert held.gold.screen is None
    assert held.thought == 'Long press on the "the Queen\'s Gambit" book.'


def test_the_scroll_is_where_more_is_shown_whatever_the_finger_does() -> None:
    """The file's places move the finger up for down, but to the right for right."""
    said = {}
    for line in LINES.read_text().splitlines():
        for step in json.loads(line)["steps"]:
            if step["action_content"]["action"] == "swipe":
                (x1, y1), (x2, y2) = step["action_content"]["coordinate"], step["action_content"]["coordinate2"]
                said[Path(step["screenshot"]).name] = (step["check_options"]["direction"], x2 - x1, y2 - y1)
    golds = {step.views[0].name: step.gold for t in load(EPISODES) for step in t.steps if step.kind == "scroll"}
    assert {name: gold.direction for name, gold in golds.items()} == {name: way[0] for name, way in said.items()}
    ways = {(direction, (x > 0) - (x < 0), (y > 0) - (y < 0)) for direction, x, y in said.values()}
    assert ways == {("down", 0, -1), ("up", 0, 1), ("left", -1, 0), ("right", 1, 0)}


def test_screens_of_episodes() -> None:
    sizes = {t.id: {step.views[0].stated for step in t.steps} for t in load(EPISODES)}
    assert all(len(of_one) == 1 for of_one in sizes.values())
    assert Counter(size for of_one in sizes.values() for size in of_one) == {Size(1080, 2400): 8, Size(1440, 3120): 1}


def test_screens_are_told_by_swipes_or_by_what_is_touched() -> None:
    assert swiped_screen([((720.0, 2340.0), (720.0, 780.0))]) == Size(1440, 3120)
    assert swiped_screen([((270.0, 1200.0), (810.0, 1200.0))]) == Size(1080, 2400)
    assert swiped_screen([]) is None
    assert likely_screen([]) == Size(1080, 2400)
    assert likely_screen([(1080, 2400), (3, 7)]) == Size(1080, 2400)
    assert likely_screen([(1080.5, 7)]) == likely_screen([(3, 2401)]) == Size(1440, 3120)
    assert likely_screen([(2000.5, 7), (3, 900)]) == Size(2001, 900)


def test_only_the_last_part_of_a_screenshots_path_is_its_name(tmp_path: Path) -> None:
    (picture,) = load(LINES, images=tmp_path)[0].steps[0].views
    assert picture.path is not None
    assert picture.path.parent == tmp_path
    assert picture.name == picture.path.name == f"{load(LINES)[0].id}_0.png"
    assert load(LINES)[0].steps[0].views[0].path == EPISODES / "images" / picture.name


def test_splits_overlap() -> None:
    found = named(load(EPISODES))
    assert found["15768"].split == "category_unseen"
    assert found["15768"].steps[0].facts == {"episode": True, "splits": ["category_unseen", "task_unseen"]}
    assert found["140"].split == "IDD"
    chosen = load(EPISODES, splits=("task_unseen",))
    assert [(t.id, t.split) for t in chosen] == [("15768", "task_unseen")]
    assert len(load(EPISODES, splits=("IDD", "category_unseen"))) == 9


def test_without_a_list_of_splits(tmp_path: Path) -> None:
    path = tmp_path / "episodes.jsonl"
    path.write_text(LINES.read_text())
    assert {t.split for t in load(path)} == {""}
    with pytest.raises(DataError, match=r"knows no split 'IDD': it has none of android_control_test_subsplits.json"):
        load(path, splits=("IDD",))


@pytest.mark.parametrize("text", ["[1]", '{"IDD": ["x"]}', '{"IDD": 3}', '{"IDD": [1, ', "\xff"])
def test_a_bad_list_of_splits(tmp_path: Path, text: str) -> None:
    path = tmp_path / "episodes.jsonl"
    path.write_text(LINES.read_text())
    (tmp_path / "test_subsplits.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"test_subsplits.json"):
        load(path)


def test_levels() -> None:
    high, low = load(EPISODES)[0], load(EPISODES, options={"level": "low"})[0]
    assert {step.note for step in high.steps} == {""}
    assert [step.note for step in low.steps] == [step.thought for step in high.steps]
    assert high.goal == low.goal
    with pytest.raises(ConfigError, match=r"level cannot be 'middle' \(it is high or low\)"):
        load(EPISODES, options={"level": "middle"})
    with pytest.raises(ConfigError, match=r"no option 'depth'"):
        load(EPISODES, options={"depth": "1"})


def test_processed_steps_stand_alone() -> None:
    found = named(load(STEPS))
    assert list(found) == ["501_0", "501_2", "501_6", "502_1", "502_2", "503_4"]
    assert all(len(t.steps) == 1 and not t.steps[0].facts["episode"] for t in found.values())
    typed = found["501_2"]
    assert typed.goal == (
        "Send the picnic list to Ana in the Notes app.\n\n"
        "Previous actions:\nopen the Notes app\nclick on the search icon"
    )
    step = typed.steps[0]
    assert (step.key, step.kind, step.gold.text, step.gold.point) == ("2", "type_text", "picnic", (540, 210))
    assert [node.text for node in step.gold.nodes] == ["Search notes"]
    # The step's number lags behind the screenshot's: the tap into the field is no step of its own.
    assert step.views[0].path == STEPS / "AndroidControl_images" / "501" / "screenshot_3.png"
    assert step.views[0].stated == Size(1080, 2400)
    assert found["501_0"].goal == "Send the picnic list to Ana in the Notes app."
    assert found["501_6"].steps[0].gold.status == "successful"
    assert [node.text for node in found["502_1"].steps[0].gold.nodes] == ["06:30"]
    assert [node.description for node in found["502_2"].steps[0].gold.nodes] == ["Back", "Delete"]
    assert found["503_4"].steps[0].gold.nodes == ()


def test_processed_steps_with_their_instruction() -> None:
    (step,) = load(STEPS, options={"level": "low"})[1].steps
    assert step.note == "type picnic in the search bar"


def test_the_file_of_all_processed_steps(tmp_path: Path) -> None:
    path = tmp_path / "AndroidControl_processed_test_steps.json"
    path.write_text((STEPS / "500_steps.json").read_text())
    assert len(load(tmp_path)) == len(load(path)) == 6


def change_steps(tmp_path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    steps = json.loads((STEPS / "500_steps.json").read_text())
    change(steps[1])
    path = tmp_path / "500_steps.json"
    path.write_text(json.dumps(steps))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("action"), r"action: Field required"),
        (lambda s: s.pop("episode_id"), r"episode_id: Field required"),
        (lambda s: s.pop("accessibility_tree"), r"accessibility_tree: Field required"),
        (lambda s: s["action"].pop("text"), r"action: Value error, type_text needs text"),
        (lambda s: s["action"].update(x=float("inf")), r"500_steps.json record 1 is not whole JSON: Infinity"),
        (lambda s: s["action"].update(x=float("nan")), r"500_steps.json record 1 is not whole JSON: NaN"),
        (lambda s: s["action"].update(y=-3), r"action.y: Input should be greater than or equal to 0"),
        (lambda s: s["action"].update(action_type="dance"), r"action.action_type: "),
        (lambda s: s["action"].update(action_type="status", goal_status="fine"), r"action.goal_status: "),
        (lambda s: s.update(goal=None), r"goal: "),
        (lambda s: s["accessibility_tree"][0].pop("bbox_pixels"), r"accessibility_tree.0: bbox_pixels: Field required"),
        (lambda s: s["accessibility_tree"][1][0]["bbox_pixels"].update(x_max="wide"), r"accessibility_tree.1.0: "),
        (lambda s: s["accessibility_tree"].append(7), r"accessibility_tree.2: "),
        (lambda s: s.update(screenshot="../../secret.png"), r"record 1.*leads out of"),
        (lambda s: s.update(screenshot="/etc/passwd"), r"record 1.*leads out of"),
        (lambda s: s.update(screenshot=""), r"record 1.*no name of a file"),
        (lambda s: s.update(step=0), r"record 1: 501_0 is there twice"),
    ],
)
def test_a_bad_step_names_record_and_field(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    path = change_steps(tmp_path, change)
    with pytest.raises(DataError, match=message) as caught:
        load(path)
    assert "500_steps.json" in str(caught.value)


def test_a_tree_without_end(tmp_path: Path) -> None:
    def nest(step: dict[str, Any]) -> None:
        for _ in range(120):
            step["accessibility_tree"] = [step["accessibility_tree"]]

    with pytest.raises(DataError, match=r"nested too deeply"):
        load(change_steps(tmp_path, nest))


def test_a_cut_list_of_steps(tmp_path: Path) -> None:
    path = tmp_path / "500_steps.json"
    path.write_text((STEPS / "500_steps.json").read_text()[:-500])
    found = ANDROIDCONTROL.trajectories(Source(path))
    assert next(found).steps
    with pytest.raises(DataError, match=r"500_steps.json record \d+ is not whole JSON"):
        list(found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.pop("steps"), r"line 2: steps: Field required"),
        (lambda e: e.update(steps=[]), r"line 2: steps: "),
        (lambda e: e.update(episode_id="one"), r"line 2: episode_id: "),
        (lambda e: e["steps"][0].pop("check_options"), r"line 2: steps.0.check_options: Field required"),
        (lambda e: e["steps"][0].pop("action_content"), r"line 2: steps.0.action_content: Field required"),
        (lambda e: e["steps"][0]["action_content"].update(action="fly"), r"line 2: steps.0.action_content.action: "),
        (lambda e: e["steps"][0]["check_options"].update(action="wait"), r"check_options is about wait, not "),
        (lambda e: e["steps"][0].update(screenshot=".."), r"line 2 step 0: screenshot: "),
        (lambda e: e["steps"][0].update(screenshot=""), r"line 2 step 0: screenshot: "),
    ],
)
def test_a_bad_episode_names_line_and_field(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    lines = LINES.read_text().splitlines()
    data = json.loads(lines[1])
    change(data)
    path = tmp_path / "episodes.jsonl"
    path.write_text("\n".join([lines[0], json.dumps(data), *lines[2:]]))
    with pytest.raises(DataError, match=message):
        load(path)


@pytest.mark.parametrize(
    ("content", "checked", "message"),
    [
        ({"action": "click"}, {"action": "click"}, r"click needs coordinate"),
        ({"action": "click", "coordinate": [1]}, {"action": "click"}, r"action_content.coordinate"),
        ({"action": "click", "coordinate": [1, -2]}, {"action": "click"}, r"action_content.coordinate.1: "),
        ({"action": "type"}, {"action": "type"}, r"type needs text"),
        ({"action": "open"}, {"action": "open"}, r"open needs text"),
        ({"action": "system_button"}, {"action": "system_button"}, r"system_button needs button"),
        ({"action": "system_button", "button": "Fire"}, {"action": "system_button"}, r"action_content.button: "),
        ({"action": "terminate"}, {"action": "terminate"}, r"terminate needs status"),
        ({"action": "swipe"}, {"action": "swipe"}, r"swipe needs direction"),
        ({"action": "swipe"}, {"action": "swipe", "direction": "down"}, r"step 0: action_content: coordinate: Field"),
        (
            {"action": "click", "coordinate": [1, 2]},
            {"action": "click", "candidate_bbox": [[1, 2, 3]]},
            r"check_options.candidate_bbox.0",
        ),
        (
            {"action": "click", "coordinate": [1, 2]},
            {"action": "click", "candidate_bbox": [[0, 0, 5, 5], [2, 0, 5, 5]]},
            r"steps.0: .*candidate_bbox.1: \[2.0, 0.0, 5.0, 5.0\] does not contain the place",
        ),
        (
            {"action": "open", "text": "Maps"},
            {"action": "open", "candidate_bbox": [[9, 0, 5, 5]]},
            r"steps.0: .*candidate_bbox.0: \[9.0, 0.0, 5.0, 5.0\] is no box on the screen",
        ),
        (
            {"action": "open", "text": "Maps"},
            {"action": "open", "candidate_bbox": [[-9, 0, -5, 5]]},
            r"steps.0: .*candidate_bbox.0: .* is no box on the screen",
        ),
    ],
)
def test_an_action_that_is_not_whole(
    tmp_path: Path, content: dict[str, Any], checked: dict[str, Any], message: str
) -> None:
    step = {"action_content": content, "check_options": checked, "screenshot": "1_0.png", "step_instruction": "x"}
    path = tmp_path / "episodes.jsonl"
    path.write_text(json.dumps({"goal": "g", "episode_id": 1, "steps": [step]}))
    with pytest.raises(DataError, match=message):
        load(path)


@pytest.mark.parametrize(("status", "gold"), [("success", "successful"), ("failure", "infeasible")])
def test_ends_and_the_home_button(tmp_path: Path, status: str, gold: str) -> None:
    actions = [{"action": "system_button", "button": "Home"}, {"action": "terminate", "status": status}]
    steps = [
        {"action_content": action, "check_options": action, "screenshot": f"1_{index}.png"}
        for index, action in enumerate(actions)
    ]
    path = tmp_path / "episodes.jsonl"
    path.write_text(json.dumps({"goal": "g", "episode_id": 1, "steps": steps}))
    home, end = load(path)[0].steps
    assert (home.kind, end.gold.status) == ("navigate_home", gold)


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "episodes.jsonl"
    path.write_bytes(LINES.read_bytes().replace(b'"goal": "', b'"goal": "\xff', 1))
    with pytest.raises(DataError, match=r"line 1 is not UTF-8 text"):
        load(path)


def test_episodes_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "episodes.jsonl"
    path.write_text(LINES.read_text().splitlines()[0] + "\n{")
    found = ANDROIDCONTROL.trajectories(Source(path))
    assert next(found).steps
    with pytest.raises(DataError, match=r"line 2 is not whole JSON"):
        next(found)


def test_what_is_no_androidcontrol(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere is missing"):
        load(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds no AndroidControl: no 500_steps.json"):
        load(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match=r"notes.txt is none of the forms"):
        load(tmp_path / "notes.txt")
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text("")
    with pytest.raises(DataError, match=r"several \*.jsonl: name one of a.jsonl, b.jsonl"):
        load(tmp_path)


def test_a_point_that_is_not_on_the_image() -> None:
    step: Step = next(step for t in load(EPISODES) for step in t.steps if step.kind == "click")
    with pytest.raises(DataError, match=r"line \d+ step \d+: the point .* is not on the image of 10x20"):
        ANDROIDCONTROL.oracle(step, Size(10, 20))
