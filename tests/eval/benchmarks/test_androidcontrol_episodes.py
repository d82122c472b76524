"""The published form of AndroidControl: GZIP TFRecord files with protocol buffers."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from envs.geometry import Size
from eval.benchmarks.androidcontrol.benchmark import ANDROIDCONTROL
from eval.benchmarks.androidcontrol.gold import AndroidGold
from eval.benchmarks.androidcontrol.tfrecord import masked
from eval.benchmarks.base import Source, Trajectory
from eval.benchmarks.errors import DataError
from tests.eval.benchmarks.androidcontrol_files import episode, example, forest, node, png, record, write


def load(path: Path, **more: Any) -> list[Trajectory]:
    return list(ANDROIDCONTROL.trajectories(Source(path, **more)))


def test_the_checksum_is_a_turned_crc32c() -> None:
    """Of 32 zero bytes, whose CRC-32C is 0x8a9136aa (RFC 3720)."""
    assert masked(bytes(32)) == 0xFD7FFFA


def test_an_episode(tmp_path: Path) -> None:
    write(tmp_path, episode())
    (trajectory,) = load(tmp_path)
    assert (trajectory.id, trajectory.goal, trajectory.split) == ("77", "Set an alarm for 07:15.", "")
    assert [step.kind for step in trajectory.steps] == ["open_app", "click", "type_text", "scroll"]
    assert [step.key for step in trajectory.steps] == ["0", "1", "2", "3"]
    assert trajectory.steps[0].thought == "open the clock"
    assert {step.note for step in trajectory.steps} == {""}
    opened, tapped, typed, scrolled = (step.gold for step in trajectory.steps)
    assert (opened.app, typed.text, typed.point, scrolled.direction) == ("Clock", "07:15", None, "left")
    assert tapped.point == (30, 40)
    assert tapped.screen == (108, 240)
    picture = trajectory.steps[1].views[0]
    assert picture.exists
    assert picture.size() == picture.stated == Size(108, 240)


def test_only_what_rules_look_at_is_kept_of_the_tree(tmp_path: Path) -> None:
    write(tmp_path, episode())
    opened, tapped, typed, scrolled = (step.gold for step in load(tmp_path)[0].steps)
    assert [(node.box, node.text) for node in opened.nodes] == [((10, 20, 60, 50), "Alarms"), ((70, 20, 90, 50), "")]
    assert [node.text for node in tapped.nodes] == ["Alarms"]
    assert typed.nodes == scrolled.nodes == ()


def test_which_nodes_count(tmp_path: Path) -> None:
    nodes = [
        node((0, 0, 10, 10), "leaf"),
        node((0, 0, 11, 10), "inner", children=(4,)),
        node((0, 0, 12, 10), description="described", children=(4,)),
        node((0, 0, 13, 10), "scrolls", children=(4,), scrollable=True),
        node((0, 0, 14, 10), "hidden", visible=False),
        node((5, 0, 5, 10), "flat"),
        node((200, 0, 220, 10), "beside the screen"),
        node((-30, -20, 0, 10), "left of it"),
        node((-30, -20, 15, 10), "reaches into it"),
        node((0, 0, 16, 10), clickable=True, children=(4,)),
        node((0, 0, 17, 10), children=(4,)),
        node((0, 0, 18, 10)),
    ]
    write(tmp_path, episode(accessibility_trees=[forest(nodes)] * 5))
    gold: AndroidGold = load(tmp_path)[0].steps[0].gold
    assert [node.text or node.description for node in gold.nodes] == [
        "leaf",
        "described",
        "scrolls",
        "reaches into it",
        "",
        "",
    ]
    assert gold.nodes[3].box == (-30, -20, 15, 10)
    assert [node.box[2] for node in gold.nodes[4:]] == [16, 18]


def test_the_action_that_taps_types_and_confirms(tmp_path: Path) -> None:
    actions = [{"action_type": "type", "x": 30, "y": 40, "text": "a"}, {"action_type": "navigate_home"}]
    write(
        tmp_path,
        episode(
            screenshots=[png(108, 240)] * 3,
            accessibility_trees=[forest()] * 3,
            screenshot_widths=[108] * 3,
            screenshot_heights=[240] * 3,
            actions=[json.dumps(action).encode() for action in actions],
            step_instructions=[b"a", b"b"],
        ),
    )
    typed, home = (step.gold for step in load(tmp_path)[0].steps)
    assert (typed.action, typed.point, typed.text) == ("type_text", (30, 40), "a")
    assert home.action == "navigate_home"


def test_files_in_order_and_one_alone(tmp_path: Path) -> None:
    second = write(tmp_path, episode(episode_id=[3]), episode(episode_id=[2]), name="android_control-00001-of-00020")
    write(tmp_path, episode(episode_id=[9]), name="android_control-00000-of-00020")
    assert [trajectory.id for trajectory in load(tmp_path)] == ["9", "3", "2"]
    assert [trajectory.id for trajectory in load(second)] == ["3", "2"]


def test_it_is_read_episode_by_episode(tmp_path: Path) -> None:
    path = write(tmp_path, episode())
    path.write_bytes(path.read_bytes()[:-5])
    found = ANDROIDCONTROL.trajectories(Source(path))
    assert next(found).id == "77"
    with pytest.raises(DataError, match=r"record 1: the file is cut off"):
        next(found)


def test_splits_of_the_bucket(tmp_path: Path) -> None:
    write(tmp_path, *(episode(episode_id=[number]) for number in (1, 2, 3)))
    (tmp_path / "splits.json").write_text('{"train": [1], "validation": [], "test": [2, 3]}')
    (tmp_path / "test_subsplits.json").write_text('{"IDD": [3], "app_unseen": [2]}')
    assert [trajectory.split for trajectory in load(tmp_path)] == ["train", "app_unseen", "IDD"]
    assert [(t.id, t.split) for t in load(tmp_path, splits=("test",))] == [("2", "test"), ("3", "test")]
    with pytest.raises(DataError, match=r"knows no split 'dev': there are IDD, app_unseen, train"):
        load(tmp_path, splits=("dev",))


def test_a_file_that_is_cut(tmp_path: Path) -> None:
    path = write(tmp_path, episode(), episode(episode_id=[78]))
    data = path.read_bytes()
    raw = gzip.decompress(data)
    for cut in (data[:-9], data[: len(data) // 2], gzip.compress(raw[:-3]), gzip.compress(raw[:-1000]), data[:15]):
        path.write_bytes(cut)
        with pytest.raises(DataError, match=r"android_control-00000-of-00020 record [012]: the file is cut off"):
            load(path)
    path.write_bytes(gzip.compress(raw + b"abc"))
    with pytest.raises(DataError, match=r"record 2: the file is cut off"):
        load(path)


def test_a_file_that_is_damaged(tmp_path: Path) -> None:
    path = write(tmp_path, episode())
    raw = bytearray(gzip.decompress(path.read_bytes()))
    for place, what in ((3, "length's checksum is wrong"), (200, "record 0: the checksum is wrong")):
        other = bytearray(raw)
        other[place] ^= 1
        path.write_bytes(gzip.compress(bytes(other)))
        with pytest.raises(DataError, match=what):
            load(path)
    data = bytearray(gzip.compress(bytes(raw)))
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"android_control-00000-of-00020 record 0"):
        load(path)
    path.write_bytes(b"\x1f\x8bno gzip at all")
    with pytest.raises(DataError, match=r"record 0: the GZIP data are damaged"):
        load(path)


def test_a_record_of_an_absurd_length(tmp_path: Path) -> None:
    length = struct.pack("<Q", 1 << 40)
    path = tmp_path / "android_control-00000"
    path.write_bytes(gzip.compress(length + struct.pack("<I", masked(length))))
    with pytest.raises(DataError, match=r"has 1099511627776 bytes, more than an episode can have"):
        load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"actions": []}, r"record 0: actions: Tuple should have at least 1 item"),
        ({"goal": []}, r"record 0: goal: there must be one value, not 0"),
        ({"goal": [b"\xff\xfe"]}, r"goal.0 is not UTF-8 text"),
        ({"goal": [5]}, r"goal.0 is a number, not a text"),
        ({"episode_id": [b"seven"]}, r"record 0: episode_id: "),
        ({"episode_id": [1, 2]}, r"episode_id: there must be one value, not 2"),
        ({"actions": [b'{"action_type": "click", "x": 1'] * 4}, r"actions.0 is not whole JSON"),
        (
            {"actions": [b'{"action_type": "input_text", "text": "\\ud800"}'] * 4},
            r"actions.0 is not whole JSON: .*surrogates",
        ),
        ({"actions": [b'{"action_type": "click", "x": 1}'] * 4}, r"actions.0: Value error, click needs y"),
        ({"actions": [b'{"action_type": "click", "x": NaN, "y": 1}'] * 4}, r"actions.0.x: "),
        ({"actions": [b'{"action_type": "click", "x": 1e999, "y": 1}'] * 4}, r"actions.0.x: "),
        ({"actions": [b'{"action_type": "click", "x": -1, "y": 1}'] * 4}, r"actions.0.x: "),
        (
            {"actions": [b'{"action_type": "click", "x": 109, "y": 1}'] * 4},
            r"actions.0: .* not on the screen of 108x240",
        ),
        ({"actions": [b'{"action_type": "jump"}'] * 4}, r"actions.0.action_type: "),
        ({"actions": [b'{"action_type": "scroll", "direction": "in"}'] * 4}, r"actions.0.direction: "),
        ({"actions": [b'{"action_type": "wait"}'] * 3}, r"5 screenshots need 4 actions, not 3"),
        ({"step_instructions": [b"a"]}, r"4 actions need as many step_instructions, not 1"),
        ({"screenshot_widths": [108]}, r"5 screenshots need as many screenshot_widths, not 1"),
        ({"screenshot_heights": [0] * 5}, r"screenshot_heights.0: "),
        ({"accessibility_trees": [b"\xff"] * 5}, r"accessibility_trees.0 is no AndroidAccessibilityForest"),
        ({"accessibility_trees": []}, r"5 screenshots need as many accessibility_trees, not 0"),
    ],
)
def test_a_bad_episode_names_record_and_field(tmp_path: Path, changes: dict[str, list[Any]], message: str) -> None:
    write(tmp_path, episode(**changes))
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path)
    assert "android_control-00000-of-00020" in str(caught.value)


def test_a_record_that_is_no_example(tmp_path: Path) -> None:
    (tmp_path / "android_control-1").write_bytes(gzip.compress(record(b"\x0a\xff\xff")))
    with pytest.raises(DataError, match=r"record 0 is no tf.train.Example"):
        load(tmp_path)


def test_an_episode_that_is_there_twice(tmp_path: Path) -> None:
    write(tmp_path, episode(), episode())
    with pytest.raises(DataError, match=r"record 1 \(episode 77\): 77 is there twice"):
        load(tmp_path)


def test_a_screenshot_that_is_no_image(tmp_path: Path) -> None:
    write(tmp_path, episode(screenshots=[b"GIF?"] * 5))
    with pytest.raises(DataError, match=r"record 0 \(episode 77\) step 0: .*77/screenshot_0.png is not an image"):
        load(tmp_path)[0].steps[0].views[0].load()


def test_the_example_is_as_tensorflow_writes_it() -> None:
    """Bytes of tf.train.Example with one feature a = [1, 300], as protoc encodes them."""
    assert example({"a": [1, 300]}) == bytes.fromhex("0a0e0a0c0a01611207" + "1a050a0301ac02")
