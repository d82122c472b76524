"""The service `sync:`: files pushed, pulled, listed and examined, in both versions of its messages."""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path

from envs.android.simulator.streams import Stream, StreamClosed

_REQUEST = struct.Struct("<4sI")
_STAT_V1 = struct.Struct("<III")
_STAT_V2 = struct.Struct("<IQQIIIIQqqq")
_PIECE = 64 * 1024
_LONGEST_PATH = 4096
_NO_ERROR = 0

Resolve = Callable[[str], Path]


async def serve_files(stream: Stream, resolve: Resolve) -> None:
    """Answer requests until QUIT. `resolve` turns a path of the device into one of this machine."""
    await stream.accept()
    while True:
        name, size = _REQUEST.unpack(await stream.read_exactly(_REQUEST.size))
        if name == b"QUIT" or size > _LONGEST_PATH:
            return
        path = (await stream.read_exactly(size)).decode("utf-8", "surrogateescape")
        if name == b"STAT":
            await stream.write(b"STAT" + _short(resolve(path)))
        elif name in (b"LST2", b"STA2"):
            await stream.write(name + _long(resolve(path), follow=name == b"STA2"))
        elif name in (b"LIST", b"LIS2"):
            await _list(stream, resolve(path), v2=name == b"LIS2")
        elif name == b"RECV":
            await _send(stream, resolve(path))
        elif name == b"SEND":
            await _receive(stream, path, resolve)
        else:
            await _fail(stream, f"unknown command {name!r}")
            return


def _short(path: Path) -> bytes:
    try:
        found = path.lstat()
    except OSError:
        return _STAT_V1.pack(0, 0, 0)
    return _STAT_V1.pack(found.st_mode, found.st_size & 0xFFFFFFFF, int(found.st_mtime))


def _long(path: Path, follow: bool = False) -> bytes:
    try:
        s = path.stat() if follow else path.lstat()
    except OSError as error:
        return _STAT_V2.pack(error.errno or errno.EIO, *(0,) * 10)
    times = (int(s.st_atime), int(s.st_mtime), int(s.st_ctime))
    return _STAT_V2.pack(_NO_ERROR, s.st_dev, s.st_ino, s.st_mode, s.st_nlink, s.st_uid, s.st_gid, s.st_size, *times)


async def _list(stream: Stream, folder: Path, v2: bool) -> None:
    entry, layout, look = (b"DNT2", _STAT_V2, _long) if v2 else (b"DENT", _STAT_V1, _short)
    try:
        names = [".", "..", *sorted(os.listdir(folder))]
    except OSError:
        # As on a phone: a folder that cannot be read has no entries.
        names = []
    for name in names:
        raw = os.fsencode(name)
        await stream.write(entry + look(folder / name) + struct.pack("<I", len(raw)) + raw)
    await stream.write(b"DONE" + bytes(layout.size + 4))


async def _send(stream: Stream, path: Path) -> None:
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                await stream.write(_REQUEST.pack(b"DATA", len(piece)) + piece)
    except StreamClosed:
        raise
    except OSError as error:
        await _fail(stream, f"open failed: {error.strerror}")
        return
    await stream.write(_REQUEST.pack(b"DONE", 0))


async def _receive(stream: Stream, target: str, resolve: Resolve) -> None:
    name, _, mode = target.rpartition(",")
    path, failure = resolve(name), ""
    file = None
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("wb")
        except OSError as error:
            failure = f"couldn't create file: {error.strerror}"
        while True:
            kind, size = _REQUEST.unpack(await stream.read_exactly(_REQUEST.size))
            if kind == b"DONE":
                break
            if kind != b"DATA" or size > _PIECE:
                raise StreamClosed
            piece = await stream.read_exactly(size)
            if file is not None:
                file.write(piece)
    finally:
        if file is not None:
            file.close()
    if failure:
        await _fail(stream, failure)
        return
    # For DONE the word that is elsewhere a size is the file's time.
    path.chmod(stat.S_IMODE(int(mode)))
    os.utime(path, (size, size))
    await stream.write(_REQUEST.pack(b"OKAY", 0))


async def _fail(stream: Stream, reason: str) -> None:
    data = reason.encode()
    await stream.write(_REQUEST.pack(b"FAIL", len(data)) + data)
