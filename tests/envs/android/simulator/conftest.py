"""One simulated phone and one adb server for most tests; the phone is set back before each."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from envs.android.server import AdbServer
from envs.android.simulator import Phone
from envs.android.simulator.control import Output
from envs.processes import table
from tests.patience import PATIENCE


@dataclass(frozen=True)
class Adb:
    """The real adb, for one device."""

    server: AdbServer
    serial: str

    def __call__(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return self.plain("-s", self.serial, *arguments, stdin=stdin)

    def plain(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [self.server.program, *arguments]
        return subprocess.run(
            command, env=self.server.environment, input=stdin, capture_output=True, timeout=PATIENCE, check=False
        )

    def shell(self, line: str) -> str:
        """What the line says on the device; it must succeed."""
        done = self("shell", line)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [self.server.program, "-s", self.serial, *arguments]
        return subprocess.Popen(
            command, env=self.server.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0
        )

    def state(self) -> str:
        """As `adb devices` shows it; empty where it does not."""
        rows = [row.split("\t") for row in self.plain("devices").stdout.decode().splitlines()[1:]]
        return next((row[1] for row in rows if row[0] == self.serial), "")


@pytest.fixture(scope="session")
def adb_server() -> Iterator[AdbServer]:
    with AdbServer.start() as server:
        yield server


@pytest.fixture(scope="session")
def shared_phone() -> Iterator[Phone]:
    with Phone.start() as phone:
        yield phone


@pytest.fixture
def phone(shared_phone: Phone) -> Phone:
    """Switched on, upright, unlocked, at its home screen, with empty notes."""
    shared_phone.handset.reset()
    shared_phone.refuse_framebuffer = shared_phone.unauthorized = shared_phone.stalled = False
    shared_phone.reconnect()
    return shared_phone


@pytest.fixture
def adb(phone: Phone, adb_server: AdbServer) -> Adb:
    adb = Adb(adb_server, phone.address)
    if adb.state() != "device":
        adb.plain("disconnect", phone.address)
        assert b"connected" in adb.plain("connect", phone.address).stdout
    return adb


@pytest.fixture
def tell(phone: Phone) -> Callable[[str], tuple[int, str, str]]:
    """Do a command of the phone without adb; its exit status, stdout and stderr."""

    def run(line: str) -> tuple[int, str, str]:
        output = Output()
        status = phone.run(line.split(), output)
        return status, output.out.decode(), output.err.decode()

    return run


@pytest.fixture
def show(phone: Phone) -> Callable[[str], None]:
    """Put HTML into the phone's browser."""

    def put(html: str) -> None:
        async def write(page: Any) -> None:
            await page.goto("about:blank")
            await page.set_content(f'<!DOCTYPE html><meta name="viewport" content="width=device-width">{html}')
            # Touches of an area are only known once it has been drawn.
            await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

        phone.browser.with_tab(write, 60)

    return put


def running(mark: str) -> list[int]:
    """Ids of the processes whose command line holds `mark`."""
    return [row.pid for row in table() if mark in row.command]
