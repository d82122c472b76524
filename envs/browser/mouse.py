"""Mouse and finger gestures, in CSS pixels of the tab."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

from playwright.async_api import CDPSession, Page

from envs.actions import Direction
from envs.geometry import Point

_STEPS = 12
"""Moves per leg of a gesture; pages tell drags and flings from clicks by them."""


async def drag(page: Page, path: Sequence[Point], seconds: float = 0.0) -> None:
    """Left button down at the first point, up at the last."""
    pause = seconds / (_STEPS * (len(path) - 1))
    await page.mouse.move(*path[0])
    await page.mouse.down()
    try:
        for start, end in pairwise(path):
            for x, y in _between(start, end):
                await page.mouse.move(x, y)
                await asyncio.sleep(pause)
    finally:
        await page.mouse.up()


async def scroll(page: Page, at: Point, direction: Direction, pixels: int) -> None:
    """Wheel at a point; down and right show what is further down and to the right."""
    dx, dy = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}[direction]
    await page.mouse.move(*at)
    await page.mouse.wheel(dx * pixels, dy * pixels)


async def hold(page: Page, at: Point, seconds: float) -> None:
    """Left button down for `seconds`."""
    await page.mouse.move(*at)
    await page.mouse.down()
    try:
        await asyncio.sleep(seconds)
    finally:
        await page.mouse.up()


async def touch_hold(session: CDPSession, at: Point, seconds: float) -> None:
    """A finger that stays for `seconds`."""
    await _touch(session, "touchStart", at)
    try:
        await asyncio.sleep(seconds)
    finally:
        await _touch(session, "touchEnd")


async def touch_swipe(session: CDPSession, start: Point, end: Point, seconds: float) -> None:
    """A finger from `start` to `end`."""
    await _touch(session, "touchStart", start)
    try:
        for point in _between(start, end):
            await asyncio.sleep(seconds / _STEPS)
            await _touch(session, "touchMove", point)
    finally:
        await _touch(session, "touchEnd")


async def _touch(session: CDPSession, kind: str, at: Point | None = None) -> None:
    points = [] if at is None else [{"x": at[0], "y": at[1]}]
    await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def _between(start: Point, end: Point) -> list[Point]:
    return [
        (start[0] + (end[0] - start[0]) * k / _STEPS, start[1] + (end[1] - start[1]) * k / _STEPS)
        for k in range(1, _STEPS + 1)
    ]
