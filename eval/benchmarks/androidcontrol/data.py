"""The three forms of AndroidControl, told apart by what lies at the path, and the splits that lie beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import RootModel

from eval.benchmarks.androidcontrol import processed
from eval.benchmarks.androidcontrol.records import Entry
from eval.benchmarks.base import Source, Trajectory
from eval.benchmarks.errors import DataError
from eval.benchmarks.reading import check, read_json
from eval.benchmarks.source import chosen_options

LEVELS = ("high", "low")
SUBSPLITS = ("IDD", "app_unseen", "task_unseen", "category_unseen")
SPLIT_FILES = ("android_control_test_subsplits.json", "test_subsplits.json", "splits.json")
"""As OS-Atlas and UI-S1 name the sub-splits of the test, and as the dataset's bucket names these and all splits."""
_PUBLISHED = "android_control"
_GZIP = b"\x1f\x8b"
_TEXT = (".json", ".jsonl", ".txt", ".md")


def trajectories(source: Source) -> Iterator[Trajectory]:
    """All trajectories of the wanted splits, in the order of the files. Raises DataError; ConfigError for options."""
    low = chosen_options("androidcontrol", source, {"level": LEVELS})["level"] == "low"
    folder = source.path if source.path.is_dir() else source.path.parent
    splits = read_splits(folder, source.splits)
    seen: set[str] = set()
    for entry in _entries(source, folder, low):
        name = splits.name(entry.episode)
        if name is None:
            continue
        with source.skipping_bad():
            trajectory = entry.make()
            if trajectory.id in seen:
                raise DataError(f"{trajectory.where}: {trajectory.id} is there twice")
            seen.add(trajectory.id)
            facts = {"episode": not entry.single, "splits": list(splits.of(entry.episode))}
            steps = tuple(replace(step, facts=facts) for step in trajectory.steps)
            yield replace(trajectory, split=name, steps=steps)


def _entries(source: Source, folder: Path, low: bool) -> Iterator[Entry]:
    path = _main_file(source.path)
    if path is not None and path.suffix == ".json":
        return processed.steps(source, path, source.images or folder / processed.STEP_IMAGES, low)
    if path is not None and path.suffix == ".jsonl":
        return processed.episodes(source, path, source.images or folder / processed.EPISODE_IMAGES, low)
    return _published_entries(source, _published(source.path) if path is None else [path], low)


def _published_entries(source: Source, files: Sequence[Path], low: bool) -> Iterator[Entry]:
    """Raises DataError where the libraries are missing that only this form needs."""
    try:
        from eval.benchmarks.androidcontrol.episodes import episodes
    except ModuleNotFoundError as error:
        raise DataError(f"TFRecord files need {error.name}: pip install 'guikv[data]'") from error
    return episodes(source, files, low)


def _main_file(path: Path) -> Path | None:
    """The one file of the data; None where there are many."""
    if not path.exists():
        raise DataError(f"{path} is missing")
    if path.is_file():
        if path.suffix in (".json", ".jsonl") or _is_gzip(path):
            return path
        raise DataError(f"{path} is none of the forms of AndroidControl: *.json, *.jsonl or a GZIP TFRecord file")
    for name in processed.STEP_FILES:
        if (path / name).is_file():
            return path / name
    lines = sorted(path.glob("*.jsonl"))
    if len(lines) > 1:
        raise DataError(f"{path} holds several *.jsonl: name one of {', '.join(file.name for file in lines)}")
    return lines[0] if lines else None


def _published(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.glob(f"{_PUBLISHED}*") if file.is_file() and file.suffix not in _TEXT)
    if not files:
        first = processed.STEP_FILES[0]
        raise DataError(f"{folder} holds no AndroidControl: no {first}, no *.jsonl, no {_PUBLISHED}*")
    return files


def _is_gzip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_GZIP)) == _GZIP
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


class _Lists(RootModel[dict[str, tuple[int, ...]]]):
    """Name → episodes."""


@dataclass(frozen=True)
class Splits:
    """members: in the order of the files, the sub-splits first; wanted: only these, empty for all."""

    members: dict[str, frozenset[int]]
    wanted: tuple[str, ...] = ()

    def of(self, episode: int) -> tuple[str, ...]:
        """All splits of an episode. They overlap: most of the unseen categories are unseen apps too."""
        return tuple(name for name, episodes in self.members.items() if episode in episodes)

    def name(self, episode: int) -> str | None:
        """The split it is filed under: the first one, as in OS-Atlas, of those that are wanted. None: leave it out."""
        names = self.of(episode)
        if not self.wanted:
            return names[0] if names else ""
        return next((name for name in names if name in self.wanted), None)


def read_splits(folder: Path, wanted: Sequence[str]) -> Splits:
    """The splits of a folder, from the JSON files there. Raises DataError where one that is wanted is not known."""
    members: dict[str, frozenset[int]] = {}
    for path in (folder / file for file in SPLIT_FILES):
        if path.is_file():
            for name, episodes in check(_Lists, read_json(path), str(path)).root.items():
                members.setdefault(name, frozenset(episodes))
    unknown = [name for name in wanted if name not in members]
    if unknown:
        there = f"there are {', '.join(members)}" if members else f"it has none of {', '.join(SPLIT_FILES)}"
        raise DataError(f"{folder} knows no split {unknown[0]!r}: {there}")
    return Splits(members, tuple(wanted))
