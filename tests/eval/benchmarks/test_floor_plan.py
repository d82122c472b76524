"""Who knows one benchmark knows all: the same files, and the same functions in them."""

from __future__ import annotations

import importlib
from pathlib import Path

import eval.benchmarks
from eval.benchmarks import BENCHMARKS

HERE = Path(eval.benchmarks.__file__).parent
FILES = {
    "benchmark": (),
    "data": ("trajectories",),
    "records": (),
    "gold": ("oracle",),
    "official": ("official",),
    "release": ("release",),
}
"""File → functions that it has."""
LACKS = {
    "aitz": {"release"},  # the release has no such evaluation
    "playground": {"release"},
    "webvoyager": {"official", "release"},  # its authors judge whole live episodes
}
MORE = {
    "agentnetbench": {"evaluator"},  # the authors' rule is a class of its own, which the release uses too
    "androidcontrol": {"episodes", "processed", "tfrecord", "rules"},  # three forms of data, and four rules
    "mind2web": {"blocks", "parquet_files"},  # two forms of data
}
OTHER_NAMES = {"screenspot.data": {"v2_trajectories", "pro_trajectories"}}
FOLDERS = sorted(path.name for path in HERE.iterdir() if (path / "__init__.py").is_file())


def test_every_folder_has_the_same_files() -> None:
    assert len(FOLDERS) == 7
    for folder in FOLDERS:
        files = {path.stem for path in (HERE / folder).glob("*.py")} - {"__init__"}
        expected = set(FILES) - LACKS.get(folder, set()) | MORE.get(folder, set())
        assert files == expected, folder


def test_the_same_thing_has_the_same_name() -> None:
    for folder in FOLDERS:
        for file in set(FILES) - LACKS.get(folder, set()):
            module = importlib.import_module(f"eval.benchmarks.{folder}.{file}")
            for name in OTHER_NAMES.get(f"{folder}.{file}", FILES[file]):
                assert callable(getattr(module, name, None)), f"{folder}/{file}.py has no {name}"


def test_every_benchmark_lives_in_one_of_the_folders() -> None:
    homes = {type(benchmark).__module__ for benchmark in BENCHMARKS.values()}
    assert homes == {f"eval.benchmarks.{folder}.benchmark" for folder in FOLDERS}
