"""Two sources of input: what a person's hands do stops or pauses the agent, what the agent does never.

A second X server (Xephyr) runs in a window of the first: what is injected into the outer one reaches the inner one as
its own mouse and keyboard, as hardware would.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from Xlib import X
from Xlib.display import Display
from Xlib.ext import xtest

from envs.actions import Action, Click, Drag, KeyDown, Keys, LongPress, Move, Type, Wait
from envs.base import ActionFailed, SetupError, UserStopped
from envs.desktop import Desktop, DesktopOptions
from envs.desktop.control import Control
from envs.desktop.options import OnUserInput
from envs.desktop.x11.user_input import Person
from envs.xvfb import Xvfb
from tests.patience import PATIENCE, until

ESCAPE, LETTER_A, CONTROL, ALT, LETTER_Q = 9, 38, 37, 64, 24


@dataclass
class Hands:
    """A person at the inner display."""

    display: Display
    inner: str

    def move(self, x: int, y: int) -> None:
        self._do(X.MotionNotify, 0, x, y)

    def key(self, code: int, down: bool) -> None:
        self._do(X.KeyPress if down else X.KeyRelease, code)

    def tap(self, code: int) -> None:
        self.key(code, True)
        self.key(code, False)

    def _do(self, kind: int, detail: int, x: int = 0, y: int = 0) -> None:
        xtest.fake_input(self.display, kind, detail, x=x, y=y)
        self.display.sync()


@pytest.fixture(scope="module")
def nested() -> Iterator[Hands]:
    with Xvfb((900, 700)) as outer:
        server = subprocess.Popen(
            ["Xephyr", "-displayfd", "1", "-screen", "640x480", "-ac", "-noreset", "-nolisten", "tcp"],
            env={**os.environ, "DISPLAY": outer.display},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert server.stdout is not None
        number = int(server.stdout.readline())
        hands = Hands(Display(outer.display), f":{number}")
        hands.move(100, 100)
        yield hands
        hands.display.close()
        server.kill()
        server.wait()


Start = Callable[..., Desktop]


@pytest.fixture
def start(nested: Hands) -> Iterator[Start]:
    """A desktop on the inner display, closed with the test; the person's keys are up again."""
    started: list[Desktop] = []

    def launch(on_user_input: OnUserInput = "pause", **options: object) -> Desktop:
        merged = {"quiet_seconds": 0.4, "stop_hold_seconds": 0.4, **options}
        desktop = Desktop.launch(DesktopOptions(display=nested.inner, on_user_input=on_user_input, **merged))  # type: ignore[arg-type]
        started.append(desktop)
        desktop.screenshot()
        return desktop

    yield launch
    for desktop in started:
        desktop.close()
    for code in (ESCAPE, LETTER_A, CONTROL, ALT, LETTER_Q):
        nested.key(code, False)


def later(seconds: float, *steps: Callable[[], None]) -> threading.Thread:
    """A person who acts while the agent does."""

    def act() -> None:
        time.sleep(seconds)
        for step in steps:
            step()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def hold(hands: Hands, code: int = ESCAPE, seconds: float = 1.0) -> Callable[[], None]:
    def act() -> None:
        hands.key(code, True)
        time.sleep(seconds)
        hands.key(code, False)

    return act


def noticed(desktop: Desktop) -> None:
    """Wait until the desktop knows that a person did something."""
    # Without anybody it is still since the machine was started.
    assert until(lambda: desktop._ask("still", PATIENCE)[0]["seconds"] < time.monotonic() - 1)


def pressed(hands: Hands) -> tuple[bool, bool]:
    """Is any mouse button, or any modifier, down on the inner display?"""
    display = Display(hands.inner)
    try:
        mask = display.screen().root.query_pointer().mask
    finally:
        display.close()
    buttons = X.Button1Mask | X.Button2Mask | X.Button3Mask
    return bool(mask & buttons), bool(mask & (X.ShiftMask | X.ControlMask | X.Mod1Mask))


def stopped(desktop: Desktop) -> bool:
    try:
        desktop.context()
    except UserStopped:
        return True
    return False


def test_a_held_stop_key_stops_whatever_comes_next(nested: Hands, start: Start) -> None:
    desktop = start("ignore")
    desktop.execute(KeyDown(key="shift"))
    assert pressed(nested) == (False, True)
    hold(nested, seconds=0.8)()
    # Let go at once, and not only at the next request.
    assert until(lambda: pressed(nested) == (False, False))
    assert until(lambda: stopped(desktop))
    for do in (desktop.screenshot, desktop.settle, desktop.context, lambda: desktop.execute(Move(x=5, y=5))):
        with pytest.raises(UserStopped, match="stop key"):
            do()


def test_a_short_press_does_not_stop(nested: Hands, start: Start) -> None:
    patient, other = start("ignore", stop_hold_seconds=60.0), start("ignore")
    hold(nested, LETTER_A, 0.8)()
    other.execute(Move(x=5, y=5))
    other.close()
    for _ in range(3):
        nested.tap(ESCAPE)
        time.sleep(0.2)
    patient.execute(Move(x=5, y=5))


