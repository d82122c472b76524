"""All tasks, and the one function that makes a page of any of them."""

from __future__ import annotations

from collections.abc import Callable

from envs.playground.page import Page
from envs.playground.tasks import click, form, remember, scroll

TASKS: dict[str, Callable[[int], Page]] = {
    "click": click.generate,
    "form": form.generate,
    "scroll": scroll.generate,
    "remember": remember.generate,
}


def make_page(task: str, seed: int) -> Page:
    """Page of a task, the same for the same seed everywhere. Raises KeyError for an unknown task."""
    return TASKS[task](seed)
