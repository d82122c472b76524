"""Files that are written whole or not at all, and never through a link that somebody laid in the way."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from guikv.errors import FileError


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` when all of it is on the disk; until then, and on any error, the old one
    stays. A link at `path` is replaced, not followed.

    What writes by name only (safetensors) may write to the file's `name` instead. Raises OSError.
    """
    # Nobody can lay a link at a name that nobody can guess, and "x" opens only what it has made itself.
    part = path.with_name(f".{secrets.token_hex(12)}.part")
    with part.open("xb") as file:
        try:
            yield file
            file.flush()
            _finish(part, stat.S_IMODE(os.fstat(file.fileno()).st_mode))
            part.replace(path)
        except BaseException:
            with suppress(OSError):  # the first error says more
                part.unlink(missing_ok=True)
            raise


def replace_file(path: Path, data: bytes) -> None:
    """`data` as the file's whole content; on any error the old file stays. Raises OSError."""
    with replacing(path) as file:
        file.write(data)


def appending(path: Path) -> IO[bytes]:
    """A file opened to read it and to write at its end, made where there is none. Raises OSError, and FileError
    for a link or a pipe."""
    return open(path, "a+b", opener=_own)


def make_folder(path: Path) -> Path:
    """The folder, made where there is none, its parents too. Raises OSError, and FileError where it is a link."""
    if path.is_symlink():
        raise _link(path)
    path.mkdir(parents=True, exist_ok=True)
    return path


def _finish(part: Path, mode: int) -> None:
    """On the disk, and as readable as a new file is: a writer by name may have laid its own file there."""
    number = os.open(part, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fchmod(number, mode)
        os.fsync(number)
    finally:
        os.close(number)


def _own(path: str, flags: int) -> int:
    """For `open`: no link is followed, and no pipe waited for."""
    try:
        number = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _link(path) from error
        raise
    mode = os.fstat(number).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISCHR(mode)):
        os.close(number)
        raise FileError(errno.EINVAL, "this is no plain file: remove it", str(path))
    return number


def _link(path: Path | str) -> FileError:
    return FileError(errno.ELOOP, "this is a link: remove it, or give the place that it leads to", str(path))
