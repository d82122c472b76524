"""Images of every kind become RGB, and what is no image is refused with its name."""

from __future__ import annotations

import io
import os
import random
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from envs.geometry import Size
from envs.pictures import MAX_PIXELS
from eval.benchmarks.errors import DataError, MissingImage
from eval.benchmarks.pictures import Picture

SIZE = (64, 48)
WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (255, 0, 0)


def screen(mode: str = "RGB") -> Image.Image:
    """Left half white, right half black, a red square in the middle of colour images."""
    image = Image.new("RGB", SIZE, WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((32, 0, 63, 47), fill=BLACK)
    draw.rectangle((24, 16, 39, 31), fill=RED)
    return image.convert(mode)


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def loaded(data: bytes) -> Image.Image:
    picture = Picture("a", data=data)
    image = picture.load()
    assert image.mode == "RGB"
    assert Size(*image.size) == picture.size()
    return image


def near(pixel: object, wanted: tuple[int, int, int], by: int = 3) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= by for a, b in zip(pixel, wanted, strict=True))


COLOURED = {
    "rgb png": lambda: saved(screen()),
    "palette": lambda: saved(screen("P")),
    "rgba": lambda: saved(screen("RGBA")),
    "ycbcr jpeg": lambda: saved(screen(), "JPEG", quality=95, subsampling=0),
    "cmyk jpeg": lambda: saved(screen("CMYK"), "JPEG", quality=95),
    "cmyk tiff": lambda: saved(screen("CMYK"), "TIFF"),
    "webp": lambda: saved(screen(), "WEBP", lossless=True),
    "bmp": lambda: saved(screen(), "BMP"),
    "gif": lambda: saved(screen(), "GIF"),
}
GREY = {
    "8 bit": lambda: saved(screen("L")),
    "jpeg": lambda: saved(screen("L"), "JPEG", quality=95),
    "1 bit": lambda: saved(screen("1")),
    "LA": lambda: saved(screen("LA")),
    "16 bit png": lambda: saved(deep(np.uint16, 65535)),
    "16 bit tiff": lambda: saved(deep(np.uint16, 65535), "TIFF"),
    "16 bit tiff, other end first": lambda: saved(other_end(), "TIFF"),
    "16 bit pgm in 32": lambda: saved(deep(np.int32, 65535), "TIFF"),
    "32 bit": lambda: saved(deep(np.int32, 2**31 - 1), "TIFF"),
    "32 bit, values of 8": lambda: saved(deep(np.int32, 255), "TIFF"),
    "float of 0 to 1": lambda: saved(deep(np.float32, 1.0), "TIFF"),
    "float of 0 to 255": lambda: saved(deep(np.float32, 255.0), "TIFF"),
    "float of 0 to 1e6": lambda: saved(deep(np.float32, 1e6), "TIFF"),
}


def deep(kind: type, white: float) -> Image.Image:
    return Image.fromarray((np.asarray(screen("L")) >= 128).astype(kind) * kind(white))


def other_end() -> Image.Image:
    values = (np.asarray(screen("L")) >= 128).astype(">u2") * 65535
    return Image.frombytes("I;16B", SIZE, values.astype(">u2").tobytes())


@pytest.mark.parametrize("make", COLOURED.values(), ids=COLOURED)
def test_colours_stay(make: Callable[[], bytes]) -> None:
    image = loaded(make())
    assert image.size == SIZE
    assert near(image.getpixel((4, 4)), WHITE)
    assert near(image.getpixel((60, 4)), BLACK)
    assert near(image.getpixel((32, 24)), RED, by=12)


@pytest.mark.parametrize("make", GREY.values(), ids=GREY)
def test_grey_of_any_depth_spans_black_to_white(make: Callable[[], bytes]) -> None:
    image = loaded(make())
    assert near(image.getpixel((4, 4)), WHITE)
    assert near(image.getpixel((60, 4)), BLACK)


def test_16_bit_grey_is_scaled_not_clipped_nor_stretched() -> None:
    values = np.zeros((48, 64), np.uint16)
    values[:, :32], values[:, 32:] = 257 * 100, 257 * 20
    image = loaded(saved(Image.fromarray(values)))
    assert (image.getpixel((4, 4)), image.getpixel((60, 4))) == ((100, 100, 100), (20, 20, 20))


def test_nan_and_negative_fractions_are_black() -> None:
    values = np.full((48, 64), 0.5, np.float32)
    values[0, 0], values[0, 1] = np.nan, -3.0
    image = loaded(saved(Image.fromarray(values), "TIFF"))
    assert [image.getpixel((x, 0))[0] for x in range(3)] == [0, 0, 128]  # type: ignore[index]


def test_what_is_transparent_becomes_white() -> None:
    glass = screen("RGBA")
    glass.paste((0, 0, 255, 0), (0, 0, 8, 8))
    glass.paste((0, 0, 0, 128), (8, 0, 16, 8))
    image = loaded(saved(glass))
    assert image.getpixel((4, 4)) == WHITE
    assert near(image.getpixel((12, 4)), (127, 127, 127), by=1)
    assert image.getpixel((60, 40)) == BLACK


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_colour_that_stands_for_transparent_becomes_white(mode: str) -> None:
    image = screen(mode)
    black = image.getpixel((60, 4))
    seen = loaded(saved(image, transparency=black))
    assert seen.getpixel((60, 4)) == WHITE
    assert seen.getpixel((4, 4)) == WHITE


def test_premultiplied_tiff() -> None:
    data = saved(Image.new("RGBA", SIZE, (128, 0, 0, 128)), "TIFF")
    straight, premultiplied = (struct.pack("<HHIH", 338, 3, 1, kind) for kind in (2, 1))
    assert data.count(straight) == 1
    data = data.replace(straight, premultiplied)
    assert near(loaded(data).getpixel((4, 4)), (255, 127, 127), by=1)


