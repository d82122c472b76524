"""What is written down of a step and of a whole run."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

from agent.errors import AgentError
from envs.actions import Action, dump_action, points_of
from envs.base import EnvError, Event
from envs.geometry import Resize, Viewport
from guikv.errors import GuikvError

Status = Literal["success", "failure", "stopped", "limit", "error"]
Stage = Literal["screenshot", "model", "parse", "approve", "execute", "settle", "verdict", "record", "loop"]


@dataclass(frozen=True)
class Failure:
    """A typed error and where in the step it came up. `trace` is kept only for errors nobody foresaw."""

    stage: Stage
    type: str
    message: str
    trace: str = ""

    @classmethod
    def of(cls, stage: Stage, error: BaseException) -> Failure:
        known = isinstance(error, (AgentError, EnvError, GuikvError))
        trace = "" if known else "".join(traceback.format_exception(error))[-4000:]
        return cls(stage, type(error).__name__, str(error) or type(error).__name__, trace)

    def to_dict(self) -> dict[str, str]:
        shown = {"stage": self.stage, "type": self.type, "message": self.message}
        return {**shown, "trace": self.trace} if self.trace else shown


@dataclass(frozen=True)
class Done:
    """One action of a step: what was asked for, what the approver decided, what was done, what came of it.

    `executed` differs from `wanted` when a person changed it, and is None when it was not done.
    """

    wanted: Action
    decision: str
    reason: str = ""
    executed: Action | None = None
    target: str = ""
    events: tuple[Event, ...] = ()
    error: Failure | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form, as it stands in the record."""
        shown = self.executed or self.wanted
        return {
            "wanted": dump_action(self.wanted),
            "executed": None if self.executed is None else dump_action(self.executed),
            "points": [list(point) for point in points_of(shown)],
            "decision": self.decision,
            "reason": self.reason,
            "target": self.target,
            "events": [{"kind": event.kind, "detail": dict(event.detail)} for event in self.events],
            "error": None if self.error is None else self.error.to_dict(),
        }


def undecided(action: Action) -> Done:
    """An action of which the record will know no more, should the program end now."""
    why = "the program ended before this was recorded as done; it may have been done"
    return Done(action, "unknown", error=Failure("execute", "Interrupted", why))


@dataclass(frozen=True)
class Kept:
    """Which patches of one frame the cache still holds: a digit 0..9 per patch, row-major."""

    rows: int
    cols: int
    kept: str

    def to_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "cols": self.cols, "kept": self.kept}

    def to_line(self) -> dict[str, Any]:
        """The form of a line in the record: `runs` for `kept` where that is shorter, digit and count in turns."""
        runs = [number for digit, same in groupby(self.kept) for number in (int(digit), len(list(same)))]
        shorter = 4 * len(runs) < len(self.kept)
        return {"rows": self.rows, "cols": self.cols, **({"runs": runs} if shorter else {"kept": self.kept})}


MOST_PATCHES = 1 << 20
"""Of one screenshot; more are no screenshot's."""
NOTHING: dict[str, Any] = {}
"""What a record's line says of a screenshot of which the last entry has gone since the step before."""


def read_patches(before: Mapping[str, Any], line: Mapping[str, Any]) -> dict[str, Any]:
    """All screenshots in the cache at a step, from those `before` it and what its line in the record says of them.

    Raises KeyError, TypeError and ValueError where the line is damaged.
    """
    whole = dict(before)
    for frame, said in line.items():
        if said == NOTHING:
            whole.pop(frame, None)
        elif "runs" in said:
            runs, count = [int(number) for number in said["runs"]], int(said["rows"]) * int(said["cols"])
            digits, lengths = runs[::2], runs[1::2]
            if min(runs, default=0) < 0 or max(digits, default=0) > 9 or not sum(lengths) == count <= MOST_PATCHES:
                raise ValueError(f"runs of screenshot {frame[:20]} do not make {count} patches")
            kept = "".join(str(digit) * length for digit, length in zip(digits, lengths, strict=True))
            whole[frame] = {"rows": said["rows"], "cols": said["cols"], "kept": kept}
        else:
            whole[frame] = said
    return whole


