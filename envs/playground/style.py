"""The look of a page: font, colours with readable contrast, and how buttons and fields are drawn."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from random import Random

MIN_CONTRAST = 4.5
"""WCAG contrast ratio that text keeps to what is behind it."""


@dataclass(frozen=True)
class Style:
    """`font` and `padding` (above and below a label) are CSS pixels. Empty `button` means the browser's own look."""

    family: str
    font: int
    bold: bool
    padding: int
    background: str
    text: str
    link: str
    underline: bool
    button: str
    field: str


def _luminance(rgb: tuple[float, float, float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two #rrggbb colours, 1 to 21."""
    lights = [_luminance(_parse(colour)) for colour in (one, other)]
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def _parse(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _colour(rng: Random, light: float, saturation: float) -> str:
    rgb = colorsys.hls_to_rgb(rng.random(), light, saturation)
    return "#" + "".join(f"{round(c * 255):02x}" for c in rgb)


def _on(rng: Random, background: str) -> str:
    """A colour that can be read on `background`."""
    dark_text = contrast(background, "#000000") > contrast(background, "#ffffff")
    for _ in range(40):
        light = rng.uniform(0.0, 0.35) if dark_text else rng.uniform(0.75, 1.0)
        colour = _colour(rng, light, rng.random())
        if contrast(colour, background) >= MIN_CONTRAST:
            return colour
    return "#000000" if dark_text else "#ffffff"


def _background(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.35:
        return "#ffffff"
    if kind < 0.8:
        return _colour(rng, rng.uniform(0.85, 0.98), rng.uniform(0.0, 0.8))
    return _colour(rng, rng.uniform(0.06, 0.22), rng.uniform(0.0, 0.6))


def _button(rng: Random) -> str:
    if rng.random() < 0.35:
        return ""
    face = _colour(rng, rng.choice((rng.uniform(0.2, 0.45), rng.uniform(0.75, 0.95))), rng.uniform(0.1, 0.9))
    label = _on(rng, face)
    edge = rng.choice(("none", f"1px solid {label}", "1px solid #888888", f"2px solid {_colour(rng, 0.5, 0.3)}"))
    shadow = rng.choice(("", "", "box-shadow:1px 1px 2px #888888;"))
    radius = rng.choice((0, 2, 4, 8, 12))
    return f"background:{face};color:{label};border:{edge};border-radius:{radius}px;{shadow}"


def _field(rng: Random) -> str:
    if rng.random() < 0.4:
        return ""
    edge = rng.choice(("1px solid #888888", "2px solid #777777", "1px solid #444444"))
    return f"background:#ffffff;color:#000000;border:{edge};border-radius:{rng.choice((0, 3, 6))}px;"


def make_style(rng: Random) -> Style:
    """A style drawn at random."""
    background = _background(rng)
    return Style(
        family=rng.choice(("sans-serif", "sans-serif", "serif")),
        font=rng.randint(13, 20),
        bold=rng.random() < 0.2,
        padding=rng.randint(1, 8),
        background=background,
        text=_on(rng, background),
        link="#0000ee" if contrast("#0000ee", background) >= MIN_CONTRAST else _on(rng, background),
        underline=rng.random() < 0.8,
        button=_button(rng),
        field=_field(rng),
    )


def css(style: Style) -> str:
    """Style sheet of a page. Nothing moves or fades, so that two pictures in a row can be equal."""
    weight = "bold" if style.bold else "normal"
    return (
        "*{box-sizing:border-box;animation:none!important;transition:none!important;caret-color:transparent}"
        "html{scrollbar-width:none}"
        f"html,body{{margin:0;background:{style.background};color:{style.text}}}"
        f"body,button,input,label,a,p{{font:{weight} {style.font}px/1.25 {style.family}}}"
        "[hidden]{display:none}"
        ".item{position:absolute;display:flex;align-items:center;gap:6px;white-space:nowrap}"
        f"button{{padding:{style.padding}px 8px;margin:0;{style.button}}}"
        f"a{{color:{style.link};text-decoration:{'underline' if style.underline else 'none'}}}"
        "input[type=checkbox]{width:1em;height:1em;margin:0;accent-color:#1a73e8;vertical-align:-2px}"
        f"input:not([type=checkbox]){{padding:{min(style.padding, 4)}px 3px;margin:0;{style.field}}}"
        "p{margin:0}"
        ".veil{position:fixed;inset:0}"
        ".panel{position:absolute}"
    )
