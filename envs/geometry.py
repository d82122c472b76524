"""The one chain of coordinates: model → resized image → screenshot pixels → device units.

Execution, the marker in the report and the metrics all go through these functions, so a click is drawn where it
was done. The resize that was really applied to the image travels with it as a `Resize`.
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]


class GeometryError(ValueError):
    """A size or point that no screen has."""


@dataclass(frozen=True)
class Size:
    """Width and height in pixels, both at least 1."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise GeometryError(f"a size needs at least one pixel each way, not {self.width}x{self.height}")


@dataclass(frozen=True)
class Resize:
    """From the screenshot to the image that the model saw. Scale only, the axes independent of each other."""

    screenshot: Size
    image: Size

    def to_screenshot(self, point: Point) -> Point:
        """Pixel of the resized image → pixel of the screenshot."""
        x, y = point
        return x * self.screenshot.width / self.image.width, y * self.screenshot.height / self.image.height

    def to_image(self, point: Point) -> Point:
        """Pixel of the screenshot → pixel of the resized image."""
        x, y = point
        return x * self.image.width / self.screenshot.width, y * self.image.height / self.screenshot.height


@dataclass(frozen=True)
class Viewport:
    """What a screenshot shows of a device: its own size, the size in the device's input units, and the origin.

    `device` differs from `screenshot` on scaled screens (HiDPI); `origin` is the top left corner in device units
    (a second monitor, a window, a region), possibly negative.
    """

    screenshot: Size
    device: Size
    origin: Point = (0.0, 0.0)

    def to_device(self, point: Point) -> Point:
        """Pixel of the screenshot → input units of the device."""
        x, y = self.clamp(point)
        return (
            self.origin[0] + x * self.device.width / self.screenshot.width,
            self.origin[1] + y * self.device.height / self.screenshot.height,
        )

    def to_screenshot(self, point: Point) -> Point:
        """Input units of the device → pixel of the screenshot."""
        return (
            (point[0] - self.origin[0]) * self.screenshot.width / self.device.width,
            (point[1] - self.origin[1]) * self.screenshot.height / self.device.height,
        )

    def contains(self, point: Point) -> bool:
        return 0 <= point[0] <= self.screenshot.width and 0 <= point[1] <= self.screenshot.height

    def clamp(self, point: Point) -> Point:
        """Nearest point that lies on the screen (models answer the far edge itself, one pixel outside)."""
        return (
            min(max(point[0], 0.0), self.screenshot.width - 1.0),
            min(max(point[1], 0.0), self.screenshot.height - 1.0),
        )


def from_relative(point: Point, size: Size, scale: float = 1000.0) -> Point:
    """Coordinates of 0..scale on both axes → pixels of an image of `size`."""
    return point[0] * size.width / scale, point[1] * size.height / scale
