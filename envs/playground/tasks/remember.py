"""See a code word, press Next a few times, and choose the code that is no longer shown."""

from __future__ import annotations

from random import Random
from typing import Literal

from envs.playground.layout import fit, lay_out
from envs.playground.page import Control, Page, Screen, assemble
from envs.playground.style import css, make_style
from envs.playground.words import CODES

GOAL = "Press Next until you can choose, then choose the code you saw."
OPTION_KINDS: tuple[Literal["button", "link"], ...] = ("button", "button", "link")
_MOST_OPTIONS = 6


def generate(distance: int, seed: int) -> Page:
    """`distance` is how many screens before the options the code was shown, from 1."""
    task = f"remember_{distance}"
    rng = Random(f"playground {task} {seed}")
    style = fit(make_style(rng), _MOST_OPTIONS)
    options = rng.sample(CODES, rng.randint(3, _MOST_OPTIONS))
    code = rng.choice(options)
    kind = rng.choice(OPTION_KINDS)
    step = Control("Next", "button", "next")
    contents = [[Control(code, "text", prefix="Code: "), step]]
    contents += [[Control("Welcome", "text"), step]] * (distance - 1)
    contents.append([Control(word, kind, "right" if word == code else "wrong") for word in options])
    screens, first = [], 0
    for controls in contents:
        screens.append(Screen(lay_out(controls, style, rng, first), controls))
        first += len(controls)
    return assemble(task, seed, GOAL, css(style), screens, 1 / len(options))
