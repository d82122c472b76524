"""Screens that are off, locked or protected, and those that are only black."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envs.actions import Click, OpenApp, SystemButton
from envs.android import Android, driver, screen
from envs.android.screen import Locked
from envs.android.simulator import Phone
from envs.base import ActionFailed, HiddenScreen, SetupError
from tests.envs.android.conftest import Options, Show


def kinds(android: Android) -> list[str]:
    return [event.kind for event in android.events()]


def test_a_screen_that_is_off_is_woken_and_unlocked(android: Android, phone: Phone) -> None:
    phone.handset.sleep()
    assert phone.handset.locked
    picture = android.screenshot().image
    assert phone.handset.usable
    assert picture.getextrema() != ((0, 0),) * 3
    assert kinds(android) == ["woken", "unlocked"]


def test_the_power_button_switches_off_and_the_next_look_wakes(android: Android, phone: Phone) -> None:
    android.execute(SystemButton(button="power"))
    assert not phone.handset.awake
    android.settle()
    android.screenshot()
    assert phone.handset.usable


def test_an_action_is_not_done_after_the_screen_went_off(
    android: Android, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    android.screenshot()
    phone.handset.sleep()
    monkeypatch.setattr(driver, "_FRESH_SECONDS", 0.0)
    with pytest.raises(ActionFailed, match="had gone off"):
        android.execute(Click(x=100, y=100))
    assert phone.handset.usable


def test_starting_wakes_and_unlocks(options: Options, phone: Phone) -> None:
    phone.handset.sleep()
    with Android.launch(options()) as android:
        assert phone.handset.usable
        assert kinds(android) == ["woken", "unlocked"]


def test_a_lock_screen_that_only_a_finger_opens(
    android: Android, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(android._screen, "_dismiss", lambda: None)
    monkeypatch.setattr(screen, "_WAIT_SECONDS", 3.0)
    phone.handset.sleep()
    android.screenshot()
    assert phone.handset.usable
    monkeypatch.setattr(screen, "_WAIT_SECONDS", 0.5)
    monkeypatch.setattr(android._screen, "_swipe_up", lambda: None)
    phone.handset.sleep()
    with pytest.raises(Locked, match="could not be swiped away"):
        android.screenshot()


def test_starting_may_leave_the_lock_alone(options: Options, phone: Phone) -> None:
    phone.handset.sleep()
    with pytest.raises(SetupError, match="lock screen") as raised:
        Android.launch(options(unlock=False))
    assert "by hand" in raised.value.hint
    assert phone.handset.locked


def test_a_protected_window_is_never_a_frame(android: Android) -> None:
    android.execute(OpenApp(name="Bank"))
    android.settle()
    with pytest.raises(HiddenScreen, match="protects its window"):
        android.screenshot()
    # It can be left all the same, even by one who has never seen the screen.
    android._viewport = None
    android.execute(SystemButton(button="home"))
    android.settle()
    assert android.screenshot().image.getextrema() != ((0, 0),) * 3


def test_a_black_page_is_a_frame(android: Android, show: Show) -> None:
    show("<style>body { background: black }</style>")
    assert android.screenshot().image.getextrema() == ((0, 0),) * 3
    assert kinds(android) == []


def test_a_pin_needs_a_person(options: Options, plain_phone: Phone) -> None:
    connect = options(serial=plain_phone.address)
    with Android.launch(connect) as android:
        android.screenshot()
        plain_phone.handset.sleep()
        with pytest.raises(Locked, match="PIN"):
            android.screenshot()
    with pytest.raises(SetupError, match="PIN") as raised:
        Android.launch(connect)
    assert raised.value.hint == "unlock it by hand"


def test_facts_for_approval(android: Android) -> None:
    android.execute(OpenApp(name="Notes"))
    android.settle()
    facts = android.context()
    assert facts["package"] == "com.example.notes"
    assert facts["activity"] == "com.example.notes.NotesActivity"


def test_a_screen_that_moves_is_waited_for(
    android: Android, show: Show, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    show("<div id=d style='height:50vh'></div>")
    stripes = "[...Array(20)].map((_, i) => `${Math.random() < 0.5 ? 'red' : 'white'} ${i * 5}% ${i * 5 + 5}%`)"
    paint = f"d.style.background = `linear-gradient(${{{stripes}}})`"
    phone.browser.evaluate(f"{{ window.timer = setInterval(() => {paint}, 30) }}")
    # A busy computer may draw nothing for a while, so it has more than one chance.
    monkeypatch.setattr(android, "options", replace(android.options, stable_seconds=2.0))
    assert any(android.settle() >= 2.0 for _ in range(20))
    monkeypatch.undo()
    phone.browser.evaluate("clearInterval(timer)")
    assert android.settle() < android.options.stable_seconds
