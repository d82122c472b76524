"""The private adb server: starting, being alone, and ending."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from envs.android import AdbServer
from envs.android.server import answers
from envs.base import SetupError
from envs.processes import alive
from tests.patience import PATIENCE


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
