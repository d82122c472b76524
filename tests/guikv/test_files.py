"""Files are replaced whole, appended to where they lie, and never written through a link."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from guikv.errors import FileError
from guikv.files import appending, make_folder, replace_file, replacing

OLD = b"theirs"


def to_file(place: Path, elsewhere: Path) -> None:
    place.symlink_to(elsewhere / "file")


def dangling(place: Path, elsewhere: Path) -> None:
    place.symlink_to(elsewhere / "nothing")


def to_folder(place: Path, elsewhere: Path) -> None:
    place.symlink_to(elsewhere)


def to_itself(place: Path, elsewhere: Path) -> None:
    place.symlink_to(place)


def through_another(place: Path, elsewhere: Path) -> None:
    (place.parent / "between").symlink_to(elsewhere / "file")
    place.symlink_to(place.parent / "between")


@contextmanager
def failing(file: IO[bytes], error: type[BaseException]) -> Iterator[None]:
    yield
    assert file.tell() == len(b"new")
    raise error


LINKS = (to_file, dangling, to_folder, to_itself, through_another)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with one file, which no test may change."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "file").write_bytes(OLD)
    return folder


def untouched(elsewhere: Path) -> bool:
    return [(each.name, each.read_bytes()) for each in elsewhere.iterdir()] == [("file", OLD)]


@pytest.mark.parametrize("lay", LINKS)
def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(
    tmp_path: Path, elsewhere: Path, lay: Callable[[Path, Path], None]
) -> None:
    (tmp_path / "run").mkdir()
    place = tmp_path / "run" / "report.html"
    lay(place, elsewhere)
    replace_file(place, b"ours")
    assert (place.is_symlink(), place.read_bytes()) == (False, b"ours")
    assert untouched(elsewhere)


@pytest.mark.parametrize("lay", LINKS)
def test_links_are_refused_where_is_appended(
    tmp_path: Path, elsewhere: Path, lay: Callable[[Path, Path], None]
) -> None:
    place = tmp_path / "rows.jsonl"
    lay(place, elsewhere)
    with pytest.raises(FileError, match=r"rows\.jsonl: this is a link: remove it"):
        appending(place)
    assert untouched(elsewhere)


@pytest.mark.parametrize("lay", LINKS)
def test_folders_that_are_links_are_refused(tmp_path: Path, elsewhere: Path, lay: Callable[[Path, Path], None]) -> None:
    lay(tmp_path / "run", elsewhere)
    with pytest.raises(FileError, match="run: this is a link"):
        make_folder(tmp_path / "run")
    assert untouched(elsewhere)


def test_the_parents_of_a_folder_may_be_links(tmp_path: Path, elsewhere: Path) -> None:
    (tmp_path / "runs").symlink_to(elsewhere)
    make_folder(make_folder(tmp_path / "runs" / "one") / "frames")
    assert (elsewhere / "one" / "frames").is_dir()


@pytest.mark.parametrize("name", [".part", "report.html.part", "report.part", ".report.html.part"])
def test_links_at_names_that_can_be_guessed_are_not_touched(tmp_path: Path, elsewhere: Path, name: str) -> None:
    to_file(tmp_path / name, elsewhere)
    replace_file(tmp_path / "report.html", b"ours")
    assert untouched(elsewhere)
    assert (tmp_path / name).is_symlink()


def test_names_meanwhile_are_of_their_own(tmp_path: Path) -> None:
    seen = []
    for _ in range(100):
        with replacing(tmp_path / "a") as file:
            seen.append(file.name)
    assert len(set(seen)) == 100
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_pipes_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="pipe: this is no plain file"):
        appending(tmp_path / "pipe")
    replace_file(tmp_path / "pipe", b"ours")
    assert (tmp_path / "pipe").read_bytes() == b"ours"


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    replace_file(tmp_path / "a", b"old")
    for error in (OSError, KeyboardInterrupt):
        with pytest.raises(error), replacing(tmp_path / "a") as file, failing(file, error):
            file.write(b"new")
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path, b"new")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a", b"old")]
    assert not list(tmp_path.parent.glob(".*.part"))


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_files_are_as_readable_as_any_other(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        replace_file(tmp_path / "a", b"")
        # Libraries that write by name lay a file of their own there, which only its owner may read.
        with replacing(tmp_path / "b") as file:
            os.unlink(file.name)
            os.close(os.open(file.name, os.O_CREAT | os.O_WRONLY, 0o600))
        with appending(tmp_path / "c") as appended:
            appended.write(b"line\n")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o666 & ~mask}


def test_what_is_appended_comes_last(tmp_path: Path) -> None:
    for line in (b"one\n", b"two\n"):
        with appending(tmp_path / "a") as file:
            file.seek(0)
            file.write(line)
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"
