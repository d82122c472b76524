"""The command line: help, exit codes, and one clear line for every error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from agent.cli import app
from agent.commands.common import guarded
from agent.commands.demo import read_seeds
from agent.doctor import examine
from agent.errors import ConfigError, RunError
from agent.recorder import Recorder
from envs.base import Finding
from tests.agent.scripted import FINISHED, play
from tests.patience import PATIENCE

PROGRAM = "from agent.cli import main; main()"


def guikv(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=cwd, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.getcwd(), **environment},
    )  # fmt: skip


def test_help_is_quick_and_imports_nothing_slow() -> None:
    code = "import sys\nsys.argv=['guikv','--help']\ntry:\n from agent.cli import main; main()\n"
    code += "except SystemExit: pass\nslow = {'torch', 'transformers', 'playwright'}\n"
    code += "print('slow:', sorted(slow & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert "slow: []" in done.stdout
    for command in ("run", "demo", "show", "replay-actions", "doctor"):
        assert command in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "browser", "--help"],
        ["demo", "--help"],
        ["show", "--help"],
        ["doctor", "--help"],
        ["run", "--help"],
        ["replay-actions", "--help"],
    ],
)
def test_every_command_has_help(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "Example:" in result.output or arguments[0] in ("doctor", "run")


RUN = ("run", "browser", "--task", "x", "--url", "http://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((*RUN, "--budget", "0"), 2, "budget '0' is not understood"),
        ((*RUN, "--budget", "300%"), 2, "at most 100%"),
        ((*RUN, "--policy", "gui_vk"), 2, "gui_kv"),
        ((*RUN, "--set", "cache.bugdet=1"), 2, "the nearest is 'cache.budget'"),
        ((*RUN, "--config", "/nowhere.yaml"), 2, "/nowhere.yaml cannot be read"),
        ((*RUN, "--model", "/nowhere/model"), 1, "/nowhere/model"),
        ((*RUN, "--approve", "sometimes"), 2, "'never', 'risky' or 'always'"),
        (("run", "browser"), 2, "--task"),
        (("show", "/nowhere"), 1, "holds no run"),
        (("demo", "--tasks", "juggle"), 2, "there is no task 'juggle'"),
        (("demo", "--seeds", "x"), 2, "is not a seed"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)  # fmt: skip
def test_errors_are_one_line_without_a_traceback(
    arguments: tuple[str, ...], code: int, message: str, tmp_path: Path
) -> None:
    done = guikv(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert message in " ".join((done.stderr + done.stdout).split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_variable_is_read_and_named(tmp_path: Path) -> None:
    done = guikv(*RUN, cwd=tmp_path, GUIKV_LIMITS__STEPS="many")
    assert done.returncode == 2
    assert "GUIKV_LIMITS__STEPS" in done.stderr


def test_debug_shows_where_errors_come_from(tmp_path: Path) -> None:
    done = guikv("--debug", "show", str(tmp_path))
    assert "Traceback" in done.stderr
    assert "RunError" in done.stderr


def test_show(tmp_path: Path) -> None:
    play([FINISHED], recorder=Recorder.create(tmp_path / "run", {"task": "x"}))
    with (tmp_path / "run" / "steps.jsonl").open("ab") as file:
        file.write(b'{"step": 2')
    done = guikv("show", str(tmp_path / "run"), "--out", str(tmp_path / "page.html"))
    assert done.returncode == 0
    assert done.stdout.strip() == str(tmp_path / "page.html")
    assert "warning:" in done.stderr
    assert "line 2: cut off" in done.stderr


def test_seeds() -> None:
    assert read_seeds("0-3,7,2") == [0, 1, 2, 3, 7]
    for text in ("", "-1", "5-1", "0-99999", "1e3", "9" * 50):
        with pytest.raises(typer.BadParameter):
            read_seeds(text)


@pytest.mark.parametrize(
    ("error", "code"), [(ConfigError("x", "do y"), 2), (RunError("x"), 1), (KeyboardInterrupt(), 130)]
)
def test_exit_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        guarded(fail, debug=False)
    assert ended.value.code == code
    assert capsys.readouterr().err.count("\n") == 1


def test_bugs_are_not_hidden() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        guarded(fail, debug=False)


def test_the_doctor_names_what_mends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = {check.name: check for check in examine(tmp_path)}
    assert {"python", "torch", "transformers", "playwright", "chromium", "fonts", "nano weights", "disk"} <= set(checks)
    assert all(check.fix for check in checks.values() if not check.ok)
    assert checks["python"] == Finding("python", True, ".".join(map(str, sys.version_info[:3])), checks["python"].fix)
    monkeypatch.setenv("GUIKV_CHROMIUM", "/nowhere/chrome")
    broken = {check.name: check for check in examine(tmp_path)}["chromium"]
    assert not broken.ok
    assert "apt-get install chromium" in broken.fix


def test_the_doctor_fails_without_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUIKV_CHROMIUM", "/nowhere/chrome")
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "missing  chromium" in result.output


def test_the_doctor_says_what_models_are_computed_with() -> None:
    result = CliRunner().invoke(app, ["doctor", "--device", "cpu", "--dtype", "bfloat16"])
    for name, detail in (("computed on", "in bfloat16"), ("vision", "one call"), ("threads", "wait"), ("decoding", "")):
        assert any(name in line and detail in line for line in result.output.splitlines()), result.output
    result = CliRunner().invoke(app, ["doctor", "--dtype", "int4"])
    assert result.exit_code == 1
    assert "unknown dtype 'int4'" in result.output
