"""Dialects by name, one that a package from outside adds, and packages that do it wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.config import PromptConfig
from agent.dialects import DIALECTS, Family, Options, dialect_names, find_family, make_dialect
from agent.errors import ConfigError, ParseError
from envs.actions import Click, Type
from envs.geometry import Resize, Size
from eval.benchmarks.base import Source
from eval.benchmarks.playground.benchmark import PLAYGROUND
from eval.replay.offline_dialect import as_set, speaker
from eval.replay.play import play
from eval.replay.settings import ReplaySettings

EPISODES = Path(__file__).parents[2] / "data" / "nano_episodes"
SAME = Resize(Size(1000, 700), Size(1000, 700))
ENTRIES = """[guikv.dialects]
toy = tests.agent.dialects.toy:FAMILY
broken = tests.agent.dialects.toy:BROKEN
missing = tests.agent.dialects.toy:NOTHING
ui_tars = tests.agent.dialects.toy:FAMILY
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pip leaves of an installed package that adds dialects."""
    info = tmp_path / "toy_dialect-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-dialect\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])


@pytest.mark.usefixtures("package")
def test_a_package_adds_a_dialect_that_a_replay_speaks() -> None:
    assert dialect_names() == (*DIALECTS, "broken", "missing", "toy")
    dialect = make_dialect("toy", Options(kind="mobile", language="French"), {"polite": True})
    assert dialect.parse("DO click 10 20", SAME).actions == (Click(x=10, y=20),)
    assert dialect.parse("DO type milk\n", SAME).actions == (Type(text="milk"),)
    for refused in ("click 10 20", "DO", "DO explode", "DO click 5000 20", "DO click 1", "x" * 70_000):
        with pytest.raises(ParseError):
            dialect.parse(refused, SAME)
    settings = ReplaySettings(benchmark="playground", path=EPISODES, model="oracle", dialect="toy")
    rows = [row for t in PLAYGROUND.trajectories(Source(EPISODES)) for row in play(settings, PLAYGROUND, t, None)]
    right = [row for row in rows if row.scores["official"] == 1.0]
    assert len(rows) == 35
    assert len(right) > 15
    assert {text[:3] for row in right for text in row.texts} == {"DO "}


@pytest.mark.usefixtures("package")
def test_packages_that_do_it_wrong_are_errors() -> None:
    assert find_family("ui_tars") is DIALECTS["ui_tars"], "no package takes the project's own names"
    with pytest.raises(ConfigError, match=r"'broken' .*is no agent.dialects.Family"):
        find_family("broken")
    with pytest.raises(ConfigError, match=r"'missing' .*cannot be loaded"):
        find_family("missing")


def test_names_and_options_that_there_are_not() -> None:
    with pytest.raises(ConfigError, match=r"prompt.dialect: there is no dialect 'toy'.*ui_tars, opencua"):
        make_dialect("toy", setting="prompt.dialect")
    with pytest.raises(ConfigError, match=r"the dialect ui_tars has no option 'level' .it has none"):
        make_dialect("ui_tars", own={"level": "L1"})
    with pytest.raises(ConfigError, match=r"the dialect qwen3 has no option 'foo' .it has scale"):
        as_set("qwen3", PromptConfig(options={"foo": 1}), PLAYGROUND)


@pytest.mark.parametrize("name", DIALECTS)
def test_every_family_is_made_alike(name: str) -> None:
    family = find_family(name)
    assert isinstance(family, Family)
    assert family("grounding") == make_dialect(name, Options(kind="grounding"))
    assert family().name == name == speaker(name, language="French", layout="owners").dialect.name
    assert family.eyes.size["shortest_edge"] < family.eyes.size["longest_edge"]
