"""What the doctor says of a device."""

from __future__ import annotations

import pytest

from envs.android import AdbServer, AndroidOptions
from envs.android.checks import findings
from envs.android.simulator import Phone
from envs.base import Finding
from tests.envs.android.conftest import Options


def by_name(found: list[Finding]) -> dict[str, Finding]:
    assert len({finding.name for finding in found}) == len(found)
    return {finding.name: finding for finding in found}


def test_all_is_well(options: Options, phone: Phone) -> None:
    found = by_name(findings(options(picture="auto")))
    assert all(finding.ok for finding in found.values())
    assert "Simulated Phone, Android 14" in found["device"].detail
    assert "540x1170, on" in found["screen"].detail
    assert "fastest way, 540x1170 pixels in" in found["picture"].detail
    assert "ADBKeyboard is installed" in found["keyboard"].detail


def test_it_changes_nothing(options: Options, phone: Phone) -> None:
    phone.handset.sleep()
    found = by_name(findings(options()))
    assert not phone.handset.awake
    assert "off" in found["screen"].detail


def test_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with AdbServer.start() as server:
        port = server.port
    found = by_name(findings(AndroidOptions(adb_port=port)))
    assert [finding.name for finding in found.values() if not finding.ok] == ["adb server"]
    assert "start-server" in found["adb server"].fix


def test_without_a_device() -> None:
    with AdbServer.start() as server:
        found = by_name(findings(AndroidOptions(adb_port=server.port)))
    assert found["adb server"].ok
    assert not found["device"].ok
    assert "USB debugging" in found["device"].fix


def test_without_a_program(monkeypatch: pytest.MonkeyPatch, options: Options) -> None:
    chosen = options()
    monkeypatch.setenv("ADBUTILS_ADB_PATH", "/nonexistent/adb")
    found = by_name(findings(chosen))
    assert not found["adb"].ok
    assert "pip install adbutils" in found["adb"].fix


def test_a_screen_that_a_person_has_to_unlock(options: Options, phone: Phone) -> None:
    phone.handset.sleep()
    phone.handset.wake()
    found = by_name(findings(options(unlock=False)))
    assert not found["screen"].ok
    assert found["screen"].fix == "unlock the device by hand"
