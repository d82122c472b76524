"""Controls as HTML, put in rows that cannot touch each other or leave the screen.

Positions are settled here, from an upper bound of each word's width, so that a page is the same string on
every machine; the browser's fonts only decide how much of its place a word fills.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from envs.playground.page import SIDE, Control, escape
from envs.playground.style import Style

MARGIN = 6
GAP = 8
MIN_INPUT = 70
"""Pixels: free border of the screen, least distance between neighbours, least width of a field."""

_NARROW, _THIN, _WIDE = set("fijlIJ"), set("rt"), set("mwMW")


def text_width(text: str, style: Style) -> float:
    """Upper bound, in pixels, of the width of `text` in the widest common sans and serif faces."""
    em = 0.0
    for letter in text:
        if letter in _NARROW:
            em += 0.48
        elif letter in _THIN:
            em += 0.54
        elif letter in _WIDE:
            em += 1.12
        else:
            em += 0.95 if letter.isupper() else 0.74
    return em * style.font * (1.0 if style.bold else 0.93)


def _least_width(control: Control, style: Style) -> int:
    width = text_width(control.prefix + control.word, style)
    extra = {"button": 22, "link": 2, "checkbox": 8 + style.font, "field": 8 + MIN_INPUT, "text": 2}
    return math.ceil(width + extra[control.kind])


def row_height(style: Style) -> int:
    """Upper bound of the height of any control, in pixels."""
    return math.ceil(style.font * 1.25) + 2 * style.padding + 6


def fit(style: Style, rows: int) -> Style:
    """The style with so little padding that `rows` rows fit on a screen."""
    while style.padding > 0 and rows * (row_height(style) + 2) > SIDE - 2 * MARGIN:
        style = replace(style, padding=style.padding - 1)
    return style


@dataclass(frozen=True)
class Placed:
    """A control with its number on the page and its place there, in pixels; it is drawn in the middle of the height."""

    number: int
    control: Control
    left: int
    width: int
    top: int
    height: int

    @property
    def bottom(self) -> int:
        return self.top + self.height


def html_of(placed: Placed) -> str:
    """A control's HTML, at its place."""
    c, number = placed.control, placed.number
    word = escape(c.word)
    mark = f'data-c="{number}"'
    if c.kind == "button":
        # Only a submitting button may be pressed by Enter in a field.
        inner = f'<button type="{"submit" if c.role == "submit" else "button"}" {mark}>{word}</button>'
    elif c.kind == "link":
        inner = f'<a href="#" {mark}>{word}</a>'
    elif c.kind == "checkbox":
        inner = f'<label {mark}><input type="checkbox" tabindex="0"> {word}</label>'
    elif c.kind == "field":
        inner = (
            f'<label for="f{number}" {mark}>{word}</label>'
            f'<input id="f{number}" {mark} style="flex:1;min-width:0" spellcheck="false">'
        )
    else:
        inner = f"<p>{escape(c.prefix)}<span {mark}>{word}</span></p>"
    width = f"width:{placed.width}px;" if c.kind == "field" else ""
    place = f"left:{placed.left}px;top:{placed.top}px;height:{placed.height}px;{width}"
    return f'<div class="item" style="{place}">{inner}</div>'


def into_rows(controls: Sequence[Control], style: Style, rng: Random) -> list[list[Control]]:
    """Controls in rows, in order; neighbours share a row sometimes, where they fit."""
    rows: list[list[Control]] = []
    left = 0
    for control in controls:
        width = _least_width(control, style)
        if rows and width + GAP <= left and rng.random() < 0.6:
            rows[-1].append(control)
            left -= width + GAP
        else:
            rows.append([control])
            left = SIDE - 2 * MARGIN - width
    return rows


def place_row(row: Sequence[Control], first: int, top: int, style: Style, rng: Random) -> list[Placed]:
    """Places from left to right; the room that is left over goes to gaps and fields at random."""
    tall = row_height(style)
    widths = [_least_width(control, style) for control in row]
    spare = SIDE - 2 * MARGIN - sum(widths) - GAP * (len(row) - 1)
    placed, x = [], MARGIN
    for offset, (control, width) in enumerate(zip(row, widths, strict=True)):
        shift = rng.randint(0, max(spare, 0))
        spare -= shift
        if control.kind == "field":
            grow = rng.randint(0, max(spare, 0))
            spare -= grow
            width += grow
        placed.append(Placed(first + offset, control, x + shift, width, top, tall))
        x += shift + width + GAP
    return placed


def place(
    controls: Sequence[Control], style: Style, rng: Random, first: int = 0, offset: int = 0, within: int = SIDE
) -> list[Placed]:
    """All controls, numbered from `first`, inside SIDE x `within` pixels that begin at y = `offset`.

    The style must have been through `fit` for as many rows as there are controls.
    """
    rows = into_rows(controls, style, rng)
    tall = row_height(style)
    spare = within - 2 * MARGIN - len(rows) * (tall + 2)
    cuts = sorted(rng.randint(0, max(spare, 0)) for _ in rows)
    placed: list[Placed] = []
    number = first
    for index, (row, cut) in enumerate(zip(rows, cuts, strict=True)):
        top = offset + MARGIN + cut + index * (tall + 2)
        placed += place_row(row, number, top, style, rng)
        number += len(row)
    return placed


def lay_out(controls: Sequence[Control], style: Style, rng: Random, first: int = 0) -> str:
    """HTML of controls that `place` puts on one screen."""
    return "".join(map(html_of, place(controls, style, rng, first)))
