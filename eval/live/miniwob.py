"""MiniWoB as a site of live evaluations: pages that no model here was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from agent.errors import ConfigError
from envs.browser import BrowserOptions
from envs.miniwob import MiniWob, task_names
from eval.live.plan import Plan
from eval.options import chosen

EXCLUDED: dict[str, tuple[str, ...]] = {
    "drag: something must be moved while the button is held": (
        "daily-calendar", "drag-box", "drag-circle", "drag-cube", "drag-items", "drag-items-grid", "drag-shapes",
        "drag-shapes-2", "drag-single-shape", "drag-sort-numbers", "draw-circle", "draw-line", "resize-textarea",
    ),
    "select text: a drag, a double click or a chord": ("highlight-text", "highlight-text-2", "text-editor"),
    "chord: made for Ctrl-C and Ctrl-V": ("copy-paste", "copy-paste-2"),
    "hover: the pointer must stay on something that moves or changes": ("chase-circle", "hover-shape"),
}  # fmt: skip
"""Reason → tasks that click, type, scroll and finished cannot express. Who has one solvable episode stays."""

SCREEN = (280, 280)
"""The screen that nano was trained on, in CSS pixels."""
_STILL_SECONDS = 1.0
"""Some pages never stand still; no longer than this is waited for them."""
_REPLY_SECONDS = 30.0


def choose_tasks(text: str = "") -> tuple[str, ...]:
    """`a,b` → names; empty: all that can be expressed. Raises ConfigError, and SetupError without the package."""
    known = task_names()
    why = {task: reason for reason, tasks in EXCLUDED.items() for task in tasks}
    names = chosen(text, known, "--tasks: there is no task")
    for name in names:
        if name in why:
            raise ConfigError(f"--tasks: {name} cannot be solved by clicks, typing and scrolling", why[name])
    return names or tuple(name for name in known if name not in why)


@dataclass(frozen=True)
class MiniWobSite:
    """zoom: 0 for a screen of SCREEN, else the task area alone, so much larger"""

    zoom: int = 0
    name: ClassVar[str] = "miniwob"
    gives_up: ClassVar[bool] = False

    def launch(self, task: str, seed: int) -> MiniWob:
        """A browser with the task. Raises EnvError."""
        options = BrowserOptions(wheel_pixels=40, stable_seconds=_STILL_SECONDS, reply_seconds=_REPLY_SECONDS)
        viewport = None if self.zoom else SCREEN
        return MiniWob.launch(task, seed, max(1, self.zoom), options=options, viewport=viewport)

    def facts(self, page: MiniWob, task: str, seed: int) -> Mapping[str, float]:
        """The page's own reward, not reduced by the time taken."""
        return {"reward": page.reward}


def settings_text(plan: Plan) -> str:
    """Everything but model and weights that a task's result depends on, as the CSV has it."""
    cache = plan.config.cache
    options = " ".join(f"{name}={value}" for name, value in sorted(cache.options.items()))
    zoom = plan.site.zoom if isinstance(plan.site, MiniWobSite) else 0
    words = (
        cache.policy, options, cache.budget, cache.moment, cache.window, f"history={cache.history}",
        f"steps={plan.config.limits.steps}", f"zoom={zoom}",
    )  # fmt: skip
    return " ".join(word for word in words if word)
