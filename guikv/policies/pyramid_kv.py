"""PyramidKV (arXiv 2406.02069): SnapKV's scores, more entries for the lower layers and fewer for the upper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from guikv.policies.base import LayerView, check_at_least
from guikv.policies.snap_kv import SnapKV


@dataclass(frozen=True)
class PyramidKV(SnapKV):
    """beta: how steep the pyramid is; the top layer keeps 1/beta of the mean (outside of the window).

    The steps are whole numbers, as published, so the sum over the layers can exceed the budget by a few percent;
    compare by bytes.
    """

    name: ClassVar[str] = "pyramid_kv"

    beta: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least("beta", self.beta, 1)

    def capacities(self, views: list[LayerView], capacity: int, window: int) -> list[int]:
        return [
            window + ladder(capacity - window, v.entries - v.whole, window, self.beta, i, len(views))
            for i, v in enumerate(views)
        ]


def ladder(mean: int, entries: int, window: int, beta: int, layer: int, layers: int) -> int:
    """Entries outside of the window that `layer` of `layers` keeps; `mean` is the uniform number."""
    if layers < 2 or entries < 2 * mean:
        return mean
    low = mean // beta
    high = 2 * mean - low
    if high >= entries - window:
        high = entries - window
        low = 2 * mean - high
    return high - layer * ((high - low) // (layers - 1))
