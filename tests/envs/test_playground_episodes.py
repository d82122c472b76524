"""Rendered right episodes: as a live browser shows them, the same every time, and complete on disk."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from envs.playground import SIDE, TASKS, Playground, make_page
from envs.playground.episodes import Episode, action_of, done_seeds, main, play, record_of
from envs.playground.solve import Memory, Step, solve
from tests.envs.playground_oracle import action_of as live_action

SEEDS = range(20)


@pytest.fixture(scope="module")
def episodes() -> dict[str, list[Episode]]:
    """Episodes of every task in the order of their seeds."""
    played: dict[str, list[Episode]] = {task: [] for task in TASKS}
    for episode in play(make_page(task, seed) for task in TASKS for seed in SEEDS):
        played[episode.page.task].append(episode)
    return {task: sorted(found, key=lambda episode: episode.page.seed) for task, found in played.items()}


@pytest.fixture(scope="module")
def playground() -> Iterator[Playground]:
    with Playground.launch("click", 0) as playground:
        yield playground


def picture(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def gap(one: Image.Image, other: Image.Image) -> int:
    """The greatest difference of any pixel's channel, of 255."""
    return max(high for _, high in ImageChops.difference(one, other).getextrema())  # type: ignore[misc]


@pytest.mark.parametrize("task", TASKS)
def test_frames_are_what_a_live_browser_shows(
    task: str, episodes: dict[str, list[Episode]], playground: Playground
) -> None:
    for episode in episodes[task][:3]:
        playground.load(task, episode.page.seed)
        for frame in episode.frames:
            assert playground.elements() == frame.elements
            # Rounded corners may be smoothed a little differently, and only a live page has a mouse above it.
            assert gap(playground.screenshot().image, picture(frame.png)) < 64
            playground.execute(live_action(frame.step))
            playground.settle()
        assert playground.verdict().success


def test_a_clicked_field_has_a_focus_ring(episodes: dict[str, list[Episode]]) -> None:
    for episode in episodes["form"]:
        before, after, typed = episode.frames
        x0, y0, x1, y1 = map(round, action_of(before.step)["box"])
        area = (x0 - 3, y0 - 3, x1 + 3, y1 + 3)
        assert gap(picture(before.png).crop(area), picture(after.png).crop(area)) >= 64
        assert gap(picture(after.png).crop(area), picture(typed.png).crop(area)) >= 64


def test_steps(episodes: dict[str, list[Episode]]) -> None:
    def steps(task: str) -> list[list[str]]:
        return [[frame.step.type for frame in episode.frames] for episode in episodes[task]]

    assert all(found == ["click"] for found in steps("click"))
    assert all(found == ["click", "type", "click"] for found in steps("form"))
    assert all(found in [["click", "type"] * n + ["click"] for n in (2, 3, 4)] for found in steps("form_many"))
    assert all(found in [["scroll"] * n + ["click"] for n in (1, 2, 3)] for found in steps("scroll"))
    for distance in (1, 2, 3):
        assert all(found == ["click"] * (distance + 1) for found in steps(f"remember_{distance}"))
    assert {len(found) for found in steps("order")} == {3, 4}
    assert all(found == ["click"] * 2 for found in steps("dialog"))


def test_controls_are_on_screen_and_apart(episodes: dict[str, list[Episode]]) -> None:
    for task, played in episodes.items():
        height = 3 * SIDE if task == "scroll" else SIDE
        for frames in (episode.frames for episode in played):
            # A scrolled page has boxes above the screen.
            for frame in frames[:1] if task == "scroll" else frames:
                boxes = [e["box"] for e in frame.elements]
                boxes += [e["text_box"] for e in frame.elements if e["kind"] == "field"]
                for number, (x0, y0, x1, y1) in enumerate(boxes):
                    assert 0 <= x0 < x1 <= SIDE
                    assert 0 <= y0 < y1 <= height
                    for a0, b0, a1, b1 in boxes[number + 1 :]:
                        assert x1 <= a0 or a1 <= x0 or y1 <= b0 or b1 <= y0


