"""What the page shows of a run and of each step, taken from the recorded JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.report.html import Raw
from agent.report.markers import marker_svg
from agent.report.pictures import Pictures, veil_of
from agent.text import describe, number, size
from envs.actions import load_action

PHASES: tuple[tuple[str, str], ...] = (
    ("screenshot", "screenshot"),
    ("vision", "vision"),
    ("prefill", "prefill"),
    ("compression", "compression"),
    ("decoding", "decoding"),
    ("approve", "approval"),
    ("execute", "execution"),
    ("settle", "settling"),
)
"""Phases in the order of a step, with their labels."""

CACHE = ("policy", "budget", "moment", "window", "history")
"""Settings of the cache that are told."""


@dataclass(frozen=True)
class ActionView:
    """One action in words. `tone` is ok, changed, refused or failed."""

    text: str
    tone: str
    remark: str
    target: str
    typed: str
    events: tuple[str, ...]


@dataclass(frozen=True)
class FrameView:
    """A screenshot in the cache: its picture, what is still kept of it, and how much that is in percent."""

    number: int
    css: str
    veil: str
    percent: float
    ratio: str
    current: bool


def _cost(name: str) -> Callable[[StepView], float]:
    """Reads a figure of the step's cost, 0 where there is none."""
    return lambda step: float(step.cost.get(name, 0) or 0)


@dataclass(frozen=True)
class StepView:
    number: int
    title: str
    thought: str
    call: str
    raw: tuple[str, ...]
    notes: tuple[str, ...]
    error: str
    actions: tuple[ActionView, ...]
    css: str
    ratio: str
    narrow: bool
    marker: Raw
    where: str
    seconds: Mapping[str, float]
    total: float
    cost: Mapping[str, Any]
    frames: tuple[FrameView, ...]
    gone: int
    """Older screenshots of which nothing is left."""

    kv_bytes = property(_cost("kv_bytes"))
    full_kv_bytes = property(_cost("full_kv_bytes"))
    tokens_new = property(_cost("tokens_new"))
    tokens_reused = property(_cost("tokens_reused"))
    tokens_recomputed = property(_cost("tokens_recomputed"))

    @property
    def tokens_first(self) -> float:
        """Computed for the first time."""
        return max(self.tokens_new - self.tokens_recomputed, 0.0)

    @property
    def kv_text(self) -> str:
        states = _cost("state_bytes")(self)
        return f"{size(self.kv_bytes)} of {size(self.full_kv_bytes)}" + (
            f" + {size(states)} of states" if states else ""
        )

    @property
    def kv_percent(self) -> float:
        return _percent(self.kv_bytes, self.full_kv_bytes)

    @property
    def token_text(self) -> str:
        again = f" ({number(self.tokens_recomputed)} of them again)" if self.tokens_recomputed else ""
        return f"{number(self.tokens_new)} computed{again}, {number(self.tokens_reused)} reused"

    @property
    def token_bars(self) -> tuple[tuple[str, float], ...]:
        """CSS class and percent of the bar, in order."""
        parts = (("reused", self.tokens_reused), ("again", self.tokens_recomputed), ("new", self.tokens_first))
        whole = sum(value for _, value in parts)
        return tuple((name, _percent(value, whole)) for name, value in parts if value)

    @property
    def time_bars(self) -> tuple[tuple[str, str, float, float], ...]:
        """CSS class, label, seconds and percent of each phase; what is in no phase comes last."""
        parts = [(name, label, self.seconds[name]) for name, label in PHASES if self.seconds.get(name)]
        rest = self.total - sum(value for _, _, value in parts)
        if rest > 0.005:
            parts.append(("rest", "other", rest))
        whole = sum(value for _, _, value in parts)
        return tuple((name, label, value, _percent(value, whole)) for name, label, value in parts)


