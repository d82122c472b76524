"""Screens: pixels and the named controls on them; here drawn with PIL as small web pages, in the looks of a browser.

For every element the word, the box that may be clicked and the box of its text are known, which is all the
supervision that training uses. `eval.nano.training.stored` loads pages of a real browser into the same `Screen`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from envs.playground.words import FIELDS, STATUS, WORDS

SIDE = 280
"""Screens are SIDE x SIDE pixels."""
PATCH = 14
MERGE = 2
CELL = PATCH * MERGE
"""One image token covers a CELL x CELL square."""
GRID = SIDE // CELL
TOKENS = GRID * GRID
"""Image tokens of one screen (100)."""
STEP = 5
"""Click coordinates are multiples of STEP pixels."""
BINS = SIDE // STEP
Box = tuple[int, int, int, int]
Colour = tuple[int, int, int]
KINDS: tuple[str, ...] = ("button", "link", "checkbox", "field")
FILLER: tuple[str, ...] = (
    "Please", "one", "of", "the", "options", "below.", "All", "changes", "are", "kept", "for", "you",
    "until", "window", "is", "closed", "or", "your", "session", "ends;", "nothing", "else", "to", "do",
)  # fmt: skip
BASIC = ImageFont.Layout.BASIC


@dataclass(frozen=True)
class Element:
    """One labelled thing on a screen."""

    kind: str
    """A member of KINDS, or "text" for a word that is not clickable."""
    word: str
    box: Box
    """Where a click hits it (x0, y0, x1, y1)."""
    text: Box
    """Where its word is drawn."""


@dataclass(frozen=True)
class Screen:
    """Pixels uint8 (SIDE, SIDE, 3) and the elements on them."""

    pixels: NDArray[np.uint8]
    elements: tuple[Element, ...]

    @property
    def controls(self) -> tuple[Element, ...]:
        """The elements that can be clicked."""
        return tuple(e for e in self.elements if e.kind in KINDS)


def click_point(element: Element) -> tuple[int, int]:
    """The pixel to click: inside the box, as near to the word as a margin allows, on the STEP lattice.

    For a button that is the centre; for a long field it is the end next to its name, so that the
    answer is always local to the text that names the control.
    """
    point = []
    for axis in (0, 1):
        low, high = element.box[axis], element.box[axis + 2]
        middle = (element.text[axis] + element.text[axis + 2]) / 2
        margin = min((high - low) / 2, 30 if axis == 0 else 10)
        value = min(max(middle, low + margin), high - margin)
        point.append(min(max(STEP * round(value / STEP), 0), SIDE - STEP))
    return point[0], point[1]


@cache
def font_paths() -> tuple[str, ...]:
    """Upright text fonts of this machine (DejaVu and Liberation families), the plain sans first."""
    found = [p for name in ("DejaVu", "Liberation") for p in sorted(Path("/usr/share/fonts").rglob(f"{name}*.ttf"))]
    skipped = ("Oblique", "Italic", "ExtraLight", "Math", "Narrow")
    paths = [str(p) for p in found if not any(s in p.name for s in skipped)]
    return tuple(sorted(paths, key=lambda p: not p.endswith("/DejaVuSans.ttf")))


def random_font(rng: random.Random) -> str:
    """A font file: mostly the sans and serif faces that browsers use by default, sometimes any."""
    endings = tuple(face + weight for face in ("Sans", "Serif") for weight in ("", "-Bold", "-Regular"))
    usual = [p for p in font_paths() if Path(p).stem.endswith(endings)]
    return rng.choice(usual if usual and rng.random() < 0.8 else font_paths())


@cache
def load_font(path: str, size: int) -> ImageFont.FreeTypeFont:
    """A font at a pixel size."""
    return ImageFont.truetype(path, size, layout_engine=BASIC)


def _luma(c: Colour) -> float:
    return 0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2]


def colour_pair(rng: random.Random, wild: float) -> tuple[Colour, Colour]:
    """Background and readable ink; black on white when `wild` is 0, anything with contrast at 1."""
    if rng.random() > wild:
        grey = rng.choice((255, 255, 255, 250, 245, 240))
        return (grey, grey, grey), rng.choice(((0, 0, 0), (17, 17, 17), (34, 34, 34), (51, 51, 51)))
    for _ in range(100):
        low = rng.choice((0, 0, 160, 200, 225))
        back = (rng.randint(low, 255), rng.randint(low, 255), rng.randint(low, 255))
        any_ink = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
        ink: Colour = rng.choice(((0, 0, 0), (255, 255, 255), any_ink))
        if abs(_luma(back) - _luma(ink)) > 95:
            return back, ink
    return (255, 255, 255), (0, 0, 0)


def dense_words(rng: random.Random, level: float) -> Screen:
    """A wall of words for learning to read; `level` 0..1 widens offsets, sizes, fonts and colours.

    At level 0 every word starts at a corner of the token lattice in one font and one size.
    """
    shift, wild = int(28 * min(1.0, level * 2)), max(0.0, level - 0.2)
    path = font_paths()[0] if rng.random() > wild * 1.2 else random_font(rng)
    spread = int(6 * min(1.0, level * 1.5))
    size = rng.randint(max(12, 16 - spread), 16 + min(spread, 5))
    back, ink = colour_pair(rng, 0.8 * wild)
    font = load_font(path, size)
    height = sum(font.getmetrics())
    image = Image.new("RGB", (SIDE, SIDE), back)
    draw = ImageDraw.Draw(image)
    elements = []
    top, left = rng.randint(0, shift), rng.randint(0, shift)
    y = 4 + top
    while y + height < SIDE + 6:
        x = 2 + (left + rng.randint(0, shift)) % 28 - rng.randint(0, shift) // 4
        while x < SIDE - 30:
            word = rng.choice(WORDS + STATUS)
            width = int(font.getlength(word)) + 1
            if x + width > SIDE + 1:
                break
            box_back, box_ink = (back, ink) if rng.random() > 0.6 * wild else colour_pair(rng, 1.0)
            if box_back != back:
                pad = rng.randint(1, 6)
                draw.rectangle((x - pad, y - pad // 2, x + width + pad, y + height + pad // 2), fill=box_back)
            draw.text((x, y), word, fill=box_ink, font=font)
            box = (x, y, x + width, y + height)
            elements.append(Element("text", word, box, box))
            x += -(-(width + 4) // 28) * 28 + rng.randint(0, shift)
            if level > 0.6 and rng.random() < 0.3:
                x += rng.randint(10, 80)
        y += 28 + rng.randint(0, shift) // 2
    return Screen(np.asarray(image), tuple(elements))


@dataclass
class Canvas:
    """A page being drawn: its look, and the elements placed so far."""

    rng: random.Random
    image: Image.Image
    draw: ImageDraw.ImageDraw
    font: ImageFont.FreeTypeFont
    back: Colour
    ink: Colour
    accent: tuple[Colour, Colour] | None
    radius: int
    elements: list[Element] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @property
    def line(self) -> int:
        """Height of a line of text."""
        return sum(self.font.getmetrics())

    def pick(self, words: tuple[str, ...]) -> str:
        """A word that the page does not show yet."""
        word = self.rng.choice([w for w in words if w not in self.used])
        self.used.add(word)
        return word

    def width(self, text: str) -> int:
        """Drawn width of a text."""
        return round(self.font.getlength(text))

    def write(self, x: int, y: int, text: str, ink: Colour | None = None) -> Box:
        """Draw a text and return its line box."""
        self.draw.text((x, y), text, fill=ink or self.ink, font=self.font)
        return x, y, x + self.width(text), y + self.line


def new_canvas(rng: random.Random) -> Canvas:
    """An empty page with a random look; half of the pages are plain black on white."""
    back, ink = colour_pair(rng, 0.45)
    path = font_paths()[0] if rng.random() < 0.4 else random_font(rng)
    size = rng.choice((13, 13, 14, 15, 16, 16, 17, 18, 19, 20))
    image = Image.new("RGB", (SIDE, SIDE), back)
    accent = colour_pair(rng, 1.0) if rng.random() < 0.5 else None
    return Canvas(
        rng, image, ImageDraw.Draw(image), load_font(path, size),
        back, ink, accent, rng.choice((0, 2, 3, 3, 4, 6, 8)),
    )  # fmt: skip


def place_button(c: Canvas, x: int, y: int, word: str) -> Box:
    """A push button; returns its outer box."""
    px, py = (6, 1) if c.accent is None and c.rng.random() < 0.5 else (c.rng.randint(6, 18), c.rng.randint(2, 9))
    w, h = c.width(word) + 2 * px + 4, c.line + 2 * py + 4
    fill, ink = c.accent or ((239, 239, 239), (0, 0, 0))
    framed = c.accent is None or c.rng.random() < 0.3
    radius, edge = (max(3, c.radius), (118, 118, 118)) if framed else (c.radius, None)
    c.draw.rounded_rectangle((x, y, x + w - 1, y + h - 1), radius, fill=fill, outline=edge)
    text = c.write(x + px + 2, y + py + 2, word, ink)
    c.elements.append(Element("button", word, (x, y, x + w, y + h), text))
    return x, y, x + w, y + h


def place_link(c: Canvas, x: int, y: int, word: str) -> Box:
    """A link, usually underlined and blue where that is readable."""
    ink: Colour = c.ink
    if _luma(c.back) > 140 and c.rng.random() < 0.75:
        ink = c.rng.choice(((0, 0, 238), (0, 0, 238), (26, 13, 171), (0, 102, 204), (85, 26, 139)))
    text = c.write(x, y, word, ink)
    if c.rng.random() < 0.8:
        base = y + c.font.getmetrics()[0] + 2
        c.draw.line((x, base, text[2], base), fill=ink)
    c.elements.append(Element("link", word, text, text))
    return text


def place_checkbox(c: Canvas, x: int, y: int, word: str) -> Box:
    """A checkbox with its label; both are clickable."""
    side = c.rng.choice((13, 13, 13, 16))
    top = y + (c.line - side) // 2
    on = c.rng.random() < 0.4
    fill, edge = ((0, 117, 255), (0, 117, 255)) if on else ((255, 255, 255), (118, 118, 118))
    c.draw.rounded_rectangle((x, top, x + side - 1, top + side - 1), 2, fill=fill, outline=edge)
    if on:
        tick = [(x + 3, top + side // 2), (x + side // 2 - 1, top + side - 4), (x + side - 3, top + 3)]
        c.draw.line(tick, fill=(255, 255, 255), width=2)
    text = c.write(x + side + c.rng.randint(4, 8), y, word)
    box = (x, min(y, top), text[2], max(text[3], top + side))
    c.elements.append(Element("checkbox", word, box, text))
    return box


def place_field(c: Canvas, x: int, y: int, word: str) -> Box:
    """A text field whose name stands to its left, above it, or inside as a placeholder."""
    style = c.rng.choice(("left", "left", "above", "inside"))
    h = c.line + c.rng.randint(2, 10)
    left, top = x, y
    if style == "left":
        left = x + c.width(word) + c.rng.randint(4, 12)
        text = c.write(x, y + (h - c.line) // 2, word)
    elif style == "above":
        text = c.write(x, y, word)
        top = y + c.line + c.rng.randint(1, 4)
    right = min(SIDE - c.rng.randint(2, 30), left + c.rng.randint(70, 190))
    edge = c.rng.choice(((118, 118, 118), (118, 118, 118), (170, 170, 170), (60, 60, 60)))
    fill = c.rng.choice(((255, 255, 255), (255, 255, 255), c.back))
    c.draw.rounded_rectangle((left, top, right - 1, top + h - 1), c.rng.choice((0, 0, 2, 4)), fill=fill, outline=edge)
    if style == "inside":
        ink = (117, 117, 117) if _luma(fill) > 140 else (210, 210, 210)
        text = c.write(left + c.rng.randint(3, 8), top + (h - c.line) // 2, word, ink)
    c.elements.append(Element("field", word, (left, top, right, top + h), text))
    return x, y, right, top + h


def place_text(c: Canvas, x: int, y: int, word: str) -> Box:
    """A word of plain text."""
    text = c.write(x, y, word)
    c.elements.append(Element("text", word, text, text))
    return text


PLACERS = {
    "button": place_button, "link": place_link, "checkbox": place_checkbox, "field": place_field, "text": place_text,
}  # fmt: skip


def _room(c: Canvas, kind: str, word: str) -> int:
    """Width that a control needs at most."""
    extra = {"button": 40, "link": 0, "checkbox": 24, "text": 0}.get(kind)
    return c.width(word) + extra if extra is not None else max(c.width(word) + 90, 110)


def control_page(rng: random.Random, most: int = 9) -> Screen:
    """A page of up to `most` controls in rows, some with filler text, all words different."""
    while True:
        c = new_canvas(rng)
        y = rng.randint(2, 40)
        if rng.random() < 0.3:
            c.write(rng.randint(4, 20), y, " ".join(rng.sample(FILLER, rng.randint(2, 5))))
            y += c.line + rng.randint(4, 20)
        count = rng.randint(2, most)
        while y < SIDE - 2 * c.line and len(c.elements) < count:
            x, bottom = rng.randint(4, rng.choice((20, 60, 140))), y
            for _ in range(rng.choice((1, 1, 2, 3))):
                kind = rng.choices((*KINDS, "text"), (4, 3, 2, 2.5, 0.8))[0]
                word = c.pick(FIELDS if kind == "field" and rng.random() < 0.7 else WORDS)
                if x + _room(c, kind, word) > SIDE - 2 or len(c.elements) >= count:
                    break
                if y + (2.6 if kind == "field" else 1.9) * c.line > SIDE:
                    break
                box = PLACERS[kind](c, x, y, word)
                x, bottom = box[2] + rng.randint(5, 30), max(bottom, box[3])
            y = max(bottom, y + 4) + rng.randint(3, rng.choice((12, 30, 60)))
        screen = Screen(np.asarray(c.image), tuple(c.elements))
        if screen.controls:
            return screen


def done_page(rng: random.Random) -> Screen:
    """The page after success: the word Done, sometimes with other words around."""
    c = new_canvas(rng)
    x, y = rng.randint(4, 150), rng.randint(4, 200)
    place_text(c, x, y, "Done")
    return Screen(np.asarray(c.image), tuple(c.elements))
