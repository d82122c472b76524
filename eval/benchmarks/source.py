"""From what a user says on the command line to where the data lie, and which of them are wanted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from agent.errors import ConfigError
from eval.benchmarks.base import Benchmark, Source
from eval.benchmarks.errors import DataError
from eval.options import listed


def make_source(
    benchmark: Benchmark,
    path: Path | None = None,
    images: Path | None = None,
    splits: Iterable[str] = (),
    options: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Source:
    """Where the data lie: as given, else as the benchmark's environment variables say.

    path, images: what --path and --images name; splits: names, also several in one with commas between
    options: each `key=value`; which keys there are is for the benchmark to check
    environment: os.environ, when None

    Raises ConfigError when nothing says where the annotations are or an option is not KEY=VALUE, and DataError when
    they or the folder of the images are not there.
    """
    variables = benchmark.environment_variables
    environment = os.environ if environment is None else environment
    path, path_from = _place(path, "--path", variables[0], environment)
    if path is None:
        or_set = f", or set {variables[0]}" if variables[0] else ""
        raise ConfigError(
            f"{benchmark.name} needs to know where its annotations are",
            f"give --path FILE or FOLDER{or_set}; guikv data list tells what belongs there",
        )
    if not path.exists():
        raise DataError(f"{path} ({path_from}) is missing: the annotations of {benchmark.name} should be there")
    images, images_from = _place(images, "--images", variables[1], environment)
    if images is not None and not images.is_dir():
        state = "is not a folder" if images.exists() else "is missing"
        raise DataError(f"{images} ({images_from}) {state}: the images of {benchmark.name} should be in it")
    return Source(path, images, read_splits(splits), read_options(options))


def read_options(options: Iterable[str]) -> dict[str, str]:
    """`key=value` texts by key. Raises ConfigError for anything else, and for a key that is given twice."""
    read: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        key = key.strip()
        if not equals or not key:
            raise ConfigError(f"--option {option!r} is not KEY=VALUE", "for example --option level=low")
        if key in read:
            raise ConfigError(f"--option {key} is given twice")
        read[key] = value.strip()
    return read


def read_splits(splits: Iterable[str]) -> tuple[str, ...]:
    """Names of splits, each once, in order; `a,b` counts as two."""
    return listed(",".join(splits))


def chosen_options(benchmark: str, source: Source, known: Mapping[str, Sequence[str]] | None = None) -> dict[str, str]:
    """The value of every option there is; the first of its values where it was not given.

    known: option → values. Raises ConfigError for other options and values.
    """
    known = known or {}
    for name, value in source.options.items():
        if name not in known:
            there = f"it has {', '.join(known)}" if known else "it has none"
            raise ConfigError(f"{benchmark} has no option {name!r}", there)
        if value not in known[name]:
            raise ConfigError(f"{benchmark}: {name} cannot be {value!r}", f"it is {' or '.join(known[name])}")
    return {name: source.options.get(name, values[0]) for name, values in known.items()}


def check_splits(chosen: Sequence[str], known: Sequence[str], what: str = "split") -> None:
    """Raises ConfigError for a chosen split that there is not."""
    wrong = next((split for split in chosen if split not in known), None)
    if wrong is not None:
        raise ConfigError(f"there is no {what} {wrong!r}", f"there are {', '.join(known)}" if known else "it has none")


def _place(given: Path | None, option: str, variable: str, environment: Mapping[str, str]) -> tuple[Path | None, str]:
    """The place, and who named it."""
    if given is not None:
        return given.expanduser(), option
    named = environment.get(variable, "").strip() if variable else ""
    return (Path(named).expanduser(), variable) if named else (None, "")
