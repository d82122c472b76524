"""The phone's beginning and end, its options, and the X server that its screen is on."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from envs.android.server import AdbServer
from envs.android.simulator import Phone, PhoneOptions
from envs.android.simulator import phone as phone_module
from envs.android.simulator import screen as screen_module
from envs.android.simulator.control import Output
from envs.android.simulator.home import Home
from envs.base import EnvError, EnvironmentDied, SetupError
from envs.processes import table, tree
from envs.xvfb import Xvfb
from tests.envs.android.simulator.conftest import Adb, running
from tests.patience import PATIENCE, until

SMALL = PhoneOptions(size=(400, 800), density=160, lock="none", adb_keyboard=False, name="Small")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where all temporary files go meanwhile; with a short path, as sockets want it."""
    folder = Path(tempfile.mkdtemp(prefix="gk"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder)


def descendants() -> set[int]:
    return tree([os.getpid()])


def test_closing_ends_every_process_and_deletes_every_file(adb_server: AdbServer, folder: Path) -> None:
    there, threads = descendants(), set(threading.enumerate())
    phone = Phone.start(SMALL)
    try:
        adb = Adb(adb_server, phone.address)
        adb.plain("connect", phone.address)
        clients = [adb.start("shell", "echo ready; sleep 987125"), adb.start("shell", "input swipe 1 1 300 300 60000")]
        assert clients[0].stdout is not None
        assert clients[0].stdout.read(6) == b"ready\n"
        # Some are cut off on their way.
        clients += [adb.start("shell", f"sleep 98712{number}") for number in range(6, 10)]
        started = descendants() - there - {client.pid for client in clients}
        assert len(started) > 5
    finally:
        phone.close()
        phone.close()
    for client in clients:
        client.communicate(timeout=PATIENCE)
    adb.plain("disconnect", phone.address)
    assert until(lambda: not started & {row.pid for row in table()})
    assert not list(folder.glob("guikv-*"))
    assert until(lambda: not running("sleep 98712"))
    assert until(lambda: set(threading.enumerate()) <= threads)
    with pytest.raises(EnvError, match="closed"):
        _ = phone.handset


def test_a_small_phone_of_another_density() -> None:
    with Phone.start(SMALL) as phone:
        output = Output()
        assert phone.handset.picture().size == (400, 800)
        assert phone.browser.evaluate("[innerWidth, innerHeight, devicePixelRatio]") == [400, 800, 1]
        phone.handset.sleep()
        phone.handset.wake()
        assert phone.handset.usable, "nothing guards the screen"
        for line in ("ime list -a -s", "getprop ro.product.model", "am start com.example.notes", "wm density 240"):
            assert phone.run(line.split(), output) == 0
        assert phone.browser.evaluate("devicePixelRatio") == 1.5
        assert phone.handset.foreground.label == "Notes"
        assert len(phone.handset.picture().getcolors(1 << 24) or ()) > 10, "the page is drawn"
        assert phone.run(["wm", "density"], output) == 0
        said = output.out.decode().splitlines()
        assert said[:2] == ["com.android.inputmethod.latin/.LatinIME", "Small"]
        assert said[-2:] == ["Physical density: 160", "Override density: 240"]
        assert phone.run(["nosuch"], output) == 127


def test_a_dead_x_server_is_told(adb_server: AdbServer, folder: Path) -> None:
    there = descendants()
    with Phone.start(SMALL) as phone:
        adb = Adb(adb_server, phone.address)
        adb.plain("connect", phone.address)
        pid = phone.handset.screen.x_screen.pid
        os.kill(pid, signal.SIGKILL)
        assert until(lambda: pid not in {row.pid for row in table()})
        for use in (phone.handset.screen.picture, phone.handset.home, lambda: phone.handset.tap((5, 5))):
            with pytest.raises(EnvironmentDied):
                use()
        for line in ("screencap -p", "input tap 5 5", "dumpsys window"):
            failed = adb("shell", line)
            assert failed.returncode == 1
            assert failed.stderr
        assert adb("shell", "echo still here").stdout == b"still here\n"
    adb.plain("disconnect", phone.address)
    assert not list(folder.glob("guikv-*"))
    assert until(lambda: not descendants() - there)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"size": (0, 800)}, "size is 100 to 4096"),
        ({"size": (9000, 800)}, "size is 100 to 4096"),
        ({"density": 3}, "density is 72 to 1000"),
        ({"lock": "pin", "pin": "abc"}, "pin is made of digits"),
    ],
)
def test_impossible_phones(options: dict[str, object], says: str) -> None:
    with pytest.raises(SetupError, match=says):
        PhoneOptions(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("module", "name"), [(phone_module, "Handset"), (screen_module, "Browser"), (phone_module, "Home")]
)
def test_a_phone_that_cannot_start_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, folder: Path, module: object, name: str
) -> None:
    there = descendants()

    class Broken:
        def __init__(self, *_: object) -> None:
            raise SetupError("broken for the test")

        launch = __init__

    monkeypatch.setattr(module, name, Broken)
    with pytest.raises(SetupError, match="broken for the test"):
        Phone.start(SMALL)
    assert not list(folder.iterdir())
    assert until(lambda: not descendants() - there)


def test_a_path_too_long_for_sockets_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = folder / ("x" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    monkeypatch.setattr(phone_module, "Handset", lambda *_: None)
    with pytest.raises(SetupError, match="cannot listen") as caught:
        Phone.start(SMALL)
    assert "TMPDIR" in caught.value.hint
    assert not list(deep.iterdir())


def test_commands_get_paths_of_the_phone() -> None:
    home = Home(["own"])
    try:
        assert {"own", "cat", "ls"} <= {path.name for path in Path(home.environment["PATH"]).iterdir()}
        assert home.resolve("/sdcard/a") == home.root / "sdcard/a"
        assert home.resolve("data/local/tmp") == home.root / "data/local/tmp"
    finally:
        home.close()
    assert not home.folder.exists()


def test_x_servers_do_not_get_in_each_others_way() -> None:
    with Xvfb((320, 200)) as one, Xvfb((300, 100)) as two:
        assert one.display != two.display
        assert one.alive
        os.kill(two.pid, signal.SIGKILL)
        assert until(lambda: not two.alive)
        two.close()
        two.close()
        with Xvfb((300, 100)) as three:
            assert three.display != one.display
            assert three.alive
        assert one.alive
    assert not one.alive


def test_an_x_server_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SetupError, match="ended at once"):
        Xvfb((0, 0))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SetupError, match="not installed") as caught:
        Xvfb()
    assert caught.value.hint == "sudo apt-get install xvfb"


def test_an_x_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "Xvfb"
    fake.write_text("#!/bin/sh\nexec sleep 987126\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("envs.xvfb.START_SECONDS", 0.3)
    with pytest.raises(SetupError, match="was not ready"):
        Xvfb()
    assert not any("sleep 987126" in row.command for row in table())
