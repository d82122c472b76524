"""Doing the actions of a step: approval, execution, and what of it the model should be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from agent.approval import ActionContext, Decision
from agent.approval.terminal import NOBODY
from agent.console import Console
from agent.interrupts import Stopped
from agent.records import Done, Failure
from agent.step import Clock, Players, StageError, stage
from agent.text import plain
from envs.actions import LOOP_ACTIONS, Action, Answer, AskUser, Finish
from envs.base import ActionFailed, Blocked, EnvError, Event, Eventful, ScreenshotError, UnsupportedAction, Verdict

T = TypeVar("T")

SOFT = (UnsupportedAction, ActionFailed, Blocked, ScreenshotError)
"""Errors that are told to the model; the episode goes on."""


@dataclass
class Acting:
    """What the actions of one step came to, filled while they are done: nothing is lost when one fails.

    `notes` go to the model before the next screenshot; `finish` or `verdict` end the episode.
    """

    done: list[Done] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    finish: Finish | None = None
    verdict: Verdict | None = None


def act(
    players: Players,
    actions: tuple[Action, ...],
    context: ActionContext,
    clock: Clock,
    console: Console,
    acting: Acting,
) -> None:
    """Do the actions in order until one fails, is rejected or ends the episode.

    Raises StageError and Stopped.
    """
    for wanted in actions:
        players.interrupts.check()
        if not _one(players, wanted, context, clock, console, acting):
            return


def _one(
    players: Players,
    wanted: Action,
    context: ActionContext,
    clock: Clock,
    console: Console,
    acting: Acting,
) -> bool:
    """Review and do one action; false when the ones after it should not be done."""
    if wanted.type in LOOP_ACTIONS:
        acting.done.append(Done(wanted, "approve", executed=wanted))
        return _for_the_loop(players, wanted, console, acting)
    done = Done(wanted, "approve")
    target = _softly(players, done, acting, lambda: players.environment.describe_target(wanted))
    if target is None:
        return False
    with stage("approve"), clock.phase("approve"), players.interrupts.immediate():
        decision = players.approver.review(wanted, replace(context, target=target))
    done = replace(done, decision=decision.kind, reason=decision.reason, target=target)
    action = _permitted(decision, done, acting)
    if action is None:
        return False
    if action.type in LOOP_ACTIONS:
        acting.done.append(replace(done, executed=action))
        return _for_the_loop(players, action, console, acting)
    return _execute(players, action, done, clock, acting)


def _permitted(decision: Decision, done: Done, acting: Acting) -> Action | None:
    """The action that may be done, or None. Raises Stopped."""
    if decision.kind == "stop":
        acting.done.append(done)
        raise Stopped(decision.reason or "the approver stopped the episode")
    if decision.kind in ("reject", "ask"):
        acting.done.append(done)
        acting.notes.append(refusal_note(done.wanted, decision.reason or NOBODY))
        return None
    if decision.kind == "modify" and decision.action is not None:
        acting.notes.append(f"The user changed your action {done.wanted.type} to {decision.action.type}.")
        return decision.action
    return done.wanted


def _for_the_loop(players: Players, action: Action, console: Console, acting: Acting) -> bool:
    """Actions that no environment does."""
    if isinstance(action, Finish):
        acting.finish = action
        acting.verdict = _verdict(players)
        return False
    if isinstance(action, Answer):
        console.say(action.text)
        return True
    if isinstance(action, AskUser):
        with players.interrupts.immediate():
            answer = console.ask(action.question)
        said = f"The user answered: {answer}" if answer is not None else "Nobody is there to ask; go on alone."
        acting.notes.append(said)
    return False


def _execute(players: Players, action: Action, done: Done, clock: Clock, acting: Acting) -> bool:
    environment = players.environment
    with clock.phase("execute"):
        events = _softly(players, replace(done, executed=action), acting, lambda: environment.execute(action))
    if events is None:
        return False
    acting.done.append(replace(done, executed=action, events=events))
    with clock.phase("settle"):
        # A picture that does not come to rest in time is not a failure of the action.
        _settle(players)
    if isinstance(environment, Eventful):
        with stage("settle"):
            events = (*events, *environment.events())
        acting.done[-1] = replace(acting.done[-1], events=events)
    acting.notes += [note for note in map(event_note, events) if note]
    acting.verdict = _verdict(players)
    return acting.verdict is None or not acting.verdict.done


def _softly(players: Players, done: Done, acting: Acting, do: Callable[[], T]) -> T | None:
    """What `do` returns; None when it failed in a way that is told to the model. Raises StageError."""
    try:
        with stage("execute"):
            return do()
    except StageError as failed:
        cause = failed.__cause__
        error = Failure.of("execute", cause or failed)
        acting.done.append(replace(done, executed=None, error=error))
        if not isinstance(cause, SOFT):
            raise
        acting.notes.append(failure_note(done.executed or done.wanted, cause, players.environment.capabilities))
        return None


def _settle(players: Players) -> None:
    with stage("settle"):
        try:
            players.environment.settle()
        except ScreenshotError:
            return


def _verdict(players: Players) -> Verdict | None:
    with stage("verdict"):
        return players.environment.verdict()


MAX_NOTE = 300
"""Characters of a reason that is passed on; pages can write some of them."""


def refusal_note(action: Action, reason: str) -> str:
    return f"Your action {action.type} was not done: {_short(reason)}."


def failure_note(action: Action, error: EnvError, capabilities: frozenset[str]) -> str:
    """Why the environment did not do it, and what it can do instead where that helps."""
    if isinstance(error, UnsupportedAction):
        return f"The action {action.type} cannot be done here. There are: {', '.join(sorted(capabilities))}."
    if isinstance(error, Blocked):
        return f"The action {action.type} is not allowed here: {_short(error.message)}."
    return f"The action {action.type} failed: {_short(error.message)}."


def event_note(event: Event) -> str:
    """Remark on something that happened beside the action; empty when the picture shows it anyway."""
    detail = {name: plain(str(value), 120) for name, value in event.detail.items()}
    match event.kind:
        case "blocked":
            return f"Opening {detail.get('url', 'a page')} was blocked: it is not allowed."
        case "dialog":
            answered = {"accept": "accepted", "dismiss": "dismissed"}.get(detail.get("answer", ""), "answered")
            return f'A dialog said "{detail.get("message", "")}" and was {answered}.'
        case "download":
            return f"The file {detail.get('name', '')} was downloaded."
        case "download_failed":
            return f"The download of {detail.get('name', 'a file')} failed."
        case "file_chooser":
            return "The page asked for a file; none was given."
        case "tab_crashed":
            return "The tab crashed."
    return ""


def _short(text: str) -> str:
    return plain(text, MAX_NOTE).rstrip(".")
