"""The worker thread, the process table, and small parts."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from envs import processes
from envs.browser.errors import first_line, net_reason
from envs.browser.events import Log
from envs.browser.worker import Worker
from envs.folder_server import FolderServer
from tests.patience import PATIENCE


async def value(result: int, seconds: float = 0.0) -> int:
    await asyncio.sleep(seconds)
    return result


def test_a_worker_runs_coroutines_with_a_limit() -> None:
    worker = Worker("test")
    assert worker.run(value(3), PATIENCE) == 3
    with pytest.raises(TimeoutError):
        worker.run(value(3, PATIENCE), 0.1)
    with pytest.raises(ZeroDivisionError):
        worker.run(fail(), PATIENCE)
    worker.stop()
    worker.stop()
    with pytest.raises(RuntimeError, match="stopped"):
        worker.run(value(3), PATIENCE)


async def fail() -> None:
    raise ZeroDivisionError


def test_a_worker_inside_a_running_loop() -> None:
    worker = Worker("test")

    async def outside() -> int:
        return worker.run(value(4), PATIENCE)

    assert asyncio.run(outside()) == 4
    worker.stop()


def test_stopping_ends_what_runs() -> None:
    worker = Worker("test")
    errors: list[BaseException] = []
    begun = threading.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.sleep(PATIENCE)

    def wait() -> None:
        try:
            worker.run(endless(), PATIENCE)
        except (asyncio.CancelledError, CancelledError) as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert begun.wait(PATIENCE)
    worker.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert len(errors) == 1


def test_a_tree_of_processes_is_found_and_ended() -> None:
    sleep = "import time; time.sleep(60)"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{sleep}']); print(1, flush=True); {sleep}"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    parent.stdout.readline()
    pids = processes.tree([parent.pid])
    assert len(pids) == 2
    assert processes.alive(pids)
    assert processes.end(pids) == set()
    parent.wait(PATIENCE)
    assert not processes.alive(pids)
    assert processes.tree([parent.pid]) == set()


def test_this_process_is_never_in_the_tree() -> None:
    assert os.getpid() not in processes.tree([os.getpid()])


def test_the_log_is_bounded_and_emptied() -> None:
    log = Log()
    for number in range(1000):
        log.add("dialog", number=number)
    taken = log.take()
    assert len(taken) == 200
    assert taken[-1].detail == {"number": 999}
    assert log.take() == ()


def test_errors_in_words() -> None:
    assert first_line(ValueError("Page.goto: it broke\nCall log:\n - x")) == "it broke"
    assert first_line(ValueError("")) == "ValueError"
    assert "refused" in net_reason(ValueError("net::ERR_CONNECTION_REFUSED at http://x"))
    assert "ERR_STRANGE" in net_reason(ValueError("net::ERR_STRANGE"))


def test_a_folder_is_served_on_this_computer_only(tmp_path: Path) -> None:
    import http.client

    (tmp_path / "a.txt").write_text("hello")
    with FolderServer(tmp_path) as server:
        assert server.host.startswith("127.0.0.1:")
        connection = http.client.HTTPConnection(server.host, timeout=PATIENCE)
        connection.request("GET", "/a.txt")
        assert connection.getresponse().read() == b"hello"
        connection.request("GET", "/../../etc/passwd")
        assert connection.getresponse().status == 404
        connection.close()
