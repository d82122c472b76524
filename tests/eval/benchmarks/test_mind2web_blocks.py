"""Where a page is cut, and which blocks an element belongs to."""

import pytest
from PIL import Image

from envs.geometry import Size
from eval.benchmarks.errors import DataError, MissingImage
from eval.benchmarks.mind2web.blocks import Block, Cut, clipped, cut, targets
from tests.eval.benchmarks.mind2web_pages import png

TOP = (10.0, 10.0, 20.0, 20.0)


@pytest.mark.parametrize(
    ("height", "bottoms"),
    [
        (150, [150]),
        (999, [999]),
        (1000, [1000, 1000]),
        (1799, [1000, 1799]),
        (1800, [1000, 1800, 1800]),
        (2500, [1000, 1800, 2500]),
    ],
)
def test_a_block_starts_every_800_pixels(height: int, bottoms: list[int]) -> None:
    blocks = cut(Size(1280, height), [TOP])
    assert [block.top for block in blocks] == [800 * number for number in range(len(bottoms))]
    assert [block.top + block.height for block in blocks] == bottoms
    assert {(block.left, block.width) for block in blocks} == {(0, 1280)}


def test_a_page_without_a_right_element_is_its_first_block() -> None:
    assert cut(Size(1280, 5000), []) == (Block(0, 0, 1280, 1000),)
    assert targets(cut(Size(1280, 5000), []), []) == {}


def test_a_narrow_page_keeps_its_width() -> None:
    assert {block.width for block in cut(Size(800, 2000), [TOP])} == {800}


@pytest.mark.parametrize(
    ("y", "height", "expected"),
    [
        (799, 40, {0: 799.0}),
        (800, 40, {0: 800.0, 1: 0.0}),
        (960, 40, {0: 960.0, 1: 160.0}),
        (961, 40, {1: 161.0}),
        (2400, 40, {2: 800.0, 3: 0.0}),
    ],
)
def test_an_element_belongs_to_the_blocks_that_show_all_of_it(y: float, height: float, expected: dict) -> None:
    box = (5.0, y, 9.0, height)
    found = targets(cut(Size(1280, 2700), [box]), [box])
    assert found == {block: ((5.0, top, 9.0, height),) for block, top in expected.items()}


@pytest.mark.parametrize(
    "box",
    [
        (600.0, 700.0, 80.0, 400.0),
        (600.0, 1500.0, 80.0, 350.0),
        (2000.0, 100.0, 300.0, 50.0),
        (10.0, 790.0, 9.0, 250.0),
    ],
)
def test_an_element_that_no_block_shows_gets_one_of_its_own(box: tuple[float, float, float, float]) -> None:
    page = Size(2600, 2500)
    blocks = cut(page, [box])
    assert len(blocks) == 4
    assert [block.top for block in blocks] == sorted(block.top for block in blocks)
    ((index, places),) = targets(blocks, [box]).items()
    block = blocks[index]
    assert (block.width, block.height) == (1280, 1000)
    assert block.left + block.width <= page.width
    assert block.top + block.height <= page.height
    assert places == ((box[0] - block.left, box[1] - block.top, box[2], box[3]),)


def test_no_block_shows_all_of_an_element_that_is_larger_than_one() -> None:
    box = (0.0, 100.0, 1280.0, 1500.0)
    blocks = cut(Size(1280, 2500), [box])
    assert Block(0, 100, 1280, 1000) in blocks
    assert targets(blocks, [box]) == {}


def test_places_are_clipped_to_the_page() -> None:
    page = Size(1280, 1000)
    assert clipped((10.0, 20.0, 30.0, 40.0), page) == (10, 20, 30, 40)
    assert clipped((-10.0, 990.0, 30.0, 40.0), page) == (0, 990, 20, 10)
    assert clipped((1281.0, 20.0, 30.0, 40.0), page) is None
    assert clipped((10.0, -50.0, 30.0, 40.0), page) is None


def test_a_cut_of_a_picture() -> None:
    image = Image.new("RGB", (60, 100), "white")
    image.putpixel((7, 33), (1, 2, 3))
    part = Cut("page#1", None, png(image), Size(50, 40), "row 0", 5, 30)
    assert part.size() == Size(50, 40)
    assert part.load().size == (50, 40)
    assert part.load().getpixel((2, 3)) == (1, 2, 3)


def test_a_cut_of_nothing_and_of_no_picture() -> None:
    nothing = Cut("page#1", None, None, Size(50, 40), "row 0", 5, 30)
    assert not nothing.exists
    with pytest.raises(MissingImage, match="row 0"):
        nothing.size()
    with pytest.raises(DataError, match="row 0"):
        Cut("page#1", None, b"no picture", Size(50, 40), "row 0", 5, 30).load()