def step_view(data: Mapping[str, Any], pictures: Pictures, seen: int = 0) -> StepView:
    """View of one line of steps.jsonl. seen: screenshots up to this step

    Raises KeyError, TypeError, ValueError when it is damaged.
    """
    actions = data.get("actions") or []
    seconds = {str(name): float(value) for name, value in (data.get("seconds") or {}).items()}
    frame = data.get("frame")
    width, height = pictures.size(frame) if isinstance(frame, int) else (1, 1)
    views = tuple(_action(action) for action in actions)
    context = data.get("context") or {}
    frames = _frames(data.get("kept_patches") or {}, frame, pictures)
    return StepView(
        number=int(data["step"]),
        title="; ".join(view.text for view in views) or "nothing was done",
        thought=str(data.get("thought") or ""),
        call=str(data.get("call") or ""),
        raw=tuple(str(text) for text in data.get("raw") or []),
        notes=(*map(str, data.get("notes") or []), *([f"no picture: {data['hidden']}"] if data.get("hidden") else [])),
        error=_error(data.get("error")),
        actions=views,
        css=pictures.css_class(frame) if isinstance(frame, int) else "",
        ratio=f"{width} / {height}",
        narrow=height >= width,
        marker=marker_svg(actions, width, height),
        where=str(context.get("url") or context.get("package") or context.get("title") or ""),
        seconds=seconds,
        total=seconds.get("total", 0.0),
        cost=data.get("cost") or {},
        frames=tuple(view for view in frames if view.percent > 0 or view.current),
        gone=max(0, seen - sum(1 for view in frames if view.percent > 0 or view.current)),
    )


def header_view(header: Mapping[str, Any], steps: Sequence[StepView]) -> dict[str, Any]:
    """What stands at the top of the page."""
    model, cache = header.get("model") or {}, header.get("cache") or {}
    flops, stateless = (sum(map(_cost(name), steps)) for name in ("flops", "flops_stateless"))
    last = steps[-1] if steps else None
    reused = sum(step.tokens_reused for step in steps)
    computed = sum(step.tokens_new for step in steps)
    cards = [("steps", str(len(steps))), ("time", f"{sum(step.total for step in steps):.1f} s")]
    if computed:
        cards.append(("tokens computed", number(computed)))
        cards.append(("tokens reused", f"{_percent(reused, reused + computed):.0f} %"))
    if last is not None and last.full_kv_bytes:
        cards.append(("cache at the end", last.kv_text))
    if flops and stateless:
        cards.append(("work against stateless", f"{stateless / flops:.1f}× less"))
    facts = {"model": model.get("name")} | {name: cache.get(name) for name in CACHE}
    facts |= {name: header.get(name) for name in ("environment", "started")} | (header.get("versions") or {})
    usual = {"task": "a run", "status": "unknown", "reason": "", "message": ""}
    return {
        **{name: str(header.get(name) or other) for name, other in usual.items()},
        "error": _error(header.get("error")),
        "cards": cards,
        "facts": [(label, str(value)) for label, value in facts.items() if value not in (None, "")],
    }


def _action(data: Mapping[str, Any]) -> ActionView:
    shown = load_action(data["executed"] or data["wanted"])
    decision, error = str(data.get("decision") or ""), _error(data.get("error"))
    tone, remark = "ok", ""
    if error:
        tone, remark = "failed", error
    elif decision in ("reject", "ask", "stop"):
        done = "stopped" if decision == "stop" else "not done"
        tone, remark = "refused", f"{done}: {data.get('reason') or ''}"
    elif decision == "modify":
        tone, remark = "changed", f"the model wanted: {describe(load_action(data['wanted']))}"
    elif data.get("reason"):
        remark = f"approved: {data['reason']}"
    events = tuple(_event(event) for event in data.get("events") or [])
    typed = shown.text if shown.type == "type" else ""
    return ActionView(describe(shown), tone, remark, str(data.get("target") or ""), typed, events)


def _event(event: Mapping[str, Any]) -> str:
    detail = ", ".join(f"{name}: {value}" for name, value in (event.get("detail") or {}).items())
    return f"{event.get('kind')}{' — ' + detail if detail else ''}"


def _error(error: Mapping[str, Any] | None) -> str:
    return f"{error.get('stage')}: {error.get('message')}" if error else ""


def _frames(kept: Mapping[str, Any], current: Any, pictures: Pictures) -> tuple[FrameView, ...]:
    views = []
    for name, patches in sorted(kept.items(), key=lambda item: int(item[0])):
        frame = int(name)
        (width, height), (veil, percent) = pictures.size(frame), veil_of(patches)
        css, ratio = pictures.css_class(frame), f"{width} / {height}"
        views.append(FrameView(frame, css, veil, percent, ratio, frame == current))
    return tuple(views)


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole > 0 else 0.0