def test_a_press_that_is_read_late_is_as_long_as_it_was(nested: Hands) -> None:
    """On a busy machine both its ends may be read at once."""
    control = Control("ignore")
    person = Person(nested.inner, ("escape",), 0.4, control)
    hold(nested, ESCAPE, 0.5)()
    nested.tap(LETTER_A)
    person.start()
    assert until(lambda: stops(control))


def test_short_presses_that_are_read_late_are_short(nested: Hands) -> None:
    control = Control("ignore")
    person = Person(nested.inner, ("escape",), 60.0, control)
    for _ in range(5):
        nested.tap(ESCAPE)
    hold(nested, LETTER_A, 0.2)()
    person.start()
    assert until(lambda: control.still_for() < 1000)
    assert not stops(control)


def stops(control: Control) -> bool:
    try:
        control.check_stop()
    except UserStopped:
        return True
    return False


def test_a_chord_stops_at_once(nested: Hands, start: Start) -> None:
    desktop = start("ignore", stop_key="ctrl+alt+q")
    hold(nested, ESCAPE, 0.6)()
    for code in (CONTROL, LETTER_Q):
        nested.key(code, True)
    desktop.execute(Move(x=5, y=5))
    nested.key(LETTER_Q, False)
    for code in (ALT, LETTER_Q):
        nested.key(code, True)
    assert until(lambda: stopped(desktop))


@pytest.mark.parametrize(
    "action",
    [
        Wait(seconds=20),
        LongPress(x=50, y=50, seconds=20),
        Drag(path=tuple((float(10 + n % 2 * 300), float(20 + n)) for n in range(200))),
        Type(text="x" * 20000),
    ],
    ids=lambda action: action.type,
)
def test_stopped_in_the_middle(nested: Hands, start: Start, action: Action) -> None:
    desktop = start("ignore")
    # Held until the test is over.
    person = later(0.3, lambda: nested.key(ESCAPE, True))
    with pytest.raises(UserStopped):
        desktop.execute(action)
    person.join()
    assert until(lambda: pressed(nested) == (False, False))


def test_the_agents_own_input_is_nobody(nested: Hands, start: Start) -> None:
    told: list[str] = []
    desktop = start("stop", tell=told.append)
    for _ in range(2):
        desktop.execute(Move(x=300, y=200))
        desktop.execute(Click(x=30, y=20))
        desktop.execute(Keys(keys=("escape",)))
        desktop.execute(Type(text="abc 好"))
        desktop.execute(KeyDown(key="escape"))
        desktop.execute(Wait(seconds=0.6))
        desktop.execute(Drag(path=((10, 10), (60, 60))))
    assert told == []


def test_pause_waits_until_the_person_is_still(nested: Hands, start: Start) -> None:
    told: list[str] = []
    desktop = start("pause", tell=told.append, quiet_seconds=2.0)
    moves = [lambda n=n: (nested.move(120 + n, 100), time.sleep(0.1)) for n in range(12)]
    nested.move(110, 100)
    noticed(desktop)
    ended: list[float] = []
    person = later(0.0, *moves, lambda: ended.append(time.monotonic()))  # type: ignore[arg-type]
    with pytest.raises(ActionFailed, match=r"a person used the mouse.*look again"):
        desktop.execute(Click(x=5, y=5))
    assert ended
    assert time.monotonic() - ended[0] > 1.0
    person.join()
    assert told == ["paused: you are using the mouse", "going on"]
    # Not done, and not done before a new picture either: what the person changed is not in the last one.
    with pytest.raises(ActionFailed):
        desktop.execute(Click(x=5, y=5))
    desktop.screenshot()
    desktop.execute(Click(x=5, y=5))


def test_pause_in_the_middle_of_a_drag(nested: Hands, start: Start) -> None:
    desktop = start("pause")
    person = later(0.3, lambda: nested.tap(LETTER_A))
    with pytest.raises(ActionFailed, match="a person used the keyboard"):
        desktop.execute(Drag(path=tuple((float(10 + n % 2 * 300), float(20 + n)) for n in range(200))))
    person.join()
    assert pressed(nested) == (False, False)


def test_the_stop_key_works_while_paused(nested: Hands, start: Start) -> None:
    desktop = start("pause", quiet_seconds=PATIENCE)
    nested.move(130, 130)
    noticed(desktop)
    person = later(0.3, lambda: nested.key(ESCAPE, True))
    with pytest.raises(UserStopped):
        desktop.execute(Click(x=5, y=5))
    person.join()


def test_stop_when_the_person_moves(nested: Hands, start: Start) -> None:
    desktop = start("stop")
    nested.move(140, 120)
    nested.move(150, 120)
    noticed(desktop)
    with pytest.raises(UserStopped, match="a person used the mouse"):
        desktop.execute(Click(x=5, y=5))


def test_ignore(nested: Hands, start: Start) -> None:
    desktop = start("ignore")
    nested.move(160, 120)
    nested.tap(LETTER_A)
    noticed(desktop)
    desktop.execute(Click(x=5, y=5))


def test_an_xlib_that_is_too_old(nested: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def old(name: str) -> object:
        if name == "Xlib.ext.xinput":
            raise ModuleNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib, "import_module", old)
    with pytest.raises(SetupError, match="too old") as caught:
        Person(nested.inner, ("escape",), 1.0, Control("pause"))
    assert caught.value.hint == "pip install --force-reinstall --no-deps python-xlib"