def clickable(elements: list[dict[str, Any]]) -> int:
    return sum(e["kind"] != "text" and 0 <= (e["box"][1] + e["box"][3]) / 2 < SIDE for e in elements)


def test_chances_are_those_of_the_screens(episodes: dict[str, list[Episode]]) -> None:
    for task, played in episodes.items():
        for episode in played:
            chance = 1.0
            for frame in episode.frames:
                chance *= 1 if frame.step.type == "scroll" else 1 / clickable(frame.elements)
            if not task.startswith("form"):
                assert episode.page.chance == pytest.approx(chance), (task, episode.page.seed)


def test_the_same_every_time(episodes: dict[str, list[Episode]]) -> None:
    for task in ("dialog", "form_many", "scroll"):
        again = sorted(play(make_page(task, seed) for seed in SEEDS), key=lambda episode: episode.page.seed)
        for one, other in zip(again, episodes[task], strict=True):
            names = [str(number) for number, _ in enumerate(one.frames)]
            assert record_of(one, names) == record_of(other, names)
            # At another place of the grid, corners may be smoothed differently.
            for frame, twin in zip(one.frames, other.frames, strict=True):
                assert gap(picture(frame.png), picture(twin.png)) < 64


def test_a_folder_is_filled_and_continued(tmp_path: Path) -> None:
    assert main(["--task", "order", "--seeds", "0:3", "--out", str(tmp_path)]) == 0
    lines = tmp_path / "order.jsonl"
    whole = lines.read_text()
    lines.write_text(whole + '{"task": "ord')
    assert main(["--task", "order", "--seeds", "1:5", "--out", str(tmp_path)]) == 0
    assert lines.read_text().startswith(whole)
    records = [json.loads(line) for line in lines.read_text().splitlines()]
    assert sorted(record["seed"] for record in records) == list(range(5))
    for record in records:
        page = make_page("order", record["seed"])
        assert (record["task"], record["goal"], record["chance"]) == ("order", page.goal, page.chance)
        for number, step in enumerate(record["steps"]):
            assert step["file"] == f"order-{record['seed']}-{number}.png"
            assert Image.open(tmp_path / step["file"]).size == (SIDE, SIDE)
            action = step["action"]
            assert action["box"] in [e["box"] for e in step["elements"] if e["word"] == action["word"]]
    assert main(["--task", "order", "--seeds", "0:5", "--out", str(tmp_path)]) == 0
    assert len(lines.read_text().splitlines()) == 5


def test_records(episodes: dict[str, list[Episode]]) -> None:
    episode = episodes["form"][0]
    record = record_of(episode, ["a", "b", "c"])
    actions = [step["action"] for step in record["steps"]]
    _, name, _, value, *_ = episode.page.goal.replace(",", "").split()
    assert (actions[0]["type"], actions[0]["word"], actions[0]["kind"]) == ("click", name, "field")
    assert actions[1] == {"type": "type", "field": name, "text": value}
    assert record["steps"][2]["elements"][0]["value"] == value
    scroll = record_of(episodes["scroll"][0], [str(n) for n, _ in enumerate(episodes["scroll"][0].frames)])
    assert scroll["steps"][0]["action"] == {"type": "scroll"}
    for step in scroll["steps"]:
        assert all(e["box"][3] > 0 and e["box"][1] < SIDE for e in step["elements"])


def test_no_file_has_no_seeds(tmp_path: Path) -> None:
    assert done_seeds(tmp_path / "order.jsonl") == set()


def test_a_page_without_the_named_control_is_an_error() -> None:
    with pytest.raises(LookupError, match="no button 'Save'"):
        solve("click", 'Click the "Save" button.', [], Memory())
    with pytest.raises(LookupError, match="no control is named"):
        solve("click", "Click.", [], Memory())


def test_a_wrong_step_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(task: str, goal: str, elements: list[dict[str, Any]], memory: Memory) -> tuple[Step, Memory]:
        return Step("click", next(e for e in elements if f'"{e["word"]}"' not in goal)), memory

    monkeypatch.setattr("envs.playground.episodes.solve", wrong)
    with pytest.raises(RuntimeError, match="do not solve click 0"):
        list(play([make_page("click", 0)]))
