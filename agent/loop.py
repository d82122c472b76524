"""The loop around the step: limits, being stuck, being interrupted, and how an episode ends.

An episode is a success only when the environment's own verdict says so, or when there is no verdict at all
and the model finished with success. Every other way out has another name.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from PIL import Image

from agent import costs
from agent.approval import ActionContext, Approver
from agent.config import LoopSettings
from agent.console import Console
from agent.dialects import Dialect
from agent.errors import RecordError
from agent.execute import Acting, act
from agent.history import History
from agent.interrupts import Interrupts, Stopped, shielded
from agent.model import Brain
from agent.records import Failure, Result, Status, StepRecord
from agent.step import Clock, Players, Sight, StageError, Thinking, look, think
from envs.actions import Action, Finish, dump_action
from envs.base import Environment, UserStopped, Verdict
from envs.geometry import Viewport
from guikv.content import digest_of

LOGGER = logging.getLogger(__name__)


MAX_HOSTS, MAX_NOTES = 1000, 20
"""Hosts that an episode remembers having been on, the latest, and remarks that a model is told before a screenshot."""
NOTE = "You have done the same thing {count} times and the screen has not changed. Try something else."


@dataclass
class StuckDetector:
    """`see` is told of every step; `note_at` repeats bring a note, `stop_at` the end."""

    note_at: int = 3
    stop_at: int = 5
    count: int = 0
    _last: tuple[str, str] | None = None

    def see(self, picture: str, doing: str) -> Literal["moving", "note", "stuck"]:
        """`picture` is the hash of what was acted on, `doing` any text that is equal for equal actions."""
        self.count = self.count + 1 if self._last == (picture, doing) else 1
        self._last = (picture, doing)
        if self.count >= self.stop_at:
            return "stuck"
        return "note" if self.count >= self.note_at else "moving"


class StepRecorder(Protocol):
    def write(self, record: StepRecord, image: Image.Image | None) -> None:
        """Put a step on disk before the next one begins. Raises RecordError."""
        ...

    def finish(self, result: Result) -> None:
        """Write how it ended and close everything. Raises RecordError."""
        ...


@dataclass(frozen=True)
class Ending:
    status: Status
    reason: str
    message: str = ""


@dataclass
class _Episode:
    """What changes from step to step."""

    players: Players
    recorder: StepRecorder
    console: Console
    stuck: StuckDetector
    started: float
    history: History = field(default_factory=History)
    notes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    viewport: Viewport | None = None
    steps: int = 0
    tokens: int = 0


def run_episode(
    brain: Brain,
    environment: Environment,
    task: str,
    dialect: Dialect,
    settings: LoopSettings,
    approver: Approver,
    recorder: StepRecorder,
    console: Console,
    interrupts: Interrupts | None = None,
) -> Result:
    """Run one episode to its end.

    Never raises for what happens in it; the caller closes brain and environment.
    """
    interrupts = interrupts or Interrupts()
    players = Players(brain, environment, dialect, approver, interrupts, settings, task)
    stuck = StuckDetector(settings.stuck_note, settings.stuck_stop)
    episode = _Episode(players, recorder, console, stuck, time.monotonic())
    with interrupts:
        result = _outcome(episode)
        with shielded():
            try:
                recorder.finish(result)
            except RecordError as error:
                # What ended the episode is the better news, if that was an error already.
                if result.error is None:
                    failure = Failure.of("record", error)
                    result = replace(result, status="error", reason=failure.message, error=failure)
    console.end(result)
    return result


def _outcome(episode: _Episode) -> Result:
    error: Failure | None = None
    try:
        ending = _steps(episode)
    except Stopped as stop:
        ending = Ending("stopped", str(stop) or "stopped by the user")
    except KeyboardInterrupt:
        ending = Ending("stopped", "Ctrl-C")
    except RecordError as failed:
        error = Failure.of("record", failed)
        ending = Ending("error", error.message)
    except StageError as failed:
        if isinstance(failed.__cause__, UserStopped):
            ending = Ending("stopped", failed.__cause__.message)
        else:
            error = _failure(failed)
            ending = Ending("error", f"{error.stage}: {error.message}")
    except Exception as failed:
        # Whatever nobody foresaw still ends the episode in order, with its name and trace in the record.
        LOGGER.error("the episode failed", exc_info=True)
        error = _failure(failed)
        ending = Ending("error", error.message)
    seconds = time.monotonic() - episode.started
    return Result(ending.status, ending.reason, episode.steps, seconds, episode.tokens, ending.message, error)


def _steps(episode: _Episode) -> Ending:
    while True:
        limit = _limit(episode)
        if limit is not None:
            return limit
        episode.players.interrupts.check()
        episode.steps += 1
        ending = _one_step(episode)
        if ending is not None:
            return ending


def _limit(episode: _Episode) -> Ending | None:
    settings = episode.players.settings
    if episode.steps >= settings.max_steps:
        return Ending("limit", f"{settings.max_steps} steps are used up")
    if settings.max_seconds is not None and time.monotonic() - episode.started >= settings.max_seconds:
        return Ending("limit", f"{settings.max_seconds:g} seconds are used up")
    if settings.max_tokens is not None and episode.tokens >= settings.max_tokens:
        return Ending("limit", f"{settings.max_tokens} tokens are used up")
    return None


@dataclass
class _Draft:
    """A step's record while it is being made; written down whatever happens."""

    record: StepRecord
    clock: Clock
    acting: Acting = field(default_factory=Acting)
    image: Image.Image | None = None

    def keep(self, thinking: Thinking) -> None:
        """Take over what the model has said so far."""
        parsed = thinking.parsed
        self.record = replace(
            self.record,
            resize=thinking.resize,
            raw=thinking.raw,
            cost=thinking.cost,
            kept=thinking.kept,
            thought=parsed.thought if parsed else "",
            call=parsed.call if parsed else "",
            error=thinking.error,
        )


