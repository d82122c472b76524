"""Every action, seen by its effect on the phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envs.actions import (
    Action,
    Back,
    Click,
    Drag,
    Keys,
    LongPress,
    Move,
    Navigate,
    OpenApp,
    Scroll,
    Swipe,
    SystemButton,
    Type,
    Wait,
)
from envs.android import AdbServer, Android, AndroidOptions
from envs.android.simulator import Phone, PhoneOptions
from envs.base import ActionFailed, UnsupportedAction
from tests.envs.android.conftest import Show, write

LISTEN = """
<div id=pad style='position:absolute;inset:0;touch-action:none'></div>
<script>
  window.seen = [];
  for (const kind of ['click', 'dblclick', 'contextmenu', 'touchstart', 'touchmove', 'touchend'])
    pad.addEventListener(kind, e => {
      const at = e.changedTouches ? e.changedTouches[0] : e;
      seen.push([kind, at.clientX * devicePixelRatio, at.clientY * devicePixelRatio, e.timeStamp]);
    });
</script>
"""
TALL = "<div style='width:400vw;height:400vh;background:linear-gradient(45deg,red,blue)'></div>"


@pytest.fixture
def seen(show: Show, phone: Phone) -> Callable[[str], list[Any]]:
    """A page that listens to fingers; returns the events of a kind, with their place in pixels of the screen."""
    show(LISTEN)
    return lambda kind: [event for event in phone.browser.evaluate("seen") if event[0] == kind]


def test_a_tap_hits_the_pixel(android: Android, seen: Callable[[str], list[Any]]) -> None:
    android.execute(Click(x=333, y=377))
    android.settle()
    ((_, x, y, _),) = seen("click")
    assert abs(x - 333) <= 3
    assert abs(y - 377) <= 3


def test_targets_of_three_pixels_on_a_dense_screen(server: AdbServer) -> None:
    spots = [(x, y) for x in (1, 339, 700, 1078) for y in (1, 801, 1601, 2338)]
    with Phone.start(PhoneOptions()) as dense:
        options = AndroidOptions(serial=dense.address, adb_port=server.port, picture="framebuffer")
        with Android.launch(options) as android:
            write(dense, LISTEN)
            assert android.screenshot().image.size == (1080, 2340)
            for x, y in spots:
                android.execute(Click(x=x + 0.5, y=y + 0.5))
            android.settle()
            hits = [event[1:3] for event in dense.browser.evaluate("seen") if event[0] == "touchstart"]
            assert dense.browser.evaluate("devicePixelRatio") == 2.625
    for (x, y), (x2, y2) in zip(spots, hits, strict=True):
        # In the middle of three pixels, so at most one to any side.
        assert abs(x2 - (x + 0.5)) <= 1.5
        assert abs(y2 - (y + 0.5)) <= 1.5


def test_a_double_tap_is_what_android_takes_for_one(
    android: Android, seen: Callable[[str], list[Any]], phone: Phone
) -> None:
    gaps = []
    # Busy computers start programs late, so it has more than one chance.
    for _ in range(4):
        phone.browser.evaluate("seen.length = 0")
        android.execute(Click(x=250, y=450, count=2))
        android.settle()
        starts, ends = seen("touchstart"), seen("touchend")
        assert len(starts) == len(ends) == 2
        gaps.append(starts[1][3] - ends[0][3])
        if 40 <= gaps[-1] <= 300:
            return
    raise AssertionError(f"milliseconds between the taps: {gaps}")


def test_a_long_press_opens_the_menu(android: Android, seen: Callable[[str], list[Any]]) -> None:
    android.execute(LongPress(x=250, y=450, seconds=1.2))
    android.settle()
    assert len(seen("touchstart")) == 1
    assert len(seen("contextmenu")) == 1
    assert not seen("click")


def test_a_swipe_goes_from_one_point_to_the_other(android: Android, seen: Callable[[str], list[Any]]) -> None:
    android.execute(Swipe(x=100, y=1000, x2=400, y2=300, seconds=0.4))
    android.settle()
    ((_, x, y, _),) = seen("touchstart")
    assert abs(x - 100) <= 3
    assert abs(y - 1000) <= 3
    assert len(seen("touchmove")) >= 3
    end = seen("touchend")[-1]
    assert abs(end[1] - 400) <= 12
    assert abs(end[2] - 300) <= 12


def test_a_drag_holds_before_it_moves(android: Android, seen: Callable[[str], list[Any]]) -> None:
    android.execute(Drag(path=((150, 250), (150, 750))))
    android.settle()
    start, first = seen("touchstart")[0], next(move for move in seen("touchmove") if move[2] > 260)
    assert first[3] - start[3] > 300
    assert abs(seen("touchend")[-1][2] - 750) <= 12


def test_a_drag_with_corners_is_one_movement(android: Android, seen: Callable[[str], list[Any]]) -> None:
    android.execute(Drag(path=((100, 300), (400, 300), (400, 700))))
    android.settle()
    assert len(seen("touchstart")) == 1
    moves = seen("touchmove")
    assert any(abs(x - 400) <= 12 and abs(y - 300) <= 12 for _, x, y, _ in moves)
    assert abs(seen("touchend")[-1][2] - 700) <= 12


@pytest.mark.parametrize(
    ("direction", "property_", "from_", "more"),
    [("down", "scrollY", 0, True), ("up", "scrollY", 900, False),
     ("right", "scrollX", 0, True), ("left", "scrollX", 500, False)],
)  # fmt: skip
def test_scrolling_shows_more_on_that_side(
    direction: Any, property_: str, from_: int, more: bool, android: Android, show: Show, phone: Phone
) -> None:
    show(TALL)
    left, top = (from_, 0) if property_ == "scrollX" else (0, from_)
    phone.browser.evaluate(f"scrollTo({left}, {top})")
    android.execute(Scroll(direction=direction, amount=3))
    android.settle()
    after = float(phone.browser.evaluate(property_))
    assert (after > from_ + 30) if more else (after < from_ - 30)


def test_scrolling_happens_at_the_point(android: Android, show: Show, phone: Phone) -> None:
    inner = f"<div id=box style='height:40vh;overflow:auto'>{TALL}</div>"
    show(inner + TALL)
    android.execute(Scroll(direction="down", amount=2, x=270, y=350))
    android.settle()
    assert float(phone.browser.evaluate("box.scrollTop")) > 30
    assert float(phone.browser.evaluate("scrollY")) == 0


def test_buttons(android: Android, phone: Phone) -> None:
    android.execute(OpenApp(name="Notes"))
    android.settle()
    android.execute(SystemButton(button="home"))
    android.settle()
    assert android.context()["package"] == "com.example.launcher"
    android.execute(SystemButton(button="recents"))
    android.settle()
    assert "recents" in phone.browser.context()["url"]
    before = phone.handset.settings.get("system", "volume_music_speaker")
    android.execute(SystemButton(button="volume_up"))
    assert phone.handset.settings.get("system", "volume_music_speaker") != before


def test_back_leaves_an_app(android: Android) -> None:
    for action in (Back(), SystemButton(button="back")):
        android.execute(OpenApp(name="Notes"))
        android.settle()
        assert android.context()["package"] == "com.example.notes"
        android.execute(action)
        android.settle()
        assert android.context()["package"] == "com.example.launcher"


def test_keys(android: Android, field: Callable[[], str]) -> None:
    android.execute(Type(text="abc"))
    android.execute(Keys(keys=("left",)))
    android.execute(Keys(keys=("Backspace",)))
    assert field() == "ac"
    android.execute(Keys(keys=("ctrl", "a")))
    android.execute(Keys(keys=("X",)))
    assert field() == "X"
    android.execute(Keys(keys=("enter",)))
    assert field() == "X\n"


@pytest.mark.parametrize(
    ("keys", "said"), [(("bannana",), "no key"), (("f20",), "no key"), (("ctrl", "é"), "no key"), (("entr",), "enter")]
)
def test_keys_that_are_none(keys: tuple[str, ...], said: str, android: Android) -> None:
    with pytest.raises(ActionFailed, match=said):
        android.execute(Keys(keys=keys))


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("com.example.notes", "com.example.notes"),
        ("notes", "com.example.notes"),
        ("Clock", "com.example.clock"),
        ("clock plus", "com.example.clockplus"),
        ("Setings", "com.android.settings"),
        ("notes.app", "com.example.notes"),
    ],
)
def test_apps_by_package_and_by_name(name: str, package: str, android: Android) -> None:
    (event,) = android.execute(OpenApp(name=name))
    android.settle()
    assert event.kind == "opened"
    assert android.context()["package"] == package == event.detail["package"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cloc", r"Clock \(com.example.clock\), Clock Plus \(com.example.clockplus\)"),
        ("Photo Studio", "no app 'Photo Studio'"),
        ("com.example.none", "no app 'com.example.none'"),
        ("com.android.adbkeyboard", "nothing to open"),
        ("$(id)", "no app"),
        ("  ", "without a name"),
    ],
)
def test_apps_that_are_not_meant_clearly(name: str, said: str, android: Android) -> None:
    with pytest.raises(ActionFailed, match=said):
        android.execute(OpenApp(name=name))


def test_navigate(android: Android, phone: Phone) -> None:
    android.execute(Navigate(url="http://127.0.0.1:9/a?b=1&c='2'"))
    android.settle()
    assert android.context()["package"] == "com.example.browser"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "intent://x#Intent;end", "tel://1", "", "https://", "http://a b", "h" * 9000]
)
def test_addresses_that_are_not_opened(url: str, android: Android) -> None:
    with pytest.raises(ActionFailed):
        android.execute(Navigate(url=url))


@pytest.mark.parametrize("action", [Move(x=1, y=1)])
def test_what_no_phone_does(action: Action, android: Android) -> None:
    assert action.type not in android.capabilities
    with pytest.raises(UnsupportedAction):
        android.execute(action)


@pytest.mark.parametrize("action", [Click(x=5000, y=10), Click(x=10, y=-4), Drag(path=((1, 1), (1, 9999)))])
def test_points_outside(action: Action, android: Android, seen: Callable[[str], list[Any]]) -> None:
    with pytest.raises(ActionFailed, match="outside the screen of 540x1170"):
        android.execute(action)
    assert not seen("touchstart")


def test_other_buttons_of_a_mouse(android: Android) -> None:
    with pytest.raises(ActionFailed, match="no right button"):
        android.execute(Click(x=10, y=10, button="right"))


def test_waiting_and_what_is_not_known(android: Android) -> None:
    assert android.execute(Wait(seconds=0)) == ()
    assert android.describe_target(Click(x=1, y=1)) == ""
    assert android.verdict() is None
