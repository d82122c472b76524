"""Small pages of our own, made from a seed, with a goal and a success flag that only the harness reads.

`Playground`, which needs a browser, is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envs.playground.page import SIDE, Page
from envs.playground.tasks import TASKS, make_page

if TYPE_CHECKING:
    from envs.playground.live import Playground

__all__ = ["SIDE", "TASKS", "Page", "Playground", "make_page"]


def __getattr__(name: str) -> Any:
    if name != "Playground":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from envs.playground.live import Playground

    return Playground
