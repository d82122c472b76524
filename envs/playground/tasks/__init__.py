"""All tasks, one module each with `generate(seed) -> Page`, and the one function that makes a page of any of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from envs.playground.page import Page
from envs.playground.tasks import click, dialog, form, order, remember, scroll

TASKS: dict[str, Callable[[int], Page]] = {
    "click": click.generate,
    "form": form.generate,
    "form_many": form.generate_many,
    "scroll": scroll.generate,
    "remember_1": partial(remember.generate, 1),
    "remember_2": partial(remember.generate, 2),
    "remember_3": partial(remember.generate, 3),
    "order": order.generate,
    "dialog": dialog.generate,
}


def make_page(task: str, seed: int) -> Page:
    """Page of a task, the same for the same seed everywhere. Raises KeyError for an unknown task."""
    return TASKS[task](seed)


def chance_of(task: str, seed: int) -> float:
    """How probably a page is solved by who knows the rules, but picks at random. Raises KeyError."""
    return make_page(task, seed).chance
