"""When two actions on a phone are the same: the rule of Android in the Wild, and AITZ's own."""

from __future__ import annotations

import pytest

from envs.actions import (
    Action,
    Back,
    Click,
    Drag,
    Finish,
    Keys,
    LongPress,
    Move,
    OpenApp,
    Scroll,
    Swipe,
    SystemButton,
    Type,
    Wait,
)
from envs.geometry import Point, Resize, Size
from eval.benchmarks.aitz.benchmark import AITZ
from eval.benchmarks.aitz.gold import AitzGold, Gesture, Kind
from eval.benchmarks.aitz.official import enlarged, exact, gesture_of, same
from eval.metrics.prediction import Prediction
from eval.metrics.shapes import Box

SIZE = Size(1000, 2000)
NOWHERE = (-1.0, -1.0)


def tap(x: float, y: float) -> AitzGold:
    return AitzGold(action=Kind.DUAL_POINT, touch=(x, y), lift=(x, y))


def swipe(x: float, y: float, x2: float, y2: float) -> AitzGold:
    return AitzGold(action=Kind.DUAL_POINT, touch=(x, y), lift=(x2, y2))


def scores(gold: AitzGold, *actions: Action) -> dict[str, float]:
    return AITZ.score(gold, "", Prediction(("text",), actions, Resize(SIZE, SIZE), "ui_tars"))


def pair(gold: AitzGold, *actions: Action) -> tuple[float, float]:
    """official and exact_match."""
    found = scores(gold, *actions)
    return found["official"], found["exact_match"]


@pytest.mark.parametrize(
    ("x", "y", "right"),
    [
        (500, 1000, 1),
        (630, 1000, 1),  # 0.13 across
        (650, 1000, 0),  # 0.15 across
        (500, 1270, 1),  # 0.135 down, of twice as many pixels
        (500, 1290, 0),  # 0.145 down
        (590, 1200, 1),  # hypot(0.09, 0.1) = 0.1345
        (610, 1200, 0),  # hypot(0.11, 0.1) = 0.1487
    ],
)
def test_taps_match_within_14_percent_of_the_screen(x: float, y: float, right: int) -> None:
    assert pair(tap(0.5, 0.5), Click(x=x, y=y)) == (right, right)


def test_taps_match_in_the_same_enlarged_box() -> None:
    # 400 x 100 pixels at (300, 300): 0.4 x 0.05 of the screen; enlarged it is 0.96 x 0.12 and begins at (0.02, 0.115).
    box = (300.0, 300.0, 400.0, 100.0)
    gold = tap(0.5, 0.175).model_copy(update={"boxes": (box,)})
    assert pair(gold, Click(x=900, y=350)) == (1, 1)
    assert pair(gold, Click(x=979, y=231)) == (1, 1)
    assert pair(gold, Click(x=985, y=350)) == (0, 0)
    assert pair(gold, Click(x=900, y=480)) == (0, 0)
    outside = tap(0.5, 0.9).model_copy(update={"boxes": (box,)})
    assert pair(outside, Click(x=900, y=350)) == (0, 0)


def test_two_boxes_do_not_add_up() -> None:
    boxes = ((0.0, 0.0, 100.0, 200.0), (900.0, 1800.0, 100.0, 200.0))
    gold = tap(0.05, 0.05).model_copy(update={"boxes": boxes})
    assert pair(gold, Click(x=950, y=1900)) == (0, 0)


