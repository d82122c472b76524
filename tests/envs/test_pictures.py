"""Pictures from outside: what they are is looked up in the file, never in its name."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from envs.pictures import FORMATS, MAX_PIXELS, PictureError, open_picture, read_picture
from envs.playground.render import own

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(touched) print showpage\n%%EOF\n"


def saved(form: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (20, 10), "red" if mode == "RGB" else 1).save(file, form, **options)
    return file.getvalue()


def psd() -> bytes:
    return b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 10, 20, 8, 3) + bytes(4 * 3) + bytes(2 + 3 * 200)


def fli() -> bytes:
    return struct.pack("<IHHHHHHI", 128, 0xAF11, 1, 20, 10, 8, 3, 5) + bytes(128)


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


FOREIGN = {
    "eps": EPS,
    "psd": psd(),
    "fli": fli(),
    **{form: saved(form) for form in ("GIF", "BMP", "TIFF", "PPM", "TGA", "ICO", "PCX", "SGI", "IM", "JPEG2000")},
    "pdf": saved("PDF"),
    "xbm": saved("XBM", "1"),
    "text": b"no picture",
    "empty": b"",
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_other_kinds_are_refused_whatever_their_name(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever a decoder would start, Ghostscript first of all, tells that it was.
    for program in ("gs", "gswin32c", "djpeg", "cjpeg", "ppmtogif"):
        (tmp_path / program).write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "0123456789abcdef.png"
    path.write_bytes(FOREIGN[kind])
    for source in (path, FOREIGN[kind]):
        with pytest.raises(PictureError, match=r"^is not an image \(PNG, JPEG, WEBP\)$"):
            read_picture(source)
        with pytest.raises(PictureError):
            open_picture(source)
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("form", FORMATS)
def test_screens_are_read(form: str, tmp_path: Path) -> None:
    data = saved(form, lossless=True)
    (tmp_path / "any.name").write_bytes(data)
    for source in (data, tmp_path / "any.name"):
        image = read_picture(source)
        assert (image.mode, image.size) == ("RGB", (20, 10))
        red, green, blue = image.getpixel((5, 5))  # type: ignore[misc]
        assert red > 250
        assert max(green, blue) < 5


def test_more_kinds_where_they_are_wanted() -> None:
    assert read_picture(saved("GIF"), (*FORMATS, "GIF")).size == (20, 10)


@pytest.mark.parametrize("size", [(MAX_PIXELS + 1, 1), (20_000, 20_000), (2**31 - 1, 2**31 - 1), (0, 5)])
def test_more_pixels_than_a_screen_has_are_refused_unread(size: tuple[int, int]) -> None:
    with pytest.raises(PictureError):
        open_picture(bomb(*size))


def test_every_cut_and_every_changed_byte_is_an_error_of_one_kind_or_none() -> None:
    tried = refused = 0
    for form in FORMATS:
        data = saved(form)
        cut = [data[:end] for end in range(len(data))]
        changed = [data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :] for at in range(len(data))]
        for damaged in (*cut, *changed):
            tried += 1
            try:
                assert read_picture(damaged).mode == "RGB"
            except PictureError:
                refused += 1
    assert tried > 1000
    assert refused > 500


def test_files_that_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(PictureError, match="is no regular file"):
            read_picture(path)
    with pytest.raises(FileNotFoundError):
        read_picture(tmp_path / "none")


def test_what_is_rendered_is_not_written_through_links(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / "a.png").symlink_to(tmp_path / "theirs")
    (tmp_path / "b.png").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "c.png")
    for name in ("a.png", "b.png", "c.png"):
        for mode in ("wb", "ab", "r+b"):
            if (name, mode) == ("c.png", "r+b"):
                continue  # whoever reads and writes is the pipe's other end
            with pytest.raises(OSError, match=r"symbolic|device|No such"):
                open(tmp_path / name, mode, opener=own).close()
    assert (tmp_path / "theirs").read_bytes() == b"theirs"
    assert not (tmp_path / "nothing").exists()
