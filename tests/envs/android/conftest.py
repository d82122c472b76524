"""One simulated phone under one real adb server for most tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from envs.android import AdbServer, Android, AndroidOptions
from envs.android.simulator import Phone, PhoneOptions

Options = Callable[..., AndroidOptions]
Show = Callable[[str], None]


@pytest.fixture(scope="session")
def server() -> Iterator[AdbServer]:
    with AdbServer.start() as started:
        yield started


@pytest.fixture(scope="session")
def shared_phone() -> Iterator[Phone]:
    with Phone.start(PhoneOptions(size=(540, 1170), density=210)) as started:
        yield started


@pytest.fixture(scope="session")
def shared_plain_phone() -> Iterator[Phone]:
    options = PhoneOptions(size=(360, 780), density=160, lock="pin", adb_keyboard=False)
    with Phone.start(options) as started:
        yield started


@pytest.fixture
def plain_phone(shared_plain_phone: Phone) -> Iterator[Phone]:
    """Another phone, small, with a PIN and without ADBKeyboard; unlocked, and within reach again afterwards."""
    shared_plain_phone.handset.reset()
    yield shared_plain_phone
    shared_plain_phone.unauthorized = False
    shared_plain_phone.reconnect()


@pytest.fixture(scope="session")
def shared_android(server: AdbServer, shared_phone: Phone) -> Iterator[Android]:
    options = AndroidOptions(serial=shared_phone.address, adb_port=server.port, stable_seconds=20.0, reply_seconds=60.0)
    with Android.launch(options) as started:
        started.screenshot()
        yield started


@pytest.fixture
def phone(shared_phone: Phone) -> Phone:
    """The shared phone, switched on and unlocked, at its home screen."""
    shared_phone.handset.reset()
    shared_phone.refuse_framebuffer = shared_phone.unauthorized = False
    return shared_phone


@pytest.fixture
def android(shared_android: Android, phone: Phone) -> Android:
    """The shared connection, with no events waiting."""
    shared_android.events()
    return shared_android


@pytest.fixture
def options(server: AdbServer, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> Options:
    """Options for a connection of the test's own to the shared phone; it does not choose among ways of looking."""
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)

    def make(**changed: Any) -> AndroidOptions:
        usual = {"serial": phone.address, "adb_port": server.port, "reply_seconds": 60.0, "picture": "framebuffer"}
        return AndroidOptions(**{**usual, **changed})

    return make


def write(phone: Phone, html: str) -> None:
    """Put HTML on the phone's screen."""
    head = '<!DOCTYPE html><meta name="viewport" content="width=device-width"><body style="margin:0">'

    async def put(tab: Any) -> None:
        await tab.set_content(head + html)

    phone.browser.with_tab(put, 60)


@pytest.fixture
def show(phone: Phone, android: Android) -> Show:
    """Put HTML on the phone's screen and look at it, as a model would."""

    def put(html: str) -> None:
        write(phone, html)
        android.settle()
        android.screenshot()

    return put


@pytest.fixture
def field(phone: Phone, android: Android) -> Callable[[], str]:
    """An empty text field with the focus; returns what is in it."""
    write(phone, "<textarea id=t style='width:100%;height:90vh' spellcheck=false></textarea>")
    phone.browser.evaluate("document.getElementById('t').focus()")
    return lambda: str(phone.browser.evaluate("document.getElementById('t').value"))
