"""All ways in which models write a place on the screen, read as one point.

`(x,y)`, `<|box_start|>(x,y)<|box_end|>`, `<point>x y</point>`, `[x1, y1, x2, y2]`, `<bbox>x1 y1 x2
y2</bbox>`: four numbers are a box, and its centre is the point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from envs.geometry import Point, Resize, from_relative

Space = Literal["absolute", "relative"]
"""absolute: pixels of the resized image (UI-TARS 1.5, OpenCUA, Qwen2.5-VL); relative: 0 to a scale on both axes (1000
for UI-TARS 1.0 and Doubao 1.5, 999 or 1000 for Qwen3-VL)."""

RELATIVE_SCALE = 1000.0
SLACK = 1.0
"""Model pixels that a point may lie outside the image: models answer the far edge itself."""

_TAGS = ("<|box_start|>", "<|box_end|>", "<point>", "</point>", "<bbox>", "</bbox>", "<box>", "</box>")
_SEPARATORS = str.maketrans(dict.fromkeys("()[]{},;，\t\r\n", " "))
_MAX_TEXT = 200
_MAX_NUMBER = 16


class PointError(ValueError):
    """Not a point, or a point that is not on the image."""


@dataclass(frozen=True)
class Coordinates:
    """From what the model wrote to screenshot pixels, and back.

    scale: upper end of relative coordinates, 1 for shares of the picture; decimals: of the numbers that are written
    shares: in absolute coordinates a pair within 0..1 with a fraction is taken as shares, into which models slip
    """

    resize: Resize
    space: Space = "absolute"
    scale: float = RELATIVE_SCALE
    shares: bool = False
    decimals: int = 0

    def point(self, text: str) -> Point:
        """Screenshot pixel of a point or of a box's centre. Raises PointError."""
        return self.place(*centre(read_numbers(text)))

    def place(self, x: float, y: float) -> Point:
        """Screenshot pixel of the model's numbers. Raises PointError when it is not on the picture."""
        image, size = self.resize.image, self.resize.screenshot
        slip = self.shares and self.space == "absolute" and is_share(x, y)
        relative, scale = self.space == "relative" or slip, 1.0 if slip else self.scale
        width, height = (scale, scale) if relative else (float(image.width), float(image.height))
        # One step of a scale of 1 would be the whole picture.
        fine = relative and scale == 1
        slack_x, slack_y = (SLACK / image.width, SLACK / image.height) if fine else (SLACK, SLACK)
        if not (-slack_x <= x <= width + slack_x and -slack_y <= y <= height + slack_y):
            raise PointError(f"({x:g}, {y:g}) is not on the picture, which is {width:g} by {height:g}")
        found = from_relative((x, y), size, scale) if relative else self.resize.to_screenshot((x, y))
        return min(max(found[0], 0.0), float(size.width)), min(max(found[1], 0.0), float(size.height))

    def numbers(self, point: Point) -> tuple[float, float]:
        """The model's numbers for a screenshot pixel, rounded to `decimals`: whole ones are ints."""
        if self.space == "relative":
            size = self.resize.screenshot
            x, y = point[0] * self.scale / size.width, point[1] * self.scale / size.height
        else:
            x, y = self.resize.to_image(point)
        places = self.decimals or None
        return round(x, places), round(y, places)

    def text(self, point: Point) -> str:
        """The model's numbers for a screenshot pixel: `(x,y)`."""
        x, y = self.numbers(point)
        return f"({x},{y})"


def is_share(x: float, y: float) -> bool:
    """Can these numbers only be shares of the picture? (0, 1) is a pixel in the corner."""
    return 0 <= x <= 1 and 0 <= y <= 1 and not (float(x).is_integer() and float(y).is_integer())


def centre(numbers: tuple[float, ...]) -> Point:
    """The point of two numbers, or the middle of the box of four."""
    if len(numbers) == 2:
        return numbers[0], numbers[1]
    return (numbers[0] + numbers[2]) / 2, (numbers[1] + numbers[3]) / 2


def read_numbers(text: str) -> tuple[float, ...]:
    """The two or four numbers of a place.

    Raises PointError on anything else, infinities and exponents included.
    """
    if len(text) > _MAX_TEXT:
        raise PointError("a place has too many characters")
    for tag in _TAGS:
        text = text.replace(tag, " ")
    # The official grounding prompt has a stray quote behind the place, and models copy it.
    words = text.translate(_SEPARATORS).strip(" '\"").split()
    if len(words) not in (2, 4):
        raise PointError(f"expected two or four numbers, found {text.strip()[:40]!r}")
    return tuple(_number(word) for word in words)


def _number(word: str) -> float:
    digits = word.removeprefix("-").replace(".", "", 1)
    if len(word) > _MAX_NUMBER or not (digits.isascii() and digits.isdigit()):
        raise PointError(f"{word[:20]!r} is not a coordinate")
    return float(word)
