"""A playground page: HTML that runs without network, and the goal that only the model's prompt shows."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Literal

SIDE = 280
"""Width and height of the part of a page that is on screen, in CSS pixels."""

WHEEL_PIXELS = 40
"""A wheel click scrolls a little, as the screen is small: five of them leave something of what was seen."""

SCROLL_CLICKS = 5
"""Wheel clicks of the right scroll: what a call without an amount does."""

Kind = Literal["button", "link", "checkbox", "field", "text"]
Role = Literal["right", "wrong", "next", "submit", "pick", "uncover", "idle"]


@dataclass(frozen=True)
class Page:
    """One generated page. `html` is complete: no other file is needed.

    `chance` is how probably one succeeds who knows the rules, but picks at random among what can be clicked on
    each screen and among the codes for what is to be typed.
    """

    html: str
    goal: str
    task: str
    seed: int
    chance: float

    @property
    def harness(self) -> str:
        """Name of the page's JavaScript variable that holds the harness functions."""
        return harness_name(self.task, self.seed)


@dataclass(frozen=True)
class Control:
    """Something on a page, and what a click on it does.

    right ends the episode well, wrong ends it badly, next shows the following screen, submit compares the fields
    with what was wanted, pick takes the control away when its `turn` has come (the last one ends the episode well)
    and ends it badly before, uncover takes the dialog away, idle only does what the control does anyway. The role
    is not in the control's HTML.
    """

    word: str
    kind: Kind
    role: Role = "idle"
    prefix: str = ""
    want: str | None = None
    turn: int | None = None


@dataclass(frozen=True)
class Screen:
    """HTML of one screenful (or more, when it scrolls) and its controls in the order of their numbers."""

    html: str
    controls: Sequence[Control] = field(default_factory=tuple)


def harness_name(task: str, seed: int) -> str:
    """The name differs from page to page and appears nowhere on the screen, so nothing seen there leads to it."""
    return "h" + sha256(f"playground harness {task} {seed}".encode()).hexdigest()[:24]


@cache
def _engine() -> str:
    return (files("envs.playground") / "engine.js").read_text(encoding="utf-8")


def assemble(task: str, seed: int, goal: str, css: str, screens: Sequence[Screen], chance: float) -> Page:
    """Page of one or more screens, shown one after the other."""
    controls = [
        {"word": c.word, "kind": c.kind, "role": c.role, "want": c.want, "turn": c.turn}
        for screen in screens
        for c in screen.controls
    ]
    sections = "".join(
        f"<section{'' if number == 0 else ' hidden'}>{screen.html}</section>" for number, screen in enumerate(screens)
    )
    # "</" would end the script element early, whatever string it stands in.
    config = json.dumps({"name": harness_name(task, seed), "controls": controls}).replace("</", "<\\/")
    text = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Page</title>'
        f"<style>{css}</style></head><body><form autocomplete='off'>{sections}</form>"
        f"<script>({_engine()})({config});</script></body></html>"
    )
    return Page(html=text, goal=goal, task=task, seed=seed, chance=chance)


def escape(text: str) -> str:
    return html.escape(text, quote=True)
