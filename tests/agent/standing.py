"""A screen that outlives whoever drives it, and episodes on it in processes that are killed.

The picture depends on nothing but the actions done so far, which are in a file. `python -m tests.agent.standing JOBS`
loads a model once and plays each job in a process of its own; a job may be killed at any call to the system.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from PIL import Image, ImageDraw

from agent.assemble import load_adapter
from agent.config import Config
from agent.console import Silent
from agent.errors import AgentError
from agent.recorded_episode import run_recorded
from agent.resume import open_run
from envs.actions import Action, dump_action
from envs.base import Event, Screenshot, Verdict
from envs.geometry import Size, Viewport
from guikv.files import replace_file
from guikv.models.random_weights import random_model

SIDE = 280
TASK = 'Click the "Save" button.'
WORDS = ("Save", "Open", "Send", "Blue", "Next", "Mail", "Code", "List", "Back", "Home")


@dataclass
class StandingScreen:
    """`done` actions are in `file`; a step of `asleep` changes nothing on the screen."""

    file: Path
    asleep: bool = False
    name: str = "standing"
    capabilities: frozenset[str] = frozenset({"click", "type", "scroll", "keys", "wait", "drag", "move"})

    @property
    def done(self) -> list[dict[str, Any]]:
        return json.loads(self.file.read_text()) if self.file.exists() else []

    def screenshot(self) -> Screenshot:
        sys.audit("standing.screenshot")
        seen = b"" if self.asleep else json.dumps(self.done).encode()
        draw_from = random.Random(sha256(seen).digest())
        image = Image.new("RGB", (SIDE, SIDE), draw_from.choice(["white", "#eef", "#efe"]))
        draw = ImageDraw.Draw(image)
        for _ in range(5):
            x, y = draw_from.randrange(0, 200), draw_from.randrange(0, 250)
            draw.rectangle((x, y, x + 70, y + 24), fill=draw_from.choice(["#ccc", "#9cf", "#fc9"]), outline="black")
            draw.text((x + 8, y + 6), draw_from.choice(WORDS), fill="black")
        return Screenshot(image, Viewport(Size(SIDE, SIDE), Size(SIDE, SIDE)))

    def execute(self, action: Action) -> tuple[Event, ...]:
        sys.audit("standing.execute")
        replace_file(self.file, json.dumps([*self.done, dump_action(action)]).encode())
        sys.audit("standing.executed")
        return ()

    def settle(self) -> float:
        return 0.0

    def context(self) -> Mapping[str, str]:
        return {"host": f"h{len(self.done)}.test"}

    def describe_target(self, action: Action) -> str:
        return ""

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return


def open_screen(file: str) -> StandingScreen:
    """The environment `standing` of the package beside which it is found."""
    if os.environ.get("STANDING_KILL_AT"):
        kill_at(int(os.environ["STANDING_KILL_AT"]), at="standing.execute")
    return StandingScreen(Path(file))


def kill_at(event: int, tell: Callable[[int], None] | None = None, at: str = "") -> None:
    """SIGKILL this process at the so-manieth thing it asks of the system after it first looked at the screen.

    tell: is told of each instead; at: the only name of an event that counts
    """
    count = 0

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        watched = ("open", "os.", "shutil.", "standing.")
        if name == at or (not at and (name == "standing.screenshot" or (count and name.startswith(watched)))):
            count += 1
            if tell is not None:
                tell(count)
            elif count == event:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


@dataclass(frozen=True)
class Job:
    """One process: begin the run in `folder`, or continue it; kill: at which event, 0 for not at all; at: of which."""

    folder: str
    resume: bool = False
    kill: int = 0
    at: str = ""
    steps: int = 10
    keep: bool = False
    asleep: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


def play(adapter: Any, job: Job) -> None:
    """The job, in this process; what is asked of the system is counted in the file `events`."""
    folder = Path(job.folder)
    events = 0

    def count(event: int) -> None:
        nonlocal events
        events = event

    kill_at(job.kill, None if job.kill else count, job.at)
    screen = StandingScreen(folder / "state.json", job.asleep)
    config = Config.model_validate(
        {
            "model": {"max_new_tokens": 48},
            **job.settings,
            "limits": {"steps": job.steps},
            "approval": {"mode": "never"},
            "record": {"keep_session": job.keep},
        }
    )
    previous = open_run(folder / "run") if job.resume else None
    told: list[str] = []
    result = run_recorded(config, adapter, screen, TASK, folder / "run", Silent(), previous=previous, tell=told.append)
    (folder / "ended.json").write_text(json.dumps({"status": result.status, "events": events, "told": told}))


def main(jobs: list[Job], model: str) -> None:
    """Play the jobs in order, each in a fork of this process; prints how each ended."""
    adapter = random_model() if model == "random" else load_adapter(Config())
    adapter.name = adapter.name or "random"
    _ = adapter.fingerprint
    for job in jobs:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                play(adapter, job)
                code = 0
            except AgentError as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def dumped(jobs: list[Job]) -> str:
    return json.dumps([asdict(job) for job in jobs])


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    given = json.loads(Path(sys.argv[1]).read_text())
    main([Job(**job) for job in given], sys.argv[2])
