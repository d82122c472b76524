"""Where the data lie: as given, else as the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigError
from eval.benchmarks.base import Source
from eval.benchmarks.errors import DataError
from eval.benchmarks.playground.benchmark import PLAYGROUND
from eval.benchmarks.source import make_source
from tests.eval.spots import SPOTS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "images").mkdir()
    for name in ("one.json", "a.png"):
        (tmp_path / "data" / name).write_text("[]")
    return tmp_path / "data"


def test_places_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = folder.parent / "images"
    monkeypatch.setenv("SPOTS_TEST", str(folder))
    monkeypatch.setenv("SPOTS_IMGS", str(images))
    assert make_source(SPOTS) == Source(folder, images)
    assert make_source(SPOTS, images=folder) == Source(folder, folder)
    assert make_source(SPOTS, path=folder / "one.json") == Source(folder / "one.json", images)
    monkeypatch.setenv("SPOTS_IMGS", " ")
    assert make_source(SPOTS) == Source(folder, None)
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("SPOTS_TEST", "~/data")
    assert make_source(SPOTS).path == folder


def test_nothing_says_where_the_data_are() -> None:
    with pytest.raises(ConfigError, match=r"spots needs .*--path FILE or FOLDER, or set SPOTS_TEST; guikv data list"):
        make_source(SPOTS, environment={})
    with pytest.raises(ConfigError, match=r"--path FILE or FOLDER; guikv data list"):
        make_source(PLAYGROUND, environment={"": "/"})


def test_places_that_are_not_there(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no \(--path\) is missing: the annotations of spots"):
        make_source(SPOTS, path=folder / "no")
    with pytest.raises(DataError, match=r"no \(SPOTS_TEST\) is missing"):
        make_source(SPOTS, environment={"SPOTS_TEST": str(folder / "no")})
    with pytest.raises(DataError, match=r"no \(--images\) is missing: the images of spots"):
        make_source(SPOTS, path=folder, images=folder / "no")
    with pytest.raises(DataError, match=r"a\.png \(SPOTS_IMGS\) is not a folder"):
        make_source(SPOTS, path=folder, environment={"SPOTS_IMGS": str(folder / "a.png")})


def test_options_and_splits(folder: Path) -> None:
    source = make_source(PLAYGROUND, folder, None, ["a, b", "b,,c"], ["level=low", " x = a=b "])
    assert source == Source(folder, None, ("a", "b", "c"), {"level": "low", "x": "a=b"})
    for option in ("level", "=low", ""):
        with pytest.raises(ConfigError, match="is not KEY=VALUE"):
            make_source(PLAYGROUND, folder, options=[option])
    with pytest.raises(ConfigError, match="level is given twice"):
        make_source(PLAYGROUND, folder, options=["level=low", "level=high"])
