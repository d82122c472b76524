"""Small pages of our own, made from a seed, with a goal and a success flag that only the harness reads."""

from __future__ import annotations

from envs.playground.live import Playground
from envs.playground.page import SIDE, Page
from envs.playground.pages import TASKS, make_page

__all__ = ["SIDE", "TASKS", "Page", "Playground", "make_page"]
