"""Finding the device: every way in which that fails says what to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from envs.actions import ACTION_TYPES
from envs.android import AdbServer, Android, AndroidOptions
from envs.android.connect import normal_serial
from envs.android.device import is_address
from envs.android.simulator import Phone
from envs.base import Environment, SetupError
from tests.patience import PATIENCE


@pytest.fixture
def own() -> Iterator[AdbServer]:
    """A server that knows no device yet."""
    with AdbServer.start() as server:
        yield server


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing from the user's surroundings, and no server that somebody starts behind our back."""
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    monkeypatch.delenv("ANDROID_ADB_SERVER_PORT", raising=False)

    def never(*args: Any, **more: Any) -> None:
        raise AssertionError(f"a stray adb server: {args[0]}")

    monkeypatch.setattr("adbutils._adb.subprocess", SimpleNamespace(run=never))


def opts(server: AdbServer, serial: str | None = None, seconds: float = 60.0) -> AndroidOptions:
    return AndroidOptions(serial=serial, adb_port=server.port, reply_seconds=seconds)


def adb(server: AdbServer, *words: str) -> None:
    """Run adb itself; not through the module that the fixture has taken away."""
    with subprocess.Popen(
        [server.program, *words], env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        assert process.wait(PATIENCE) is not None


def test_no_server(own: AdbServer) -> None:
    own.close()
    with pytest.raises(SetupError, match=f"no adb server answers at 127.0.0.1:{own.port}") as raised:
        Android.launch(opts(own))
    assert raised.value.hint == f"adb -P {own.port} start-server"


def test_something_else_at_the_port(phone: Phone) -> None:
    port = int(phone.address.partition(":")[2])
    with pytest.raises(SetupError, match="is no adb server"):
        Android.launch(AndroidOptions(adb_port=port, reply_seconds=0.5))


def test_no_device(own: AdbServer) -> None:
    with pytest.raises(SetupError, match="adb sees no device") as raised:
        Android.launch(opts(own))
    assert "USB debugging" in raised.value.hint
    assert "--serial" in raised.value.hint


def test_no_such_device(own: AdbServer, phone: Phone) -> None:
    adb(own, "connect", phone.address)
    with pytest.raises(SetupError, match=f"no device R5CT1234; there are {phone.address}"):
        Android.launch(opts(own, "R5CT1234"))


def test_nobody_at_the_address(own: AdbServer) -> None:
    with pytest.raises(SetupError, match=r"could not connect to 127\.0\.0\.1:9: .*refused") as raised:
        Android.launch(opts(own, "127.0.0.1:9"))
    assert raised.value.hint == "adb connect 127.0.0.1:9"


def test_the_only_device_and_one_of_several(
    own: AdbServer, phone: Phone, plain_phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    adb(own, "connect", phone.address)
    with Android.launch(opts(own)) as android:
        assert android.serial == phone.address
    second = plain_phone.address
    adb(own, "connect", second)
    with pytest.raises(SetupError, match="several devices") as raised:
        Android.launch(opts(own))
    assert phone.address in raised.value.message
    assert second in raised.value.message
    assert raised.value.hint == "choose one with --serial"
    monkeypatch.setenv("ANDROID_SERIAL", second)
    with Android.launch(opts(own)) as android:
        assert android.serial == second


def test_a_device_that_trusts_nobody(own: AdbServer, phone: Phone) -> None:
    phone.unauthorized = True
    with pytest.raises(SetupError, match="is unauthorized") as raised:
        Android.launch(opts(own, phone.address))
    assert "accept the question" in raised.value.hint
    # As the only device, and named by nobody, too.
    with pytest.raises(SetupError, match="is unauthorized"):
        Android.launch(opts(own))


def test_a_device_that_went_away(own: AdbServer, phone: Phone) -> None:
    adb(own, "connect", phone.address)
    phone.drop()
    try:
        with pytest.raises(SetupError, match=r"is offline|adb sees no device") as raised:
            Android.launch(opts(own))
        assert raised.value.hint
    finally:
        phone.reconnect()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"adb_port": 0}, "adb_port"),
        ({"stable_seconds": 0}, "stable_seconds"),
        ({"reply_seconds": -1}, "reply_seconds"),
        ({"reconnect_seconds": float("nan")}, "reconnect_seconds"),
    ],
)
def test_options_that_make_no_sense(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        AndroidOptions(**given)


def test_the_port_of_the_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert AndroidOptions().adb_port == 5037
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "6000")
    assert AndroidOptions().adb_port == 6000
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "many")
    with pytest.raises(SetupError, match="ANDROID_ADB_SERVER_PORT"):
        AndroidOptions()


def test_a_serial_with_blanks(own: AdbServer) -> None:
    with pytest.raises(SetupError, match="no blanks"):
        Android.launch(opts(own, "a b"))


@pytest.mark.parametrize(
    ("serial", "address"),
    [("192.168.1.5:5555", True), ("phone.local:37001", True), ("[::1]:5555", True), ("R5CT1234", False),
     ("emulator-5554", False), ("adb-XY._adb-tls-connect._tcp", False), ("host:0", False), ("host:99999", False)],
)  # fmt: skip
def test_addresses(serial: str, address: bool) -> None:
    assert is_address(serial) is address


def test_it_is_an_environment(own: AdbServer, phone: Phone) -> None:
    with Android.launch(opts(own, phone.address, 5.0)) as android:
        assert isinstance(android, Environment)
        assert android.name == "android"
        assert android.capabilities <= set(ACTION_TYPES)


def test_without_adbutils() -> None:
    code = """
import sys
sys.modules["adbutils"] = None
try:
    from envs.android import Android
except Exception as error:
    print(type(error).__name__, error.hint)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.strip() == "SetupError pip install adbutils"


def test_an_address_without_a_port() -> None:
    assert normal_serial("192.168.1.5") == "192.168.1.5:5555"
    assert normal_serial("R5CT1234") == "R5CT1234"
