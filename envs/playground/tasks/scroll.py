"""Find a button that is below the fold, and click it."""

from __future__ import annotations

from random import Random
from typing import Literal

from envs.playground.layout import fit, lay_out
from envs.playground.page import SIDE, Control, Page, Screen, assemble
from envs.playground.style import css, make_style
from envs.playground.words import WORDS

_PER_SCREEN = 4
_OTHERS: tuple[Literal["button", "link", "checkbox"], ...] = ("button", "button", "link", "checkbox")


def generate(seed: int) -> Page:
    rng = Random(f"playground scroll {seed}")
    screens = rng.randint(2, 4)
    words = rng.sample(WORDS, screens * _PER_SCREEN)
    target = rng.randrange(_PER_SCREEN, len(words))
    controls = [
        Control(word, "button", "right") if number == target else Control(word, rng.choice(_OTHERS), "wrong")
        for number, word in enumerate(words)
    ]
    style = fit(make_style(rng), _PER_SCREEN)
    parts = []
    for number in range(screens):
        first = number * _PER_SCREEN
        parts.append(lay_out(controls[first : first + _PER_SCREEN], style, rng, first, number * SIDE))
    html = f'<div style="height:{screens * SIDE}px">{"".join(parts)}</div>'
    goal = f'Find and click the "{words[target]}" button.'
    return assemble("scroll", seed, goal, css(style), [Screen(html, controls)])
