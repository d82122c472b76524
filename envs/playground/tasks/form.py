"""Fill named fields with given words, then press the named button."""

from __future__ import annotations

from random import Random

from envs.playground.layout import fit, lay_out
from envs.playground.page import Control, Page, Screen, assemble
from envs.playground.style import css, make_style
from envs.playground.words import ACTIONS, CODES, FIELDS


def generate(seed: int) -> Page:
    """One field."""
    return _form("form", seed, 1, 1)


def generate_many(seed: int) -> Page:
    """Two to four fields."""
    return _form("form_many", seed, 2, 4)


def _form(task: str, seed: int, least: int, most: int) -> Page:
    rng = Random(f"playground {task} {seed}")
    names = rng.sample(FIELDS, rng.randint(least, most))
    values = rng.sample(CODES, len(names))
    buttons = rng.sample(ACTIONS, rng.randint(1, 3))
    submit = rng.choice(buttons)
    controls = [Control(name, "field", want=value) for name, value in zip(names, values, strict=True)]
    controls += [Control(word, "button", "submit" if word == submit else "wrong") for word in buttons]
    style = fit(make_style(rng), len(controls))
    html = lay_out(controls, style, rng)
    chance = 1 / len(CODES) ** len(names) / len(buttons)
    return assemble(task, seed, _goal(names, values, submit), css(style), [Screen(html, controls)], chance)


def _goal(names: list[str], values: list[str], submit: str) -> str:
    parts = [f"{name} with {value}" for name, value in zip(names, values, strict=True)]
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Fill {listed}, then press {submit}."