def _one_step(episode: _Episode) -> Ending | None:
    """One step, recorded even when it fails. None means that the episode goes on."""
    draft = _Draft(StepRecord(step=episode.steps, notes=episode.notes), Clock())
    begun = time.perf_counter()
    try:
        ending = _stages(episode, draft)
    except (Exception, KeyboardInterrupt) as error:
        draft.record = replace(draft.record, error=_failure(error))
        _write(episode, draft, begun)
        raise
    _write(episode, draft, begun)
    return ending


def _failure(error: BaseException) -> Failure:
    """What the record says of an exception that ends a step."""
    if isinstance(error, StageError):
        return Failure.of(error.stage, error.__cause__ or error)
    if isinstance(error, (Stopped, KeyboardInterrupt)):
        return Failure("loop", "Stopped", str(error) or "Ctrl-C")
    return Failure.of("loop", error)


def _stages(episode: _Episode, draft: _Draft) -> Ending | None:
    players = episode.players
    sight = look(players, draft.clock, episode.viewport)
    draft.image, episode.viewport, facts = sight.image, sight.viewport, sight.facts
    frame = episode.steps - 1
    shown = None if sight.image is None else frame
    draft.record = replace(draft.record, frame=shown, hidden=sight.hidden, viewport=sight.viewport, context=facts)
    players.interrupts.check()
    if facts.get("host"):
        host = facts["host"].casefold()
        episode.hosts = (*(other for other in episode.hosts if other != host), host)[-MAX_HOSTS:]
    thinking = think(players, episode.history, sight, frame, episode.notes, draft.keep)
    draft.keep(thinking)
    episode.history = thinking.history.released(players.settings.pictures)
    episode.tokens += costs.tokens_processed(thinking.cost)
    parsed = thinking.parsed
    wanted: tuple[Action, ...] = parsed.actions if parsed else ()
    if parsed is None:
        draft.acting.notes.append("Your last two answers could not be read, so nothing was done.")
    else:
        draft.acting.notes += parsed.notes
    context = ActionContext(players.task, episode.steps, facts, hosts=frozenset(episode.hosts))
    act(players, wanted, context, draft.clock, episode.console, draft.acting)
    ending = judge(draft.acting.finish, draft.acting.verdict)
    episode.notes = bounded(draft.acting.notes)
    return ending or _check_stuck(episode, sight, wanted)


def bounded(notes: list[str]) -> tuple[str, ...]:
    """The first remarks, and how many more there were: a page can make as many as it likes."""
    more = len(notes) - MAX_NOTES
    return tuple(notes) if more <= 0 else (*notes[:MAX_NOTES], f"There were {more} more remarks like these.")


def judge(finish: Finish | None, verdict: Verdict | None) -> Ending | None:
    """Is the episode over, and how? Where there is a verdict, it is the only way to success."""
    if verdict is not None and verdict.done:
        return _by_verdict(verdict, "the task's check says it is done", finish)
    if finish is None:
        return None
    if verdict is not None:
        return _by_verdict(verdict, "the model finished", finish)
    if finish.status == "success":
        return Ending("success", "the model says it is done; the environment has no check", finish.message)
    return Ending("failure", "the model gave up", finish.message)


def _by_verdict(verdict: Verdict, why: str, finish: Finish | None) -> Ending:
    message = finish.message if finish else ""
    if verdict.success:
        return Ending("success", why, message)
    said = "the model finished, but the task's check does not agree" if finish else "the task's check says it failed"
    return Ending("failure", said, message)


def _check_stuck(episode: _Episode, sight: Sight, wanted: tuple[Action, ...]) -> Ending | None:
    doing = repr([dump_action(action) for action in wanted]) if wanted else "unreadable"
    seen = episode.stuck.see(sight.hidden if sight.image is None else digest_of(sight.image), doing)
    if seen == "stuck":
        return Ending("failure", f"stuck: the same action on the same screen {episode.stuck.count} times")
    if seen == "note":
        episode.notes = (*episode.notes, NOTE.format(count=episode.stuck.count))
    return None


def _write(episode: _Episode, draft: _Draft, begun: float) -> None:
    thinking = draft.record.cost.get("seconds", {})
    seconds = {**draft.clock.seconds, **thinking, "total": time.perf_counter() - begun}
    draft.record = replace(draft.record, done=tuple(draft.acting.done), seconds=seconds)
    with shielded():
        episode.recorder.write(draft.record, draft.image)
    episode.console.step(draft.record)
