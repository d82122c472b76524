"""Devices that drop and return, servers that are killed, commands that never end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from envs.actions import Click, Swipe
from envs.android import AdbServer, Android, AndroidOptions
from envs.android.link import LinkError
from envs.android.simulator import Phone
from envs.base import ActionFailed, EnvironmentDied, ScreenshotError
from envs.processes import alive
from tests.patience import until

Launch = Callable[..., Android]


@pytest.fixture
def launch(server: AdbServer, plain_phone: Phone) -> Iterator[Launch]:
    """Start the environment on the phone; ended afterwards."""
    started: list[Android] = []

    def start(port: int = server.port, **more: float) -> Android:
        usual = {"reply_seconds": 60.0, "reconnect_seconds": 60.0}
        options = AndroidOptions(serial=plain_phone.address, adb_port=port, picture="framebuffer", **{**usual, **more})
        started.append(Android.launch(options))
        started[-1].screenshot()
        started[-1].events()
        return started[-1]

    yield start
    for android in started:
        android.close()


def kinds(android: Android) -> list[str]:
    return [event.kind for event in android.events()]


def later(seconds: float, do: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, do)
    timer.start()
    return timer


def test_a_picture_is_taken_after_the_device_returned(launch: Launch, plain_phone: Phone) -> None:
    android = launch()
    plain_phone.drop()
    timer = later(0.7, plain_phone.reconnect)
    assert android.screenshot().image.size == (360, 780)
    timer.join()
    assert "reconnected" in kinds(android)


def test_an_action_that_was_not_sent_is_done_after_the_return(launch: Launch, plain_phone: Phone) -> None:
    android = launch()
    plain_phone.handset.home()
    plain_phone.browser.evaluate("window.hits = 0; addEventListener('click', () => hits++)")
    plain_phone.drop()
    # The server has noticed, so it never passes the command on.
    assert until(lambda: android._device.client.states().get(plain_phone.address) != "device")
    timer = later(0.7, plain_phone.reconnect)
    events = android.execute(Click(x=5, y=775))
    timer.join()
    assert "reconnected" in [event.kind for event in events]
    android.settle()
    assert plain_phone.browser.evaluate("hits") == 1


def test_an_action_that_may_be_done_is_not_repeated(launch: Launch, plain_phone: Phone) -> None:
    android = launch()

    def away() -> None:
        assert until(lambda: plain_phone.handset.finger._down)
        plain_phone.drop()
        plain_phone.reconnect()

    person = later(0, away)
    with pytest.raises(ActionFailed, match="may be done or not"):
        android.execute(Swipe(x=100, y=100, x2=200, y2=200, seconds=3))
    person.join()
    # And everything goes on.
    assert android.screenshot().image.size == (360, 780)


def test_a_device_that_does_not_return(launch: Launch, plain_phone: Phone) -> None:
    android = launch(reconnect_seconds=0.5)
    plain_phone.drop()
    with pytest.raises(EnvironmentDied, match=r"did not come back within 0\.5 s"):
        android.screenshot()
    with pytest.raises(EnvironmentDied, match="did not come back"):
        android.execute(Click(x=1, y=1))


def test_a_device_that_returns_without_trust(launch: Launch, plain_phone: Phone) -> None:
    android = launch(reconnect_seconds=60)
    plain_phone.drop()
    plain_phone.unauthorized = True
    plain_phone.reconnect()
    with pytest.raises(EnvironmentDied, match="no longer trusts"):
        android.screenshot()


def test_the_server_is_killed(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: object, **more: object) -> None:
        raise AssertionError("a stray adb server is started")

    monkeypatch.setattr("adbutils._adb.subprocess", SimpleNamespace(run=never))
    with AdbServer.start() as own:
        android = launch(own.port)
        assert own.pid is not None
        os.kill(own.pid, signal.SIGKILL)
        for use in (android.screenshot, lambda: android.execute(Click(x=1, y=1)), android.settle, android.context):
            with pytest.raises(EnvironmentDied, match=f"no adb server answers at 127.0.0.1:{own.port}") as raised:
                use()
            assert raised.value.hint == "adb start-server"
        pid = own.pid
    assert not alive([pid])


def test_the_server_is_killed_during_an_action(launch: Launch, plain_phone: Phone) -> None:
    with AdbServer.start() as own:
        android = launch(own.port)
        pid = own.pid
        assert pid is not None
        timer = later(0, lambda: until(lambda: plain_phone.handset.finger._down) and os.kill(pid, signal.SIGKILL))
        with pytest.raises(EnvironmentDied, match="no adb server"):
            android.execute(Swipe(x=100, y=100, x2=200, y2=200, seconds=3))
        timer.join()


def test_commands_that_never_end(launch: Launch) -> None:
    android = launch()
    usual, android._device.seconds = android._device.seconds, 1.0
    with pytest.raises(ActionFailed, match="did not answer within 1 s"):
        android._device.do("sleep", "60")
    with pytest.raises(ScreenshotError, match="did not answer"):
        android._device.ask("sleep", "60")
    # One that trickles for ever is no better.
    with pytest.raises(ActionFailed, match="did not answer"):
        android._device.act("while true; do echo x; sleep 0.1; done")
    android._device.seconds = usual
    assert android.screenshot().image.size == (360, 780)


def test_services_that_the_device_has_not(launch: Launch) -> None:
    android = launch()
    with pytest.raises(ScreenshotError, match="refuses"):
        android._device.look(lambda: android._device.open("nothing:"))
    with pytest.raises(LinkError):
        android._device.open("nothing:")


def test_commands_that_fail(launch: Launch) -> None:
    android = launch()
    assert android._device.do("sh", "-c", "echo out; echo err >&2; exit 7").status == 7
    assert android._device.ask("echo", "a  'b' \"c\" $HOME `id`").text == "a  'b' \"c\" $HOME `id`\n"


def test_nothing_is_done_after_the_end(launch: Launch) -> None:
    android = launch()
    android.close()
    android.close()
    for use in (android.screenshot, lambda: android.execute(Click(x=1, y=1)), android.settle, android.context):
        with pytest.raises(EnvironmentDied, match="closed"):
            use()
