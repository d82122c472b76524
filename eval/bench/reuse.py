"""How much of a session's ledger every step reuses: each dialect, its two history layouts, each history window.

Nothing is timed and no model has to be good: reuse is decided on token ids and picture content alone, so a tiny random
model sees drawn screenshots, and its answers are written by the dialect and fed to the session token by token, as if
it had generated them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, get_args

from PIL import Image

from agent.dialects import DIALECTS, Dialect
from agent.dialects.layouts import Layout
from agent.history import History, Observation, Turn
from envs.geometry import Resize, Size
from eval.bench.reuse_world import SCREEN, TASK, action, screenshot, small_model, thought
from guikv.budget import parse_budget
from guikv.content import Frame, Reply
from guikv.errors import GuikvError
from guikv.models.base import Adapter
from guikv.policies import make_policy
from guikv.session import Session
from guikv.settings import HistoryWindow, Settings

LAYOUTS: tuple[Layout, ...] = get_args(Layout)
WINDOWS: tuple[HistoryWindow, ...] = get_args(HistoryWindow)


class ReuseError(GuikvError):
    """There is no such dialect."""


@dataclass(frozen=True)
class ReuseStep:
    """held: tokens in the ledger before the step; prompt: those of the conversation; reused: those not computed."""

    held: int
    prompt: int
    reused: int


@dataclass(frozen=True)
class ReuseRun:
    """One episode under one dialect, layout and window."""

    dialect: str
    layout: Layout
    window: HistoryWindow
    steps: tuple[ReuseStep, ...]

    @property
    def shares(self) -> list[float]:
        """Of the ledger, what each step from the second on reuses, 0 to 1."""
        return [step.reused / step.held for step in self.steps[1:]]

    def to_dict(self) -> dict[str, Any]:
        """JSON form; shares are of the ledger, from the second step on."""
        later = self.steps[1:]
        return {
            "dialect": self.dialect,
            "layout": self.layout,
            "window": self.window,
            "ledger_reused": [round(share, 4) for share in self.shares],
            "ledger_reused_mean": round(mean(self.shares), 4),
            "prompt_reused_mean": round(mean(step.reused / step.prompt for step in later), 4),
            "tokens_computed_mean": round(mean(step.prompt - step.reused for step in later), 1),
            "tokens": [[step.held, step.prompt, step.reused] for step in self.steps],
        }


def play(
    dialect: Dialect, session: Session, pictures: Sequence[Image.Image], task: str = TASK
) -> Iterator[tuple[int, ReuseStep]]:
    """Run the episode; after every step its number and what it reused."""
    adapter = session.adapter
    history = History()
    for number, picture in enumerate(pictures):
        observation = Observation(Frame(picture, number))
        held = session.tokens
        session.extend(dialect.render(task, history, observation))
        cost = session.cost
        session.compress()
        width, height = adapter.image_size(picture.size)
        resize = Resize(Size(*picture.size), Size(width, height))
        text = dialect.write(thought(number), [action(number)], resize)
        ids = tuple(adapter.tokenizer.encode(text, add_special_tokens=False))
        for token in ids:
            session.feed(token)
        history = history.add(Turn(observation, Reply(ids, text)))
        yield number, ReuseStep(held, cost.tokens_reused + cost.tokens_new, cost.tokens_reused)


def chosen(names: str) -> tuple[str, ...]:
    """Names with commas between, all when empty. Raises ReuseError for an unknown one."""
    wanted = tuple(name.strip() for name in names.split(",") if name.strip()) or tuple(DIALECTS)
    unknown = [name for name in wanted if name not in DIALECTS]
    if unknown:
        raise ReuseError(f"there is no dialect {unknown[0]!r}: there are {', '.join(DIALECTS)}")
    return wanted


def run_bench(
    dialects: Sequence[str],
    steps: int = 12,
    history: int = 5,
    budget: str = "20%",
    policy: str = "gui_kv",
    layouts: Sequence[Layout] = LAYOUTS,
    windows: Sequence[HistoryWindow] = WINDOWS,
    size: Size = SCREEN,
    adapter: Adapter | None = None,
    report: Callable[[str, int], None] = lambda name, step: None,
) -> dict[str, Any]:
    """All combinations, one after the other; `report` is told of every step."""
    model = adapter or small_model()
    pictures = [screenshot(number, size) for number in range(steps)]
    runs: list[ReuseRun] = []
    for name in dialects:
        for layout in layouts:
            for window in windows:
                session = Session(
                    model, Settings(make_policy(policy), parse_budget(budget), "next_observation", window, history)
                )
                taken: list[ReuseStep] = []
                for number, step in play(DIALECTS[name](layout=layout), session, pictures):
                    taken.append(step)
                    report(f"{name}, {layout}, {window}", number)
                session.close()
                runs.append(ReuseRun(name, layout, window, tuple(taken)))
    settings = {
        "steps": steps,
        "history": history,
        "budget": budget,
        "policy": policy,
        "screenshot": [size.width, size.height],
    }
    return {"runs": [run.to_dict() for run in runs], "settings": settings}
