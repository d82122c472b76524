"""Click the named control among two to seven others."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Literal

from envs.playground.layout import fit, lay_out
from envs.playground.page import Control, Page, Screen, assemble
from envs.playground.style import css, make_style
from envs.playground.words import WORDS

_KINDS: tuple[Literal["button", "link", "checkbox", "field"], ...] = ("button", "link", "checkbox", "field")


def one_right(words: Sequence[str], rng: Random) -> tuple[list[Control], int]:
    """Controls of any kind with these words, and the number of the one that is right."""
    target = rng.randrange(len(words))
    controls = [
        Control(word, rng.choice(_KINDS), "right" if number == target else "wrong") for number, word in enumerate(words)
    ]
    return controls, target


def generate(seed: int) -> Page:
    rng = Random(f"playground click {seed}")
    words = rng.sample(WORDS, rng.randint(3, 8))
    style = fit(make_style(rng), len(words))
    controls, target = one_right(words, rng)
    html = lay_out(controls, style, rng)
    goal = f'Click the "{controls[target].word}" {controls[target].kind}.'
    return assemble("click", seed, goal, css(style), [Screen(html, controls)], 1 / len(controls))
