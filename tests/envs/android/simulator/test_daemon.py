"""The daemon under the real adb: shells, files, pictures, ports, and going away."""

from __future__ import annotations

import io
import os
import random
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import adbutils
import pytest
from PIL import Image

from envs.android import peer
from envs.android.server import AdbServer
from envs.android.simulator import Phone
from envs.android.simulator.wire import MAX_PAYLOAD, VERSION, Command, Message
from tests.envs.android.simulator.conftest import Adb, running
from tests.patience import PATIENCE, until

FIVE_MB = 5 * 1024 * 1024


def test_adb_shows_the_device_with_its_names(adb: Adb) -> None:
    row = next(row for row in adb.plain("devices", "-l").stdout.decode().splitlines() if row.startswith(adb.serial))
    assert {"model:Simulated_Phone", "product:simulated_phone"} <= set(row.split())
    port = int(adb.serial.partition(":")[2])
    assert not 5555 <= port <= 5585, "adb looks for emulators there"


def test_shell_keeps_exit_status_and_the_two_outputs_apart(adb: Adb) -> None:
    done = adb("shell", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")
    assert adb("shell", "kill -9 $$").returncode == 137
    assert adb("shell", "nosuchcommand").returncode == 127


def test_shell_reads_what_it_is_sent(adb: Adb) -> None:
    data = os.urandom(300_000)
    assert adb("exec-in", "cat > received").returncode == 0
    assert adb("shell", "cat", stdin=data).stdout == data
    assert adb("shell", stdin=b"echo from a script\nexit 4\n").stdout == b"from a script\n"


def test_old_shell_service_mixes_the_outputs(adb: Adb) -> None:
    assert adb("shell", "-x", "echo out; echo err >&2; exit 7").stdout == b"out\nerr\n"


def test_exec_out_gives_bytes_as_they_are(adb: Adb, phone: Phone) -> None:
    data = bytes(range(256)) * 8000
    phone.resolve("/sdcard/bytes").write_bytes(data)
    assert adb("exec-out", "cat /sdcard/bytes").stdout == data


def test_what_a_shell_started_ends_with_it(adb: Adb) -> None:
    started = adb.start("shell", "echo ready; sleep 987123")
    try:
        assert started.stdout is not None
        assert started.stdout.read(6) == b"ready\n"
        assert running("sleep 987123")
    finally:
        started.kill()
        started.communicate()
    assert until(lambda: not running("sleep 987123"))


def test_many_streams_at_once_do_not_mix(adb: Adb, adb_server: AdbServer) -> None:
    device = adbutils.AdbClient("127.0.0.1", adb_server.port).device(adb.serial)

    def ask(number: int) -> bool:
        word = f"{number:05}" * 2000
        return device.shell(f"echo {word}; echo {word} >&2").split() == [word, word]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(60)))


