"""Find a button that is below the fold, and click it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Literal

from envs.playground.layout import Placed, fit, html_of, place
from envs.playground.page import SCROLL_CLICKS, SIDE, WHEEL_PIXELS, Control, Page, Screen, assemble
from envs.playground.style import css, make_style
from envs.playground.words import WORDS

_PER_SCREEN = 4
_OTHERS: tuple[Literal["button", "link", "checkbox"], ...] = ("button", "button", "link", "checkbox")


def generate(seed: int) -> Page:
    """The page of a seed."""
    rng = Random(f"playground scroll {seed}")
    screens = rng.randint(2, 3)
    words = rng.sample(WORDS, screens * _PER_SCREEN)
    target = rng.randrange(_PER_SCREEN, len(words))
    controls = [
        Control(word, "button", "right") if number == target else Control(word, rng.choice(_OTHERS), "wrong")
        for number, word in enumerate(words)
    ]
    style = fit(make_style(rng), _PER_SCREEN)
    placed: list[Placed] = []
    for number in range(screens):
        first = number * _PER_SCREEN
        placed += place(controls[first : first + _PER_SCREEN], style, rng, first, number * SIDE)
    html = f'<div style="height:{screens * SIDE}px">{"".join(map(html_of, placed))}</div>'
    goal = f'Find and click the "{words[target]}" button.'
    chance = 1 / _beside(placed, placed[target], screens * SIDE)
    return assemble("scroll", seed, goal, css(style), [Screen(html, controls)], chance)


def _beside(placed: Sequence[Placed], target: Placed, height: int) -> int:
    """How many controls have their middle on the screen on which the target first is as a whole, itself included."""
    top = 0
    while target.bottom > top + SIDE:
        top = min(top + SCROLL_CLICKS * WHEEL_PIXELS, height - SIDE)
    return sum(top <= (each.top + each.bottom) / 2 < top + SIDE for each in placed)
