"""What is to be pointed at, and whether a point hits it."""

from __future__ import annotations

from pydantic import PositiveInt

from envs.actions import Action, Click
from envs.geometry import Point, Size
from eval.benchmarks.base import Gold, Step
from eval.metrics.shapes import Box


class Target(Gold):
    """box: x0, y0, x1, y1 in pixels of a picture of `size` (width, height).

    Without a size, they are pixels of the picture that was shown.
    """

    box: tuple[float, float, float, float]
    size: tuple[PositiveInt, PositiveInt] | None = None

    def share(self, shown: Size) -> Box:
        """The box as fractions of a picture of which `shown` is the size, 0 to 1 on both axes."""
        width, height = self.size or (shown.width, shown.height)
        x0, y0, x1, y1 = self.box
        return Box(x0 / width, y0 / height, x1 / width, y1 / height)

    def hit(self, point: Point, shown: Size) -> bool:
        """Does a point, as fractions of the picture, lie in the box? Its edges belong to it.

        Rule of SeeClick `pretrain/screenspot_test.py` and of ScreenSpot-Pro `eval_screenspot_pro.py`.
        """
        return self.share(shown).contains(point)

    def centre(self, shown: Size) -> Point:
        """Pixel of a picture of that size, in the middle of what the picture shows of the box."""
        box = self.share(shown)
        x, y = Box(max(box.x0, 0.0), max(box.y0, 0.0), min(box.x1, 1.0), min(box.y1, 1.0)).centre
        return x * shown.width, y * shown.height


def oracle(step: Step, size: Size) -> tuple[Action, ...]:
    """A click into the middle of the box."""
    gold: Target = step.gold
    x, y = gold.centre(size)
    return (Click(x=x, y=y),)
