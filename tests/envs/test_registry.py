"""Environments by name, a package that adds one, and packages that do it wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envs.base import Environment, EnvironmentDied, SetupError
from envs.registry import ENVIRONMENTS, MEMBERS, environment_names, environment_options, make_environment
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "data" / "sample_environment"

PLAY = """
import json, sys
import sample_counter
from envs.registry import environment_names, environment_options, make_environment
from tests.agent.scripted import click, play

made = []
for options, answers in (
    ({}, [click(180, 80)]),
    ({"start": 1, "goal": 5}, [click(1, 1), click(60, 80), click(60, 80)]),
):
    with make_environment("counter", **options) as counter:
        episode = play(answers, counter)
        made.append([episode.result.status, episode.result.steps, counter.context()["title"], episode.last_text])
json.dump({"file": sample_counter.__file__, "names": environment_names(), "made": made,
           "options": environment_options("counter")}, sys.stdout)
"""


def test_an_installed_package_adds_an_environment_that_the_loop_drives(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    # Building leaves files beside the sources.
    shutil.copytree(SAMPLE, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    offline = ["--no-build-isolation", "--no-index", "--target", str(target), str(source)]
    subprocess.run([*pip, *offline], check=True, timeout=PATIENCE)
    path = os.pathsep.join((str(target), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", PLAY],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    said = json.loads(done.stdout)
    assert Path(said["file"]).parent == target
    assert said["names"] == [*environment_names(), "counter"]
    assert said["options"] == ["start", "goal"]
    solved, lost = said["made"]
    assert solved[:3] == ["success", 3, "Counter at 3"]
    assert lost[:3] == ["failure", 3, "Counter at -1"]
    assert "click failed: there is nothing to press" in lost[3]


Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a package with one entry point on the path, as pip would."""

    def put(package: str, entry: str, **modules: str) -> None:
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[guikv.environments]\n{entry}\n")
        for name, source in modules.items():
            (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)

    return put


def refused(name: str, **options: object) -> str:
    with pytest.raises(SetupError) as caught:
        make_environment(name, **options)
    return str(caught.value)


def test_a_package_cannot_take_a_name_of_ours(install: Install) -> None:
    install("thief", "browser = thief:make", thief="raise RuntimeError('loaded')")
    assert environment_names() == tuple(ENVIRONMENTS)
    assert "viewprot" in refused("browser", viewprot=(1, 1))


def test_two_packages_with_one_name_are_told_apart(install: Install) -> None:
    install("one", "same = one:make")
    install("two", "same = two:make")
    said = refused("same")
    assert "the package one" in said
    assert "the package two" in said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module_at_all", "cannot be loaded from bad_module:make: ModuleNotFoundError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def make(:", "SyntaxError"),
        ("other = 1", "AttributeError"),
        ("make = 7", "cannot be called"),
        ("def make(): return 7", "is no environment, it lacks name, capabilities"),
        ("def make(): raise KeyError('x')", "could not be started: KeyError: 'x'"),
        ("def make(*, path): return path", "missing 1 required keyword-only argument"),
    ],
)
def test_what_is_wrong_with_a_package_is_told_with_its_name(install: Install, source: str, said: str) -> None:
    install("bad-package", "bad = bad_module:make", bad_module=source)
    sys.modules.pop("bad_module", None)
    message = refused("bad")
    assert said in message
    assert "the package bad-package" in message


HALF = """
closed = []
class Half:
    name = "half"
    capabilities = frozenset({CAPABLE})
    def close(self): closed.append(self)
    def __enter__(self): return self
    def __exit__(self, *exc): self.close()
    screenshot = execute = context = describe_target = verdict = MORE
def make(): return Half()
"""


@pytest.mark.parametrize(
    ("capable", "more", "said"),
    [
        ("'click'", "close", "it lacks settle"),
        ("'click', 'jump'", "settle = close", "names actions that there are not: 'jump'"),
    ],
)
def test_what_is_no_environment_is_refused_and_closed(install: Install, capable: str, more: str, said: str) -> None:
    install("halves", "half = half_module:make", half_module=HALF.replace("CAPABLE", capable).replace("MORE", more))
    sys.modules.pop("half_module", None)
    assert said in refused("half")
    assert len(sys.modules["half_module"].closed) == 1


def test_unknown_names_and_options_are_told_with_the_known_ones() -> None:
    assert "did you mean 'browser'?" in refused("brwoser")
    assert "there are browser, " in refused("nothing-like-it")
    assert "its options are seed, task" in refused("playground", sed=3)
    assert "viewport, wheel_pixels" in refused("browser", viewprot=(9, 9))
    assert "browser: viewport: Input should be a valid tuple" in refused("browser", viewport="wide")
    assert "there is no playground task 'nothing'" in refused("playground", task="nothing")


def test_options_from_a_command_line_reach_the_browser() -> None:
    with make_environment("browser", viewport=[320, 200], headless="true") as browser:
        assert isinstance(browser, Environment)
        assert browser.screenshot().image.size == (320, 200)


def test_a_sandbox_and_its_program_are_started_and_ended() -> None:
    made = make_environment("desktop", sandbox="400x300", command="xterm -title 'two words'", on_user_input="ignore")
    with made as desktop:
        assert desktop.screenshot().image.size == (400, 300)
        assert desktop.context()["title"] == "two words"
    with pytest.raises(EnvironmentDied):
        desktop.screenshot()
    assert "ended at once" in refused("desktop", sandbox=[400, 300], command=["false"])
    assert "desktop: sandbox" in refused("desktop", sandbox="large")
    assert "give sandbox=" in refused("desktop", command="xterm")
    assert "command, display, monitor" in refused("desktop", sandbx="400x300")


@pytest.mark.parametrize("name", list(ENVIRONMENTS))
def test_every_name_of_ours_leads_to_a_factory(name: str) -> None:
    options = environment_options(name)
    assert options is None or all(option.isidentifier() for option in options)
    assert refused(name, no_such_option=1).startswith(f"{name} has no option 'no_such_option'")


def test_the_members_looked_for_are_those_of_the_contract() -> None:
    contract = {name for name in vars(Environment) if not name.startswith("_")} | {"__enter__", "__exit__"}
    assert set(MEMBERS) == contract