def test_exif_orientation_is_ignored_so_that_size_and_boxes_hold() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(screen(), "JPEG", exif=exif, quality=95)
    assert Picture("a", data=data).size() == Size(*SIZE)
    assert near(loaded(data).getpixel((4, 4)), WHITE)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_counts(form: str) -> None:
    first, second = Image.new("RGB", SIZE, RED), Image.new("RGB", SIZE, (0, 0, 255))
    options = {"lossless": True} if form == "WEBP" else {}
    data = saved(first, form, save_all=True, append_images=[second], **options)
    assert near(loaded(data).getpixel((4, 4)), RED, by=1)


def test_a_screenshot_of_40_megapixels(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.new("RGB", (10_000, 4_000), RED).save(path, compress_level=1)
    picture = Picture("wide.png", path)
    assert picture.size() == Size(10_000, 4_000)
    image = picture.load()
    assert (image.size, image.mode, image.getpixel((9_999, 3_999))) == ((10_000, 4_000), "RGB", RED)


def png_header(width: int, height: int) -> bytes:
    """A PNG that says its size and then holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(10_001, 10_000), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_more_pixels_than_any_screen_are_refused_from_the_header(width: int, height: int) -> None:
    picture = Picture("a", data=png_header(width, height), where="a.json record 3")
    for call in (picture.size, picture.load):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(DataError, match=r"a\.json record 3: the image a has .*pixels"):
                call()


def test_the_largest_that_is_allowed_is_known_by_its_header() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Picture("a", data=png_header(10_000, 10_000)).size() == Size(10_000, 10_000)
    assert MAX_PIXELS == 10_000 * 10_000


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_an_image_without_pixels(shape: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="the image a"):
        Picture("a", data=png_header(*shape)).size()


NO_IMAGES = {
    "text": b"Not found\n",
    "html": b"<html><body>403 Forbidden</body></html>",
    "lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "nothing": b"",
    "only a magic number": b"\x89PNG\r\n\x1a\n",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
}


@pytest.mark.parametrize("data", NO_IMAGES.values(), ids=NO_IMAGES)
def test_what_is_no_image(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    for picture in (
        Picture("a.png", path, where="a.json record 3"),
        Picture("a.png", data=data, where="a.json record 3"),
    ):
        assert picture.exists
        for call in (picture.size, picture.load):
            with pytest.raises(
                DataError, match=r"a\.json record 3: the image .*a\.png is (not an image|damaged)"
            ) as raised:
                call()
            assert not isinstance(raised.value, MissingImage)


def noise(form: str) -> bytes:
    values = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    return saved(Image.fromarray(values), form)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_cut_off_files_are_damaged(form: str) -> None:
    data = noise(form)
    with pytest.raises(DataError, match=r"the image a (is damaged|cannot be read|is not an image)"):
        Picture("a", data=data[: len(data) // 2]).load()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_whatever_the_bytes_the_error_is_ours(form: str) -> None:
    whole, dice = noise(form), random.Random(form)
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(60):
            data = bytearray(whole)
            for _ in range(dice.randint(1, 30)):
                data[dice.randrange(min(len(data), 400))] = dice.randrange(256)
            try:
                assert Picture("a", data=bytes(data)).load().mode == "RGB"
            except DataError:
                refused += 1
    assert refused > 0


def test_a_missing_file(tmp_path: Path) -> None:
    picture = Picture("a.png", tmp_path / "no" / "a.png", where="a.json record 3")
    assert not picture.exists
    for call in (picture.size, picture.load):
        with pytest.raises(MissingImage, match=r"a\.json record 3: the image .*no/a\.png is missing.*--missing skip"):
            call()


def test_names_that_no_file_can_have_are_missing(tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"")
    for name in ("gone.png", "file/a.png", "nul\0.png"):
        assert not Picture("a", tmp_path / name).exists
        with pytest.raises(MissingImage):
            Picture("a", tmp_path / name).load()
    assert not Picture("a", stated=Size(4, 4)).exists
    with pytest.raises(MissingImage, match="the image a is missing"):
        Picture("a", stated=Size(4, 4)).size()


def test_what_is_there_but_no_file_is_no_missing_image(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    wanted = {
        "": "is a folder",
        "pipe.png": "is no regular file",
        "loop.png": "cannot be read",
        "x" * 300: "cannot be read",
    }
    for name, message in wanted.items():
        picture = Picture("a", tmp_path / name)
        assert picture.exists
        with pytest.raises(DataError, match=message) as raised:
            picture.load()
        assert not isinstance(raised.value, MissingImage)


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(saved(screen()))

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refused)
    with pytest.raises(DataError, match=r"a\.png cannot be read: Permission denied"):
        Picture("a.png", path).load()
    monkeypatch.undo()
    monkeypatch.setattr(Path, "stat", refused)
    assert Picture("a.png", path).exists


def test_files_are_closed(tmp_path: Path) -> None:
    good, cut, animated, huge = (tmp_path / f"{name}.png" for name in ("good", "cut", "animated", "huge"))
    good.write_bytes(saved(screen()))
    cut.write_bytes(noise("PNG")[:2000])
    animated.write_bytes(saved(screen(), save_all=True, append_images=[Image.new("RGB", SIZE, RED)]))
    huge.write_bytes(png_header(20_000, 20_000))
    before = os.listdir("/proc/self/fd")
    kept = []
    for path in (good, cut, animated, huge):
        for call in (Picture("a", path).size, Picture("a", path).load):
            try:
                kept.append(call())
            except DataError as error:
                kept.append(error)  # type: ignore[arg-type]
    assert len(os.listdir("/proc/self/fd")) == len(before)
    assert len(kept) == 8
