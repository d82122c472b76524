"""Playground tasks in a real browser: solved by who knows the answer, failed by a wrong click."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from envs.actions import Back, Click, Finish, Keys, Navigate, Type
from envs.base import Blocked, Environment, Event, SetupError
from envs.geometry import Resize, Size
from envs.playground import SIDE, TASKS, Playground, make_page
from envs.playground.page import SCROLL_CLICKS, WHEEL_PIXELS
from envs.playground.render import Renderer, main
from envs.playground.tasks.dialog import CONFIRMING, DISMISSING
from tests.envs.playground_oracle import Oracle

MOST_STEPS = 25


@pytest.fixture(scope="module")
def playground() -> Iterator[Playground]:
    with Playground.launch("click", 0) as playground:
        yield playground


def solve(playground: Playground) -> tuple[Finish, list[Event]]:
    oracle = Oracle(playground)
    events: list[Event] = []
    for _ in range(MOST_STEPS):
        action = oracle.next()
        if isinstance(action, Finish):
            return action, events
        events += playground.execute(action)
        # A wheel scrolls a little after it was turned.
        playground.settle()
    raise AssertionError(f"not solved in {MOST_STEPS} steps: {playground.page.task} {playground.page.seed}")


@pytest.mark.parametrize("task", TASKS)
def test_the_oracle_solves_every_task(playground: Playground, task: str) -> None:
    for seed in range(4):
        playground.load(task, seed)
        assert not playground.verdict().done
        action, events = solve(playground)
        assert action.status == "success", (task, seed)
        assert playground.verdict().success
        assert events == []
        assert playground.browser.evaluate("document.body.innerText") == "Done"


def others(playground: Playground) -> list[dict[str, Any]]:
    """Controls that the goal does not name."""
    target = playground.goal.split('"')[1]
    return [element for element in playground.elements() if element["word"] != target]


def centre(box: list[float]) -> Click:
    return Click(x=(box[0] + box[2]) / 2, y=(box[1] + box[3]) / 2)


@pytest.mark.parametrize("part", ["box", "text_box"])
def test_a_wrong_click_fails_for_good(playground: Playground, part: str) -> None:
    for seed in range(6):
        playground.load("click", seed)
        playground.execute(centre(others(playground)[0][part]))
        verdict = playground.verdict()
        assert (verdict.done, verdict.success) == (True, False)
        action, _ = solve(playground)
        assert action.status == "failure"


def test_the_label_counts_as_the_field(playground: Playground) -> None:
    checked = set()
    for seed in range(60):
        page = make_page("click", seed)
        kind, word = page.goal.split()[-1].rstrip("."), page.goal.split('"')[1]
        if kind in checked:
            continue
        playground.load("click", seed)
        (target,) = [e for e in playground.elements() if e["word"] == word]
        playground.execute(centre(target["text_box"]))
        assert playground.verdict().success, kind
        checked.add(kind)
    assert checked == {"button", "link", "checkbox", "field"}


def click_word(playground: Playground, word: str) -> None:
    playground.execute(centre(next(e["box"] for e in playground.elements() if e["word"] == word)))


def test_empty_space_does_nothing(playground: Playground) -> None:
    playground.load("click", 1)
    boxes = [e[part] for e in playground.elements() for part in ("box", "text_box")]
    free = next(
        (x, y)
        for x in range(2, SIDE, 6)
        for y in range(2, SIDE, 6)
        if all(not (b[0] - 8 <= x <= b[2] + 8 and b[1] - 8 <= y <= b[3] + 8) for b in boxes)
    )
    before = playground.screenshot().image
    playground.execute(Click(x=free[0], y=free[1]))
    assert not playground.verdict().done
    assert ImageChops.difference(before, playground.screenshot().image).getbbox() is None


def test_the_other_mouse_buttons_do_nothing(playground: Playground) -> None:
    playground.load("click", 1)
    playground.execute(centre(others(playground)[0]["box"]).model_copy(update={"button": "right"}))
    assert not playground.verdict().done


def test_a_form_with_a_wrong_value_fails(playground: Playground) -> None:
    playground.load("form", 0)
    fields = [e for e in playground.elements() if e["kind"] == "field"]
    playground.execute(centre(fields[0]["box"]))
    playground.execute(Type(text="Nonsense"))
    assert playground.elements()[0]["value"] == "Nonsense"
    submit = playground.goal.rpartition(" ")[2].rstrip(".")
    (button,) = [e for e in playground.elements() if (e["word"], e["kind"]) == (submit, "button")]
    playground.execute(centre(button["box"]))
    verdict = playground.verdict()
    assert (verdict.done, verdict.success) == (True, False)


def test_enter_in_a_form_presses_the_named_button(playground: Playground) -> None:
    playground.load("form", 0)
    (field,) = [e for e in playground.elements() if e["kind"] == "field"]
    playground.execute(centre(field["box"]))
    playground.execute(Type(text=playground.goal.split(" with ")[1].partition(",")[0], submit=True))
    assert playground.verdict().success


@pytest.mark.parametrize("distance", [1, 2, 3])
def test_the_code_is_not_shown_where_it_is_asked_for(playground: Playground, distance: int) -> None:
    for seed in range(3):
        playground.load(f"remember_{distance}", seed)
        (code,) = [e["word"] for e in playground.elements() if e["kind"] == "text"]
        for _ in range(distance):
            click_word(playground, "Next")
            assert "Code" not in playground.browser.evaluate("document.body.innerText")
        options = playground.elements()
        assert 3 <= len(options) <= 6
        assert [e["word"] for e in options].count(code) == 1
        assert playground.page.chance == 1 / len(options)
        click_word(playground, next(e["word"] for e in options if e["word"] != code))
        verdict = playground.verdict()
        assert (verdict.done, verdict.success) == (True, False)


def listed(playground: Playground) -> list[str]:
    """The words of an order page, which is left for the page with the items."""
    words = [e["word"] for e in playground.elements() if e["kind"] == "text"]
    click_word(playground, "Next")
    return words


def test_what_was_clicked_in_order_goes_away(playground: Playground) -> None:
    for seed in range(3):
        playground.load("order", seed)
        first, *_ = listed(playground)
        before = playground.elements()
        click_word(playground, first)
        assert playground.elements() == [e for e in before if e["word"] != first]
        assert not playground.verdict().done


@pytest.mark.parametrize("which", ["the second first", "one that is not listed"])
def test_the_wrong_order_fails(playground: Playground, which: str) -> None:
    for seed in range(3):
        playground.load("order", seed)
        words = listed(playground)
        others = [e["word"] for e in playground.elements() if e["word"] not in words]
        click_word(playground, words[1] if which == "the second first" else others[0])
        verdict = playground.verdict()
        assert (verdict.done, verdict.success) == (True, False)
        if which == "the second first":
            assert words[1] in [e["word"] for e in playground.elements()]


def test_beside_the_buttons_of_a_dialog_nothing_happens(playground: Playground) -> None:
    for seed in range(2):
        playground.load("dialog", seed)
        boxes = [e["box"] for e in playground.elements()]
        before = playground.screenshot().image
        for x in range(3, SIDE, 39):
            for y in range(3, SIDE, 39):
                if all(not (b[0] - 2 <= x <= b[2] + 2 and b[1] - 2 <= y <= b[3] + 2) for b in boxes):
                    playground.execute(Click(x=x, y=y))
        playground.execute(Keys(keys=("tab",)))
        assert not playground.browser.evaluate("document.querySelector('[inert]').contains(document.activeElement)")
        playground.load("dialog", seed)
        assert not playground.verdict().done
        assert ImageChops.difference(before, playground.screenshot().image).getbbox() is None


def test_the_wrong_answer_to_a_dialog_fails(playground: Playground) -> None:
    asked = set()
    for seed in range(6):
        playground.load("dialog", seed)
        asked.add(playground.goal.split()[0])
        wrong = DISMISSING if playground.goal.startswith("Confirm") else CONFIRMING
        click_word(playground, next(e["word"] for e in playground.elements() if e["word"] in wrong))
        verdict = playground.verdict()
        assert (verdict.done, verdict.success) == (True, False)
    assert asked == {"Confirm", "Dismiss"}


def test_behind_a_dialog_are_the_controls(playground: Playground) -> None:
    playground.load("dialog", 0)
    dialog = playground.elements()
    assert len(dialog) == 2
    playground.execute(Oracle(playground).next())
    behind = playground.elements()
    assert 2 <= len(behind) <= 5
    assert not {e["word"] for e in behind} & {*CONFIRMING, *DISMISSING}
    playground.execute(centre(others(playground)[0]["box"]))
    verdict = playground.verdict()
    assert (verdict.done, verdict.success) == (True, False)


def test_the_target_of_scroll_is_below_the_fold(playground: Playground) -> None:
    for seed in range(10):
        playground.load("scroll", seed)
        target = playground.goal.split('"')[1]
        (box,) = [e["box"] for e in playground.elements() if e["word"] == target]
        assert box[1] >= SIDE
        assert playground.browser.evaluate("document.documentElement.scrollHeight") in (2 * SIDE, 3 * SIDE)


def test_a_scroll_is_what_a_call_without_an_amount_does(playground: Playground) -> None:
    from agent.dialects import UiTars

    playground.load("scroll", 0)
    said = "Action: scroll(start_box='(140,140)', direction='down')"
    (action,) = UiTars("{instruction}").parse(said, Resize(Size(SIDE, SIDE), Size(SIDE, SIDE))).actions
    assert action == Oracle(playground).next()
    playground.execute(action)
    playground.settle()
    assert playground.browser.evaluate("scrollY") == SCROLL_CLICKS * WHEEL_PIXELS


def test_rendered_pages_look_as_live_ones(playground: Playground) -> None:
    with Renderer() as renderer:
        for rendered in renderer.render([make_page("click", seed) for seed in range(5)]):
            playground.load("click", rendered.page.seed)
            assert playground.elements() == rendered.elements
            live = playground.screenshot().image
            drawn = Image.open(io.BytesIO(rendered.png)).convert("RGB")
            assert drawn.size == live.size == (SIDE, SIDE)
            # Rounded corners may be smoothed a little differently.
            assert max(high for _, high in ImageChops.difference(live, drawn).getextrema()) < 64  # type: ignore[misc]


def test_rendering_to_a_folder(tmp_path: Path) -> None:
    assert main(["--task", "click", "--seeds", "5:25", "--out", str(tmp_path)]) == 0
    records = [json.loads(line) for line in (tmp_path / "pages.jsonl").read_text().splitlines()]
    assert [record["seed"] for record in records] == list(range(5, 25))
    for record in records:
        assert Image.open(tmp_path / record["file"]).size == (SIDE, SIDE)
        assert record["goal"] == f'Click the "{record["word"]}" {record["kind"]}.'
        assert record["box"] in [element["box"] for element in record["elements"]]


@pytest.mark.parametrize("seeds", ["5", "5:5", "a:b", "9:3"])
def test_bad_seeds(tmp_path: Path, seeds: str) -> None:
    with pytest.raises(SystemExit):
        main(["--seeds", seeds, "--out", str(tmp_path)])


def test_reloading_starts_again_and_leaving_is_refused(playground: Playground) -> None:
    playground.load("click", 2)
    playground.execute(centre(others(playground)[0]["box"]))
    assert playground.verdict().done
    playground.execute(Keys(keys=("f5",)))
    playground.settle()
    assert not playground.verdict().done
    with pytest.raises(Blocked):
        playground.execute(Navigate(url="https://example.com"))
    playground.execute(Navigate(url="about:blank"))
    assert not playground.verdict().done
    assert playground.elements() == []
    playground.execute(Back())
    action, _ = solve(playground)
    assert action.status == "success"


def test_it_is_an_environment(playground: Playground) -> None:
    playground.load("click", 0)
    assert isinstance(playground, Environment)
    assert playground.capabilities == playground.browser.capabilities
    assert playground.context()["host"] == "playground.test"
    assert playground.settle() > 0
    assert playground.describe_target(centre(playground.elements()[0]["box"]))


def test_a_given_browser_stays_open(playground: Playground) -> None:
    with Playground.launch("form", 3, browser=playground.browser) as other:
        assert other.goal.startswith("Fill")
    playground.load("click", 0)
    assert playground.screenshot().image.size == (SIDE, SIDE)


def test_a_task_that_there_is_not(playground: Playground) -> None:
    with pytest.raises(SetupError, match="no playground task"):
        Playground.launch("nothing", 0)
    with pytest.raises(SetupError, match="no playground task"):
        playground.load("nothing", 0)
