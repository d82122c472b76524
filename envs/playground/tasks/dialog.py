"""Confirm or dismiss a dialog that covers the page, then click the named control."""

from __future__ import annotations

from random import Random

from envs.playground.layout import GAP, MARGIN, Placed, fit, html_of, lay_out, row_height, text_width
from envs.playground.page import SIDE, Control, Page, Screen, assemble
from envs.playground.style import Style, css, make_style
from envs.playground.tasks.click import one_right
from envs.playground.words import WORDS

CONFIRMING = ("Accept", "Confirm", "Continue", "Apply")
DISMISSING = ("Decline", "Cancel", "Close", "Back")

_OTHERS = tuple(word for word in WORDS if word not in CONFIRMING + DISMISSING)
_BUTTON = 22
"""Width of a button's padding and border, in pixels."""


def generate(seed: int) -> Page:
    """The page of a seed."""
    rng = Random(f"playground dialog {seed}")
    words = rng.sample(_OTHERS, rng.randint(2, 5))
    style = fit(make_style(rng), len(words))
    below, target = one_right(words, rng)
    confirm = rng.random() < 0.5
    pair = [
        Control(rng.choice(CONFIRMING), "button", "uncover" if confirm else "wrong"),
        Control(rng.choice(DISMISSING), "button", "wrong" if confirm else "uncover"),
    ]
    rng.shuffle(pair)
    html = f"<div inert>{lay_out(below, style, rng)}</div>{_dialog(pair, len(below), style, rng)}"
    verb = "Confirm" if confirm else "Dismiss"
    goal = f'{verb} the dialog, then click the "{words[target]}" {below[target].kind}.'
    return assemble("dialog", seed, goal, css(style), [Screen(html, [*below, *pair])], 1 / len(pair) / len(below))


def _dialog(pair: list[Control], first: int, style: Style, rng: Random) -> str:
    """A box with two buttons, side by side where they fit, over a half-transparent backdrop."""
    inside, tall = rng.randint(8, 20), row_height(style)
    widths = [int(text_width(control.word, style)) + _BUTTON for control in pair]
    abreast = sum(widths) + GAP <= SIDE - 4 * MARGIN - 2 * inside and rng.random() < 0.7
    wide = sum(widths) + GAP if abreast else max(widths)
    high = tall if abreast else 2 * tall + GAP
    width = rng.randint(wide + 2 * inside, SIDE - 2 * MARGIN)
    height = rng.randint(high + 2 * inside, SIDE // 2 + 10)
    left, top = (rng.randint(MARGIN, SIDE - MARGIN - side) for side in (width, height))
    x = rng.randint(inside, width - inside - wide)
    y = rng.randint(inside, height - inside - high)
    placed = []
    for number, control in enumerate(pair):
        placed.append(Placed(first + number, control, x, 0, y, tall))
        if abreast:
            x += widths[number] + GAP
        else:
            y += tall + GAP
    backdrop = f"rgba({rng.choice(('0,0,0', '0,0,0', '60,60,60'))},{rng.uniform(0.3, 0.6):.2f})"
    edge = rng.choice(("none", f"1px solid {style.text}", "1px solid #888888"))
    shadow = rng.choice(("", "box-shadow:0 2px 8px #000000;"))
    look = f"background:{style.background};border:{edge};border-radius:{rng.choice((0, 4, 8))}px;{shadow}"
    place = f"left:{left}px;top:{top}px;width:{width}px;height:{height}px"
    buttons = "".join(map(html_of, placed))
    panel = f'<div class="panel" style="{place};{look}">{buttons}</div>'
    return f'<div class="veil" style="background:{backdrop}">{panel}</div>'
