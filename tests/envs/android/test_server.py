"""The private adb server: starting, being alone, and ending."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from envs.android import AdbServer
from envs.android.server import answers
from envs.android.simulator import Phone
from envs.base import SetupError
from envs.processes import alive
from tests.patience import PATIENCE, until


def test_it_answers_on_loopback_only_and_ends_with_its_files() -> None:
    with AdbServer.start() as server:
        pid, home = server.pid, Path(server.environment["HOME"])
        assert pid is not None
        assert answers(server.port)
        # A name that stands for another address of this computer.
        assert not answers(server.port, "127.0.0.2", seconds=0.5)
        assert home.is_dir()
        assert os.getpgid(pid) == pid
    assert not alive([pid])
    assert not home.exists()
    assert not answers(server.port)
    server.close()


def test_two_of_them_share_nothing() -> None:
    with AdbServer.start() as one, AdbServer.start() as two:
        assert one.port != two.port
        for server in (one, two):
            done = subprocess.run(
                [server.program, "devices"],
                env=server.environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=True,
            )
            assert done.stdout.split() == ["List", "of", "devices", "attached"]
            assert "daemon" not in done.stderr


def test_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADBUTILS_ADB_PATH", "/nonexistent/adb")
    with pytest.raises(SetupError, match="no program") as raised:
        AdbServer.start()
    assert "pip install adbutils" in raised.value.hint


def test_a_program_that_ends_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "adb"
    program.write_text("#!/bin/sh\necho broken for the test >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("ADBUTILS_ADB_PATH", str(program))
    with pytest.raises(SetupError, match="broken for the test"):
        AdbServer.start()


_NOBODY = 65534
_ASK = """
import os, socket, sys
path, port, user, leave, words = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "leave", sys.argv[5:]
os.setgroups([]), os.setgid(user), os.setuid(user)
for _ in range(20):
    with socket.socket(socket.AF_UNIX if path else socket.AF_INET) as link:
        try:
            link.connect(path or ("127.0.0.1", port))
            for word in words:
                link.sendall(b"%04x%s" % (len(word), word.encode()))
                print("" if leave else link.recv(4).decode())
            while not leave and (data := link.recv(4096)):
                print(data.decode())
        except (ConnectionError, PermissionError) as error:
            print("" if isinstance(error, ConnectionError) else "PermissionError")
"""
"""Asks an adb server for services, and prints what it says, or leaves at once."""


def _ask(user: int, place: int | Path, *words: str, leave: bool = False) -> set[str]:
    """Lines that a process of that user gets from twenty connections to a port or a socket."""
    path, port = (str(place), 0) if isinstance(place, Path) else ("", place)
    command = [sys.executable, "-c", _ASK, path, str(port), str(user), "leave" if leave else "stay", *words]
    return set(
        subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout.split("\n")
    ) - {""}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_other_users_are_hung_up_on(server: AdbServer, phone: Phone) -> None:
    subprocess.run([server.program, "connect", phone.address], env=server.environment, capture_output=True, check=True)
    device = f"host:transport:{phone.address}"
    own = _ask(0, server.port, device, "shell:id")
    assert len(own) == 2
    assert any(line.startswith("uid=") for line in own)
    mark = phone.home / "sdcard" / "mark"
    for words in (("host:version",), ("host:devices",), (device, "shell:id"), (device, f"shell:touch {mark}")):
        assert _ask(_NOBODY, server.port, *words) == set()
        # The kernel gives a connection that its owner has closed already to root.
        assert _ask(_NOBODY, server.port, *words, leave=True) == set()
    assert _ask(_NOBODY, server.socket, "host:version") == {"PermissionError"}
    assert _ask(_NOBODY, int(phone.address.partition(":")[2]), "anything") == set()
    # The owner's come after all of these.
    assert _ask(0, server.port, device, "shell:id") == own
    assert not mark.exists()
    assert _ask(0, server.port, device, f"shell:touch {mark}") == {"OKAY"}
    assert mark.exists()


def test_it_is_gone_for_all_when_its_process_is(server: AdbServer) -> None:
    with AdbServer.start() as own, socket.create_connection(("127.0.0.1", own.port)) as waiting:
        subprocess.run([own.program, "kill-server"], env=own.environment, capture_output=True, check=True)
        waiting.settimeout(PATIENCE)
        assert waiting.recv(1) == b""
        pid = own.pid
        assert pid is not None
        # Not by its port, which another program may have by now.
        assert until(lambda: not alive([pid]))
    assert answers(server.port)


def test_a_folder_with_too_long_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pytest.raises(SetupError, match="too long a path") as raised:
        AdbServer.start()
    assert "TMPDIR" in raised.value.hint
    assert not any(deep.iterdir())
