"""Continues a recorded episode: what it had come to is built again from its record, and the model's memory with it.

The recorded steps go through the code of a live one (`agent.step.think`), with the recorded pictures as what is seen
and the recorded replies as what is said. So history, notes and cache are what they were, entry by entry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agent import costs
from agent.config import Config
from agent.dialects import Dialect
from agent.errors import ConfigError, RunError
from agent.history import History
from agent.kept_session import kept_sessions
from agent.loop import Beginning, StuckDetector, bounded, hosts_seen, judge, see_repeats
from agent.model import Generation, PatchMap, SessionBrain
from agent.recorded_step import recorded_digest, recorded_picture, recorded_resize, recorded_viewport
from agent.recorder import DECIDED_FILE, Recorder, refuse_going
from agent.records import Kept, read_patches
from agent.runs import Run, load_run
from agent.sources import flatten, known_keys
from agent.step import Clock, Players, Sight, StageError, Thinking, look, think
from envs.actions import Finish, load_action
from envs.base import Environment
from guikv.content import Message, digest_of
from guikv.errors import SessionError

if TYPE_CHECKING:
    from guikv.models import Adapter

RESUMABLE = ("running", "stopped", "limit", "error")
"""How a run may have ended that is continued; `running` was killed."""
SAME = ("model", "cache", "sampling", "prompt")
"""Sections of the settings on which the answers depend."""
FREE = ("model.device",)
"""Settings in them that may be others all the same."""

_DAMAGED = "`guikv show` shows what can be read of it; a new run begins without --resume"


def open_run(folder: Path) -> Run:
    """The run to continue. Raises RunError where it is none that can be continued, RecordError while it is going."""
    run = load_run(folder)
    refuse_going(folder)
    status = run.header.get("status")
    if status not in RESUMABLE:
        raise RunError(f"the run in {folder} ended as {status}: there is nothing to continue", "start a new one")
    for name in ("task", "environment", "dialect"):
        if not isinstance(run.header.get(name), str):
            raise RunError(f"{folder / 'run.json'} is damaged: it has no {name}", _DAMAGED)
    return run


def recorded_settings(run: Run, first_page: bool = False) -> dict[str, Any]:
    """The run's settings by key, for a resolve that goes on with them. Raises RunError.

    first_page: with the address where a browser began; it would lead away from where an episode stands
    """
    config = run.header.get("config")
    if not isinstance(config, dict):
        raise RunError(f"{run.folder / 'run.json'} is damaged: it has no settings", _DAMAGED)
    omitted, settings = () if first_page else ("browser.url",), set(known_keys())

    def goes_on(key: str) -> bool:
        section = key.partition(".")[0]
        # Options of environments that nobody sets stand in the record as well; where it goes is no part of an episode.
        return key not in omitted and section != "record" and (key in settings or section in SAME)

    return {key: value for key, value in flatten(config) if goes_on(key)}


def last_address(run: Run) -> str | None:
    """The page of the web that a browser showed last."""
    for step in reversed(run.steps):
        context = step.get("context")
        url = context.get("url") if isinstance(context, dict) else None
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            return url
    return None


def check_settings(run: Run, config: Config) -> None:
    """Raises ConfigError for a setting on which answers depend and that was another one, naming it."""
    now = dict(flatten(config.model_dump(mode="json")))
    for key, before in recorded_settings(run).items():
        if key.partition(".")[0] in SAME and key not in FREE and now.get(key) != before:
            raise ConfigError(
                f"{key} is {now.get(key)!r}, but the run in {run.folder} was made with {before!r}",
                "leave it out to continue as it was, or start a new run",
            )


def check_parts(run: Run, adapter: Adapter, dialect: Dialect, environment: Environment) -> None:
    """Raises RunError when model, dialect or environment are not those of the run."""
    before = (run.header.get("model") or {}).get("fingerprint")
    if before is not None and before != adapter.fingerprint:
        raise RunError(
            f"the run in {run.folder} was made by another model than {adapter.name or 'this one'}",
            "give it the same weights and precision, or start a new run",
        )
    for what, mine in (("environment", environment.name), ("dialect", dialect.name)):
        if run.header[what] != mine:
            raise RunError(
                f"the run in {run.folder} was made with the {what} {run.header[what]!r}, not {mine!r}",
                "continue it there, or start a new run",
            )


@dataclass(frozen=True)
class Resumption:
    """A run that can go on: where it stands, how many steps' memory came from a file, and its unfinished step.

    unfinished: a step that was decided, but not recorded as done, when the run was killed; `adopted` when the screen
    has changed since, so that it was done as far as can be seen
    """

    run: Run
    beginning: Beginning
    kept: int
    unfinished: Mapping[str, Any] | None
    adopted: bool

    def recorder(self) -> Recorder:
        """Opens the record to go on with it. Raises RecordError."""
        facts: dict[str, Any] = {"after": len(self.run.steps), "session": "kept" if self.kept else "computed again"}
        if self.unfinished is not None:
            facts["unfinished"] = {"step": self.unfinished["step"], "raw": self.unfinished["raw"]}
            facts["unfinished"]["adopted"] = self.adopted
        kept = self.run.steps[-1]["kept_patches"] if self.run.steps else {}
        if self.unfinished is not None and self.adopted:
            kept = read_patches(kept, self.unfinished["kept_patches"])
        whole = {int(frame): Kept(**patches) for frame, patches in kept.items()}
        recorder = Recorder.resume(self.run.folder, self.run.header, self.run.whole, facts, whole)
        if self.unfinished is not None and self.adopted:
            recorder.write_line(self.unfinished)
        return recorder


def restore(run: Run, players: Players, brain: SessionBrain, tell: Callable[[str], None]) -> Resumption:
    """Build the episode again; nothing in its folder changes.

    players: of the episode that goes on; brain: its model, with a fresh session
    Raises RunError where the record is damaged or lacks something, SessionError, and what a live step raises.
    """
    for warning in run.warnings:
        tell(f"warning: {warning}")
    kept = _load_kept(run, brain, tell)
    unfinished = _unfinished(run, tell)
    adopted = unfinished is not None and _screen_changed(run, players, unfinished)
    steps = (*run.steps, unfinished) if adopted and unfinished is not None else run.steps
    if unfinished is not None:
        number = unfinished["step"]
        tell(
            f"step {number} was decided but not recorded as done, and the screen has changed: it counts as done"
            if adopted
            else f"step {number} was decided but not recorded as done: it is asked again from a fresh picture"
        )
    settings = players.settings
    beginning = Beginning(stuck=StuckDetector(settings.stuck_note, settings.stuck_stop))
    for index, data in enumerate(steps):
        number = index + 1
        try:
            if data["step"] != number:
                raise ValueError(f"it should be step {number}")
            beginning = _again(run, players, brain, data, number > kept, beginning)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, ValidationError) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
            raise RunError(f"step {data.get('step')} of {run.folder} is damaged: {what}", _DAMAGED) from error
        if number > kept:
            tell(f"step {number} of {len(steps)}: computed again")
    ending = judge(_finish(steps[-1]) if steps else None, players.environment.verdict()) or beginning.ending
    return Resumption(run, replace(beginning, ending=ending), kept, unfinished, adopted)


def _load_kept(run: Run, brain: SessionBrain, tell: Callable[[str], None]) -> int:
    """Put the last session that was kept into `brain`; returns after how many steps it was saved, 0 for none."""
    from guikv.session import Session

    for step, folder in kept_sessions(run.folder, len(run.steps)):
        try:
            session = Session.load(folder, brain.adapter)
            if session.settings != brain.session.settings:
                raise SessionError(f"the session in {folder} was made with other settings")
        except SessionError as error:
            tell(f"warning: {error}; it is computed again from the record")
            continue
        brain.session.close()
        brain.session = session
        return step
    return 0


def _again(
    run: Run, players: Players, brain: SessionBrain, data: Mapping[str, Any], compute: bool, so_far: Beginning
) -> Beginning:
    """What the episode had come to after one more recorded step."""
    number = int(data["step"])
    error, facts = data["error"], {str(k): str(v) for k, v in data["context"].items()}
    tokens = so_far.tokens + costs.tokens_processed(data["cost"])
    seconds = so_far.seconds + float(data["seconds"]["total"])
    hosts = hosts_seen(so_far.hosts, facts)
    after = replace(so_far, steps=number, tokens=tokens, seconds=seconds, hosts=hosts, ending=None)
    if data["viewport"] is None:
        return after  # there was no picture
    sight = _sight(run, data, facts)
    notes = tuple(map(str, data["notes"]))
    after = replace(after, viewport=sight.viewport)
    if not data["raw"]:
        return replace(after, notes=notes)  # there was no answer
    thinking = _think_again(players, brain, sight, data, notes, so_far.history, compute)
    after = replace(
        after, history=thinking.history.released(players.settings.pictures), notes=tuple(map(str, data["next_notes"]))
    )
    if error is not None and error["stage"] != "parse":
        return after  # the step did not come to its end
    wanted = thinking.parsed.actions if thinking.parsed else ()
    ending, stuck_notes = see_repeats(so_far.stuck, sight, wanted)
    if number > len(run.steps):
        # Nobody came to write down what would be told next.
        told = thinking.parsed.notes if thinking.parsed else ()
        after = replace(after, notes=bounded([*told, *stuck_notes]))
    return replace(after, ending=ending)


@dataclass
class _RecordedModel:
    """The model of a recorded step: it says what it said, and remembers that if `compute`."""

    brain: SessionBrain
    answers: list[_Answer]
    compute: bool

    def image_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return self.brain.image_size(size)

    def extend(self, messages: tuple[Message, ...]) -> None:
        if self.compute and self.answers:
            self.brain.extend(messages)

    def compress(self) -> None:
        if self.compute and self.answers:
            self.brain.compress()

    def generate(self, max_new_tokens: int) -> Generation:
        if not self.answers:
            raise _NoMoreAnswers
        answer = self.answers.pop(0)
        if self.compute:
            self.brain.repeat(answer.ids, max_new_tokens)
        return answer

    def cost(self) -> Mapping[str, Any]:
        return {}

    def kept_patches(self) -> Mapping[int, PatchMap]:
        return {}

    def close(self) -> None:
        return


@dataclass(frozen=True)
class _Answer:
    text: str
    ids: tuple[int, ...]
    finished: bool


class _NoMoreAnswers(Exception):
    """The step ended before the model had answered once more."""


def _think_again(
    players: Players,
    brain: SessionBrain,
    sight: Sight,
    data: Mapping[str, Any],
    notes: tuple[str, ...],
    history: History,
    compute: bool,
) -> Thinking:
    if "reply_ids" not in data:
        raise ValueError("it has no reply_ids, as records of an older version have not")
    answers = [
        _Answer(str(text), tuple(map(int, ids)), bool(finished))
        for text, ids, finished in zip(data["raw"], data["reply_ids"], data["finished"], strict=True)
    ]
    model = _RecordedModel(brain, answers, compute)
    results: list[Thinking] = []
    number = int(data["step"]) - 1
    try:
        results.append(think(replace(players, brain=model), history, sight, number, notes, results.append))
    except StageError as failed:
        if isinstance(failed.__cause__, _NoMoreAnswers):
            pass
        elif failed.__cause__ is not None:
            raise failed.__cause__ from failed
        else:
            raise
    thinking = results[-1]
    if answers:
        raise ValueError("the first answer is understood now, which it was not then")
    if thinking.resize != recorded_resize(data["resize"]):
        raise ValueError("the model sees pictures in another size now")
    return thinking


def _sight(run: Run, data: Mapping[str, Any], facts: Mapping[str, str]) -> Sight:
    """What was seen. Raises RunError where the picture is missing or another one."""
    return Sight(recorded_picture(run.folder, data), recorded_viewport(data["viewport"]), facts, str(data["hidden"]))


def _finish(data: Mapping[str, Any]) -> Finish | None:
    """The step's own word that the episode is over, if it said so."""
    done = [load_action(action["executed"]) for action in data["actions"] if action["executed"] is not None]
    return next((action for action in done if isinstance(action, Finish)), None)


def _unfinished(run: Run, tell: Callable[[str], None]) -> dict[str, Any] | None:
    """The step that was decided after the last recorded one, if there is one."""
    path = run.folder / DECIDED_FILE
    try:
        data = json.loads(path.read_bytes())
        if not isinstance(data, dict) or not isinstance(data["step"], int) or not isinstance(data["raw"], list):
            raise ValueError("no step")
        recorded_digest(data)
        read_patches({}, data["kept_patches"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        tell(f"warning: {path} cannot be read and is passed over: {error}")
        return None
    return data if data["step"] == len(run.steps) + 1 else None


def _screen_changed(run: Run, players: Players, step: Mapping[str, Any]) -> bool:
    """Does the screen look different from what the step was decided on?"""
    before = recorded_digest(step)
    if before is None:
        return False  # it could not be seen then
    now = look(players, Clock())
    return now.image is None or digest_of(now.image) != before
