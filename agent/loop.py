"""The loop around the step: limits, being stuck, being interrupted, and how an episode ends.

An episode is a success only when the environment's own verdict says so, or when there is no verdict at all
and the model finished with success. Every other way out has another name.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
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
from agent.records import Failure, Result, Status, StepRecord, undecided
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
    def decide(self, record: StepRecord, image: Image.Image | None) -> None:
        """Put on disk what was decided, before it is done: a step that may stay unfinished. Raises RecordError."""
        ...

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


@dataclass(frozen=True)
class Beginning:
    """Where an episode starts from: nothing, or what a recorded one came to. `ending`: how that had ended already."""

    history: History = field(default_factory=History)
    notes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    viewport: Viewport | None = None
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    stuck: StuckDetector = field(default_factory=StuckDetector)
    ending: Ending | None = None


@dataclass
class _Episode:
    """What changes from step to step."""

    players: Players
    recorder: StepRecorder
    console: Console
    stuck: StuckDetector
    started: float
    history: History
    notes: tuple[str, ...]
    hosts: tuple[str, ...]
    viewport: Viewport | None
    steps: int
    tokens: int


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
    beginning: Beginning | None = None,
) -> Result:
    """Run one episode to its end, from where an earlier one stopped if there is a `beginning`.

    Limits, and the result's numbers, are those of the whole episode. Never raises for what happens in it; the caller
    closes brain and environment.
    """
    interrupts = interrupts or Interrupts()
    players = Players(brain, environment, dialect, approver, interrupts, settings, task)
    so_far = beginning or Beginning(stuck=StuckDetector(settings.stuck_note, settings.stuck_stop))
    episode = _Episode(
        players,
        recorder,
        console,
        so_far.stuck,
        time.monotonic() - so_far.seconds,
        so_far.history,
        so_far.notes,
        so_far.hosts,
        so_far.viewport,
        so_far.steps,
        so_far.tokens,
    )
    with interrupts:
        result = _outcome(episode, so_far.ending)
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


def _outcome(episode: _Episode, ended: Ending | None) -> Result:
    error: Failure | None = None
    try:
        ending = ended or _steps(episode)
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
    begun: float = field(default_factory=time.perf_counter)

    def keep(self, thinking: Thinking) -> None:
        """Take over what the model has said so far."""
        parsed = thinking.parsed
        self.record = replace(
            self.record,
            resize=thinking.resize,
            raw=thinking.raw,
            reply_ids=thinking.reply_ids,
            finished=thinking.finished,
            cost=thinking.cost,
            kept=thinking.kept,
            thought=parsed.thought if parsed else "",
            call=parsed.call if parsed else "",
            error=thinking.error,
        )

    @property
    def seconds(self) -> dict[str, float]:
        """By phase, up to now."""
        thinking = self.record.cost.get("seconds", {})
        return {**self.clock.seconds, **thinking, "total": time.perf_counter() - self.begun}


def _one_step(episode: _Episode) -> Ending | None:
    """One step, recorded even when it fails. None means that the episode goes on."""
    draft = _Draft(StepRecord(step=episode.steps, notes=episode.notes), Clock())
    try:
        ending = _stages(episode, draft)
    except (Exception, KeyboardInterrupt) as error:
        # Notes that the model has not answered to are still to be told.
        notes = tuple(draft.acting.notes) if draft.record.raw else episode.notes
        draft.record = replace(draft.record, error=_failure(error), next_notes=notes)
        _write(episode, draft)
        raise
    draft.record = replace(draft.record, next_notes=episode.notes)
    _write(episode, draft)
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
    episode.hosts = hosts_seen(episode.hosts, facts)
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
    with shielded():
        episode.recorder.decide(
            replace(draft.record, done=tuple(map(undecided, wanted)), seconds=draft.seconds), draft.image
        )
    context = ActionContext(players.task, episode.steps, facts, hosts=frozenset(episode.hosts))
    act(players, wanted, context, draft.clock, episode.console, draft.acting)
    ending = judge(draft.acting.finish, draft.acting.verdict)
    episode.notes = bounded(draft.acting.notes)
    return ending or _check_stuck(episode, sight, wanted)


def hosts_seen(hosts: tuple[str, ...], facts: Mapping[str, str]) -> tuple[str, ...]:
    """The hosts so far and that of the page in `facts`, the newest last; very old ones are forgotten."""
    if not facts.get("host"):
        return hosts
    host = facts["host"].casefold()
    return (*(other for other in hosts if other != host), host)[-MAX_HOSTS:]


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
    ending, notes = see_repeats(episode.stuck, sight, wanted)
    episode.notes = (*episode.notes, *notes)
    return ending


def see_repeats(
    stuck: StuckDetector, sight: Sight, wanted: tuple[Action, ...]
) -> tuple[Ending | None, tuple[str, ...]]:
    """Tell the detector of a step: the ending, or notes, that repeating brings."""
    doing = repr([dump_action(action) for action in wanted]) if wanted else "unreadable"
    seen = stuck.see(sight.hidden if sight.image is None else digest_of(sight.image), doing)
    if seen == "stuck":
        return Ending("failure", f"stuck: the same action on the same screen {stuck.count} times"), ()
    return None, (NOTE.format(count=stuck.count),) if seen == "note" else ()


def _write(episode: _Episode, draft: _Draft) -> None:
    draft.record = replace(draft.record, done=tuple(draft.acting.done), seconds=draft.seconds)
    with shielded():
        episode.recorder.write(draft.record, draft.image)
    episode.console.step(draft.record)