@dataclass(frozen=True)
class StepRecord:
    """All that is known of a step.

    `notes` were shown to the model before the screenshot, `raw` is all it answered: token ids and whether it ended by
    itself in `reply_ids` and `finished`. `next_notes` it will be shown before the next screenshot. `hidden` says why
    there was no screenshot, where the screen is protected.
    `seconds` by phase: screenshot, vision, prefill, compression, decoding, approve, execute, settle, total.
    """

    step: int
    notes: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()
    reply_ids: tuple[tuple[int, ...], ...] = ()
    finished: tuple[bool, ...] = ()
    next_notes: tuple[str, ...] = ()
    thought: str = ""
    call: str = ""
    done: tuple[Done, ...] = ()
    error: Failure | None = None
    frame: int | None = None
    hidden: str = ""
    viewport: Viewport | None = None
    resize: Resize | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[int, Kept] = field(default_factory=dict)

    def to_dict(self, frame_file: str | None, before: Mapping[int, Kept] | None = None) -> dict[str, Any]:
        """JSON form; `frame_file` is the stored picture relative to the run's folder.

        before: what the line before said was kept. Only what differs from that is named: a long episode's lines are as
        short as a short one's.
        """
        known = before or {}
        changed = {frame: kept.to_line() for frame, kept in self.kept.items() if known.get(frame) != kept}
        # A step that failed before the model was asked says nothing of the cache, which is as it was.
        gone = dict.fromkeys(known.keys() - self.kept.keys() if self.cost else (), NOTHING)
        cost = dict(self.cost)
        if "entries_per_frame" in cost:
            cost["entries_per_frame"] = {frame: held for frame, held in cost["entries_per_frame"].items() if held}
        return {
            "step": self.step,
            "frame": self.frame,
            "frame_file": frame_file,
            "hidden": self.hidden,
            "notes": list(self.notes),
            "raw": list(self.raw),
            "reply_ids": [list(ids) for ids in self.reply_ids],
            "finished": list(self.finished),
            "next_notes": list(self.next_notes),
            "thought": self.thought,
            "call": self.call,
            "actions": [done.to_dict() for done in self.done],
            "error": None if self.error is None else self.error.to_dict(),
            "viewport": None if self.viewport is None else _viewport(self.viewport),
            "resize": None if self.resize is None else _resize(self.resize),
            "context": dict(self.context),
            "seconds": {name: round(value, 4) for name, value in self.seconds.items()},
            "cost": cost,
            "kept_patches": {str(frame): said for frame, said in sorted({**changed, **gone}.items())},
        }


@dataclass(frozen=True)
class Result:
    """How an episode ended. `steps` were begun, `tokens` prefilled and generated in all."""

    status: Status
    reason: str
    steps: int
    seconds: float
    tokens: int = 0
    message: str = ""
    error: Failure | None = None

    @property
    def success(self) -> bool:
        return self.status == "success"

    def to_dict(self) -> dict[str, Any]:
        """JSON form, as it stands in the record."""
        return {
            "status": self.status,
            "reason": self.reason,
            "steps": self.steps,
            "seconds": round(self.seconds, 3),
            "tokens": self.tokens,
            "message": self.message,
            "error": None if self.error is None else self.error.to_dict(),
        }


def _viewport(viewport: Viewport) -> dict[str, Any]:
    return {
        "screenshot": [viewport.screenshot.width, viewport.screenshot.height],
        "device": [viewport.device.width, viewport.device.height],
        "origin": list(viewport.origin),
    }


def _resize(resize: Resize) -> dict[str, Any]:
    return {
        "screenshot": [resize.screenshot.width, resize.screenshot.height],
        "image": [resize.image.width, resize.image.height],
    }