def test_five_megabytes_come_and_go_exactly(adb: Adb, tmp_path: Path) -> None:
    data = random.Random(5).randbytes(FIVE_MB + 17)
    (tmp_path / "here").write_bytes(data)
    (tmp_path / "here").chmod(0o640)
    assert adb("push", str(tmp_path / "here"), "/sdcard/there").returncode == 0
    assert adb.shell("stat -c '%s %a' /sdcard/there").split() == [str(FIVE_MB + 17), "640"]
    assert adb("pull", "-a", "/sdcard/there", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back").read_bytes() == data
    assert int((tmp_path / "back").stat().st_mtime) == int((tmp_path / "here").stat().st_mtime)


def test_folders_come_and_go(adb: Adb, tmp_path: Path) -> None:
    for name in ("a/one.txt", "a/b/zwei ü.txt", "a/b/empty"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(name if "empty" not in name else "", encoding="utf-8")
    assert adb("push", str(tmp_path / "tree"), "/data/local/tmp/").returncode == 0
    assert sorted(adb.shell("ls /data/local/tmp/tree/a/b").splitlines()) == ["empty", "zwei ü.txt"]
    assert adb("pull", "/data/local/tmp/tree", str(tmp_path / "back")).returncode == 0
    found = {str(path.relative_to(tmp_path / "back")) for path in (tmp_path / "back").rglob("*") if path.is_file()}
    assert found == {"a/one.txt", "a/b/zwei ü.txt", "a/b/empty"}
    assert (tmp_path / "back/a/one.txt").read_text() == "a/one.txt"


def test_files_in_the_first_version_of_the_messages(adb: Adb, adb_server: AdbServer) -> None:
    sync = adbutils.AdbClient("127.0.0.1", adb_server.port).device(adb.serial).sync
    sync.push(b"x" * 100_000, "/sdcard/old/file")
    assert sync.stat("/sdcard/old/file").size == 100_000
    assert [entry.path for entry in sync.list("/sdcard/old")] == [".", "..", "file"]
    assert sync.read_bytes("/sdcard/old/file") == b"x" * 100_000
    assert sync.stat("/sdcard/none").mode == 0
    with pytest.raises(adbutils.AdbError, match="No such file"):
        sync.read_bytes("/sdcard/none")


def test_failures_of_files_are_told(adb: Adb, phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    assert b"No such file" in adb("pull", "/sdcard/none", str(tmp_path / "x")).stderr
    adb.shell("touch /sdcard/plain")
    failed = adb("push", str(tmp_path / "file"), "/sdcard/plain/below")
    assert failed.returncode == 1
    assert b"Not a directory" in failed.stderr
    (phone.home / "sdcard" / "folder").mkdir(exist_ok=True)
    sync = adbutils.AdbClient("127.0.0.1", adb.server.port).device(adb.serial).sync
    with pytest.raises(adbutils.AdbError, match="FAIL"):
        sync.push(b"1", "/sdcard/plain/below")
    with pytest.raises(adbutils.AdbError, match="Is a directory"):
        sync.read_bytes("/sdcard/folder")


def test_paths_cannot_leave_the_phone(phone: Phone) -> None:
    for path in ("/../../etc/passwd", "../../x", "/sdcard/../../../etc"):
        assert phone.resolve(path).is_relative_to(phone.home)


def test_framebuffer_and_screencap_show_the_same(adb: Adb, adb_server: AdbServer) -> None:
    device = adbutils.AdbClient("127.0.0.1", adb_server.port).device(adb.serial)
    png = Image.open(io.BytesIO(adb("exec-out", "screencap -p").stdout)).convert("RGB")
    assert png.size == (1080, 2340)
    assert len(png.getcolors(1 << 24) or ()) > 50, "the home screen has more than a few colours"
    assert device.framebuffer().convert("RGB").tobytes() == png.tobytes()
    raw = adb("exec-out", "screencap").stdout
    assert raw[:16] == b"".join(number.to_bytes(4, "little") for number in (1080, 2340, 1, 1))
    assert Image.frombytes("RGBA", png.size, raw[16:]).convert("RGB").tobytes() == png.tobytes()
    adb.shell("screencap /sdcard/shot.png")
    assert Image.open(io.BytesIO(adb("exec-out", "cat /sdcard/shot.png").stdout)).size == png.size


def test_framebuffer_can_be_refused(adb: Adb, phone: Phone, adb_server: AdbServer) -> None:
    phone.refuse_framebuffer = True
    with pytest.raises(adbutils.AdbError, match="closed"):
        adbutils.AdbClient("127.0.0.1", adb_server.port).device(adb.serial).framebuffer()


def test_unknown_services_are_closed(adb: Adb) -> None:
    done = adb("reboot")
    assert (done.returncode, b"closed" in done.stderr) == (1, True)
    assert adb.state() == "device"


class _Hello(BaseHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        data = b"hello " * 100_000
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def web() -> Iterator[int]:
    site = ThreadingHTTPServer(("127.0.0.1", 0), _Hello)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    yield site.server_port
    site.shutdown()
    site.server_close()


def _get(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE) as answer:
        return bytes(answer.read())


def test_forward_reaches_a_port_of_the_device(adb: Adb, web: int) -> None:
    port = int(adb("forward", "tcp:0", f"tcp:{web}").stdout)
    with ThreadPoolExecutor(4) as pool:
        assert all(body == b"hello " * 100_000 for body in pool.map(_get, [port] * 8))
    adb("forward", "tcp:0", "tcp:1")
    closed = int(adb("forward", "tcp:0", "tcp:1").stdout)
    with socket.create_connection(("127.0.0.1", closed), timeout=PATIENCE) as connection:
        assert connection.recv(10) == b""
    adb("forward", "--remove-all")


def test_reverse_reaches_a_port_of_the_computer(adb: Adb, web: int) -> None:
    port = int(adb("reverse", "tcp:0", f"tcp:{web}").stdout)
    assert adb("reverse", "--list").stdout.split()[1:] == [b"tcp:%d" % port, b"tcp:%d" % web]
    with ThreadPoolExecutor(4) as pool:
        assert all(body == b"hello " * 100_000 for body in pool.map(_get, [port] * 8))
    assert b"cannot rebind" in adb("reverse", "--no-rebind", f"tcp:{port}", "tcp:1").stderr
    assert adb("reverse", "--remove", f"tcp:{port}").returncode == 0
    assert b"not found" in adb("reverse", "--remove", f"tcp:{port}").stderr
    adb("reverse", "tcp:0", f"tcp:{web}")
    adb("reverse", "--remove-all")
    assert adb("reverse", "--list").stdout.strip() == b""


def test_a_dropped_device_comes_back_at_the_same_address(adb: Adb, phone: Phone) -> None:
    address = phone.address
    phone.drop()
    assert until(lambda: adb.state() != "device")
    assert adb("shell", "true").returncode == 1
    phone.reconnect()
    assert phone.address == address
    adb.plain("disconnect", address)
    assert adb.plain("connect", address).stdout.startswith(b"connected")
    assert adb.shell("echo back") == "back\n"


def test_a_stalled_device_answers_when_it_goes_on(adb: Adb, phone: Phone) -> None:
    phone.stalled = True
    asked = adb.start("shell", "echo late")
    with pytest.raises(subprocess.TimeoutExpired):
        asked.wait(0.5)
    phone.stalled = False
    assert asked.communicate(timeout=PATIENCE)[0] == b"late\n"


def test_a_drop_ends_what_runs(adb: Adb, phone: Phone) -> None:
    started = adb.start("shell", "echo ready; sleep 987124")
    assert started.stdout is not None
    assert started.stdout.read(6) == b"ready\n"
    phone.drop()
    started.communicate(timeout=PATIENCE)
    assert until(lambda: not running("sleep 987124"))


def test_an_unauthorized_computer_gets_nothing(adb: Adb, phone: Phone) -> None:
    phone.unauthorized = True
    adb.plain("disconnect", adb.serial)
    adb.plain("connect", adb.serial)
    assert until(lambda: adb.state() == "unauthorized")
    assert b"unauthorized" in adb("shell", "echo no").stderr
    adb.plain("disconnect", adb.serial)


def _answer(phone: Phone, data: bytes) -> bytes:
    """The first bytes of what the daemon answers; empty when it hangs up."""
    with socket.create_connection(("127.0.0.1", int(phone.address.partition(":")[2])), timeout=PATIENCE) as connection:
        try:
            connection.sendall(data)
            return connection.recv(10)
        except ConnectionError:
            return b""


def test_what_is_not_adb_is_hung_up_on(adb: Adb, phone: Phone) -> None:
    unknown = Message(Command.CNXN, 1, 2).encoded().replace(b"CNXN", b"CNXX")
    too_soon = Message(Command.OPEN, 1, 0, b"shell:touch /sdcard/broken\0").encoded()
    for junk in (b"GET / HTTP/1.1\r\nHost: phone\r\n\r\n", b"\0" * 24, os.urandom(64), unknown, too_soon):
        assert _answer(phone, junk) == b""
    assert not (phone.home / "sdcard" / "broken").exists()
    assert adb.shell("echo well") == "well\n"


def test_other_users_are_hung_up_on(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer.os, "getuid", lambda: 4242)
    greeting = Message(Command.CNXN, VERSION, MAX_PAYLOAD, b"host::").encoded()
    assert _answer(phone, greeting) == b""
    monkeypatch.undo()
    assert _answer(phone, greeting)[:4] == b"CNXN"


def test_device_commands_answer_inside_a_pipe(adb: Adb) -> None:
    assert adb.shell("wm size | sed 's/Physical size: //'") == "1080x2340\n"
