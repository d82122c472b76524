"""One sandbox for most tests, and windows that write down what they are given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from envs import processes
from envs.desktop import Desktop, DesktopOptions, Sandbox, SandboxOptions
from tests.leftovers import running
from tests.patience import until

SIZE = (1280, 800)


@pytest.fixture
def before() -> set[int]:
    """What ran below this process before the test."""
    return running()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox.start(SandboxOptions(size=SIZE, cwd=tmp_path_factory.mktemp("work"))) as started:
        yield started


@pytest.fixture(scope="module")
def desktop(sandbox: Sandbox) -> Iterator[Desktop]:
    with Desktop.launch(DesktopOptions(display=sandbox.display, stable_seconds=20.0, reply_seconds=60.0)) as started:
        started.screenshot()
        yield started


@pytest.fixture
def editor(sandbox: Sandbox, desktop: Desktop, tmp_path: Path) -> Iterator[Path]:
    """A file that is open in an editor (GTK); gone with the test."""
    file = tmp_path / "note.txt"
    file.write_text("")
    process = sandbox.run(["l3afpad", str(file)])
    sandbox.wait_window("note.txt")
    assert until(lambda: "note.txt" in desktop.context()["title"])
    desktop.screenshot()
    yield file
    processes.end(processes.tree([process.pid]))
    process.wait()