def test_a_box_that_meets_the_edge_keeps_its_new_size() -> None:
    assert enlarged(Box(0.0, 0.0, 0.1, 0.2)) == Box(0.0, 0.0, pytest.approx(0.24), pytest.approx(0.48))
    grown = enlarged(Box(0.4, 0.4, 0.5, 0.6))
    assert (grown.x0, grown.y0, grown.x1, grown.y1) == pytest.approx((0.33, 0.26, 0.57, 0.74))
    assert enlarged(Box(0.0, 0.0, 1.0, 1.0)) == Box(0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize(("far", "is_tap"), [(0.0, True), (0.039, True), (0.041, False), (0.5, False)])
def test_a_finger_that_moves_more_than_4_percent_swipes(far: float, is_tap: bool) -> None:
    assert Gesture(Kind.DUAL_POINT, (0.5, 0.5), (0.5, 0.5 + far)).tap is is_tap
    found = scores(swipe(0.5, 0.5, 0.5, 0.5 + far), Click(x=500, y=1000))
    assert (found["official"], found["type_match"], found["type_id"]) == (is_tap, is_tap, 1)


@pytest.mark.parametrize(
    ("action", "official", "exactly"),
    [
        (Swipe(x=500, y=1600, x2=500, y2=400), 1, 1),
        (Swipe(x=100, y=1000, x2=150, y2=800), 1, 1),
        (Swipe(x=500, y=400, x2=500, y2=1600), 1, 0),  # the other way along the same axis
        (Swipe(x=800, y=1000, x2=200, y2=1000), 0, 0),
        (Drag(path=((500, 1600), (400, 1000), (500, 400))), 1, 1),
        (Scroll(direction="down"), 1, 1),  # shows what is below: the finger goes up
        (Scroll(direction="up"), 1, 0),
        (Scroll(direction="left"), 0, 0),
        (Scroll(direction="right"), 0, 0),
        (Swipe(x=500, y=1000, x2=500, y2=960), 0, 0),  # 0.02 is a tap
        (Click(x=500, y=1400), 0, 0),
        (LongPress(x=500, y=1400), 0, 0),
        (Type(text="up"), 0, 0),
    ],
)
def test_swipe_upwards(action: Action, official: int, exactly: int) -> None:
    assert pair(swipe(0.5, 0.7, 0.5, 0.3), action) == (official, exactly)


def test_a_long_press_is_a_tap() -> None:
    assert pair(tap(0.5, 0.5), LongPress(x=500, y=1000)) == (1, 1)


@pytest.mark.parametrize(
    ("text", "official", "exactly"),
    [("pizza", 1, 1), ("pizza place", 1, 1), ("pizz", 1, 1), ("pizaz", 1, 0), ("sushi", 1, 0), ("", 1, 1)],
)
def test_what_is_typed_counts_only_in_exact_match(text: str, official: int, exactly: int) -> None:
    # pizza and pizaz share 4 of 10 letters twice: 0.8, which is not more than 0.8.
    assert pair(AitzGold(action=Kind.TYPE, text="pizza"), Type(text=text)) == (official, exactly)


@pytest.mark.parametrize(
    ("kind", "actions", "other"),
    [
        (Kind.PRESS_BACK, (SystemButton(button="back"), Back()), SystemButton(button="home")),
        (Kind.PRESS_HOME, (SystemButton(button="home"),), SystemButton(button="back")),
        (
            Kind.PRESS_ENTER,
            (SystemButton(button="enter"), Keys(keys=("enter",)), Type(text="", submit=True)),
            SystemButton(button="back"),
        ),
    ],
)
def test_buttons(kind: Kind, actions: tuple[Action, ...], other: Action) -> None:
    gold = AitzGold(action=kind)
    for action in actions:
        assert set(scores(gold, action).values()) == {1.0}
    assert scores(gold, other) == {"official": 0, "type_id": 0, "type_match": 1, "exact_match": 0}
    assert set(scores(gold, Click(x=1, y=1)).values()) == {0.0}


def test_ends() -> None:
    done, impossible = AitzGold(action=Kind.STATUS_TASK_COMPLETE), AitzGold(action=Kind.STATUS_TASK_IMPOSSIBLE)
    assert set(scores(done, Finish()).values()) == {1.0}
    assert set(scores(impossible, Finish(status="failure")).values()) == {1.0}
    assert scores(done, Finish(status="failure")) == {"official": 0, "type_id": 0, "type_match": 1, "exact_match": 1}


@pytest.mark.parametrize(
    "actions",
    [
        (),
        (Wait(),),
        (OpenApp(name="Clock"),),
        (Move(x=500, y=1000),),
        (Click(x=500, y=1000, button="right"),),
        (SystemButton(button="menu"),),
        (Wait(), Click(x=500, y=1000)),
    ],
)
def test_what_the_data_do_not_know_is_wrong(actions: tuple[Action, ...]) -> None:
    assert gesture_of(actions, SIZE) is None
    assert set(scores(tap(0.5, 0.5), *actions).values()) == {0.0}


def test_only_the_first_action_counts() -> None:
    assert pair(tap(0.5, 0.5), Click(x=500, y=1000), Type(text="x")) == (1, 1)
    assert pair(AitzGold(action=Kind.TYPE, text="x"), Click(x=500, y=1000), Type(text="x")) == (0, 0)


@pytest.mark.parametrize(
    ("lift", "group"),
    [((0.9, 0.5), "right"), ((0.1, 0.5), "left"), ((0.5, 0.9), "down"), ((0.5, 0.1), "up"), ((0.7, 0.69), "down")],
)
def test_direction_of_a_swipe(lift: Point, group: str) -> None:
    ends = {"right": (0.9, 0.5), "left": (0.1, 0.5), "down": (0.5, 0.9), "up": (0.5, 0.1)}
    recorded = Gesture(Kind.DUAL_POINT, (0.5, 0.5), lift)
    for name, end in ends.items():
        assert exact(recorded, Gesture(Kind.DUAL_POINT, (0.5, 0.5), end), ()) is (name == group)


def test_a_nearly_diagonal_swipe_has_the_longer_axis_in_the_official_rule() -> None:
    # (0.2, 0.19): along x, although AITZ calls it down.
    diagonal = Gesture(Kind.DUAL_POINT, (0.5, 0.5), (0.7, 0.69))
    assert same(diagonal, Gesture(Kind.DUAL_POINT, (0.2, 0.5), (0.8, 0.5)), ())
    assert not same(diagonal, Gesture(Kind.DUAL_POINT, (0.5, 0.2), (0.5, 0.8)), ())
    assert Gesture(Kind.PRESS_BACK) == Gesture(Kind.PRESS_BACK, NOWHERE, NOWHERE)
