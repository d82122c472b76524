"""`guikv run` and `guikv doctor` on a desktop, on a device and in another package's environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from typer.testing import CliRunner

from agent.cli import app
from agent.commands.common import guarded
from agent.runs import load_run
from envs.android import AdbServer
from envs.android.simulator import Phone, PhoneOptions
from guikv.models.random_weights import random_model
from tests.leftovers import running, since


@pytest.fixture(autouse=True)
def small_model(monkeypatch: pytest.MonkeyPatch) -> None:
    made = random_model()
    made.name = "random"
    monkeypatch.setattr("agent.assemble.load_adapter", lambda config: made)


@pytest.fixture(scope="module")
def device() -> Iterator[SimpleNamespace]:
    with Phone.start(PhoneOptions(size=(280, 280), density=160)) as phone, AdbServer.start() as server:
        yield SimpleNamespace(phone=phone, options=["--serial", phone.address], port=server.port)


def run(*arguments: str, folder: Path) -> tuple[int, str]:
    common = ["--task", "x", "--max-steps", "1", "--set", "model.max_new_tokens=2", "--out", str(folder)]
    done = CliRunner().invoke(app, ["run", *arguments, *common])
    return done.exit_code, done.output


def test_a_sandbox_with_a_program(tmp_path: Path) -> None:
    before = running()
    note = tmp_path / "note.txt"
    note.write_text("hello")
    arguments = ["desktop", "--sandbox", "400x300", "--exec", f"l3afpad '{note}'", "--watch", "--window", "note.txt"]
    code, said = run(*arguments, folder=tmp_path / "out")
    assert code == 1, said
    assert "watch: a VNC viewer at 127.0.0.1:" in said
    loaded = load_run(tmp_path / "out")
    assert loaded.header["environment"] == "desktop"
    assert "note.txt" in loaded.steps[0]["context"]["title"]
    with Image.open(tmp_path / "out" / loaded.steps[0]["frame_file"]) as frame:
        assert frame.size[0] <= 400
        assert frame.size[1] < 300
    assert not since(before)


def test_a_device(device: SimpleNamespace, tmp_path: Path) -> None:
    code, said = run("android", *device.options, "--adb-port", str(device.port), folder=tmp_path / "out")
    assert code == 1, said
    loaded = load_run(tmp_path / "out")
    assert loaded.header["environment"] == "android"
    assert loaded.steps[0]["viewport"]["screenshot"] == [280, 280]


def test_any_environment_by_its_name(tmp_path: Path) -> None:
    code, said = run("other", "playground", "--option", "task=form", "--option", "seed=3", folder=tmp_path / "out")
    assert code == 1, said
    assert load_run(tmp_path / "out").header["environment"] == "playground"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["desktop", "--sandbox", "wide"], 2, "desktop.sandbox"),
        (["desktop", "--exec", "mousepad"], 2, "belong to a sandbox"),
        (["desktop", "--region", "1,2,3"], 2, "desktop.region"),
        (["desktop", "--stop-key", "any key"], 2, "there is no key"),
        (["desktop"], 1, "$DISPLAY is not set"),
        (["desktop", "--sandbox", "400x300", "--exec", "no-such-program"], 1, "does not start"),
        (["android", "--serial", "127.0.0.1:1", "--adb-port", "1"], 1, "no adb server"),
        (["other", "nowhere"], 2, "there is no environment 'nowhere'"),
        (["other", "playground", "--option", "colour=red"], 1, "no option 'colour'"),
        (["other", "playground", "--option", "seed"], 2, "expected key=value"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_said_at_once(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "argv", ["guikv", "run", *arguments, "--task", "x", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        guarded(app)
    said = capsys.readouterr()
    assert ended.value.code == code, said.err
    assert message in " ".join((said.err + said.out).split())
    assert "Traceback" not in said.err
    assert not (tmp_path / "out").exists()


def test_doctors(device: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(device.port))
    found = CliRunner().invoke(app, ["doctor", "android", *device.options])
    assert found.exit_code == 0, found.output
    assert "280x280" in found.output
    assert "framebuffer is the fastest way" in found.output
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    desktop = CliRunner().invoke(app, ["doctor", "desktop"])
    assert "use --sandbox 1280x800" in desktop.output
    assert "ok       openbox" in desktop.output
