"""See a numbered list of words, press Next, and click the words in that order among others."""

from __future__ import annotations

from random import Random

from envs.playground.layout import GAP, MARGIN, Placed, fit, html_of, lay_out, row_height, text_width
from envs.playground.page import SIDE, Control, Page, Screen, assemble
from envs.playground.style import Style, css, make_style
from envs.playground.tasks.remember import OPTION_KINDS
from envs.playground.words import CODES

GOAL = "Press Next, then click the listed words in order."
_MOST_ITEMS = 5
_LINE = (28, 40)
"""Least and greatest distance of the list's lines, in pixels."""


def generate(seed: int) -> Page:
    """The page of a seed."""
    rng = Random(f"playground order {seed}")
    style = fit(make_style(rng), _MOST_ITEMS)
    count = rng.randint(2, 3)
    words = rng.sample(CODES, count + rng.randint(1, 2))
    kind = rng.choice(OPTION_KINDS)
    listed = [Control(word, "text", prefix=f"{number}. ") for number, word in enumerate(words[:count], start=1)]
    listed.append(Control("Next", "button", "next"))
    items = [
        Control(word, kind, "pick", turn=number) if number < count else Control(word, kind, "wrong")
        for number, word in enumerate(words)
    ]
    rng.shuffle(items)
    screens = [Screen(_list(listed, style, rng), listed), Screen(lay_out(items, style, rng, len(listed)), items)]
    chance = 1.0
    for left in range(len(items), len(items) - count, -1):
        chance /= left
    return assemble("order", seed, GOAL, css(style), screens, chance)


def _list(controls: list[Control], style: Style, rng: Random) -> str:
    """The list's lines, one below the other, and the button above or below them."""
    *lines, button = controls
    distance, tall = rng.randint(*_LINE), row_height(style)
    block = distance * len(lines)
    spare = SIDE - 2 * MARGIN - block - GAP - tall
    above, between = sorted(rng.randint(0, spare) for _ in range(2))
    between -= above
    button_first = rng.random() < 0.25
    top = MARGIN + above + (tall + GAP + between if button_first else 0)
    widest = max(text_width(line.prefix + line.word, style) for line in lines)
    left = MARGIN + rng.randint(0, int(SIDE - 2 * MARGIN - widest) - 2)
    placed = [Placed(n, line, left, 0, top + n * distance, distance) for n, line in enumerate(lines)]
    at = MARGIN + above if button_first else top + block + GAP + between
    room = int(SIDE - 2 * MARGIN - text_width(button.word, style)) - 22
    placed.append(Placed(len(lines), button, MARGIN + rng.randint(0, room), 0, at, tall))
    return "".join(map(html_of, placed))
