"""One recorded episode with everything that has to be opened and closed around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.assemble import Device, loop_settings, make_approver, make_brain, make_dialect, run_header
from agent.config import Config
from agent.console import Console
from agent.interrupts import Interrupts, shielded
from agent.kept_session import KeepingRecorder
from agent.loop import StepRecorder, run_episode
from agent.recorder import Recorder
from agent.records import Result
from agent.resume import check_parts, check_settings, restore
from agent.runs import Run
from agent.step import Players
from envs.base import Environment

if TYPE_CHECKING:
    from guikv.models import Adapter


def run_recorded(
    config: Config,
    adapter: Adapter,
    environment: Environment,
    task: str,
    folder: Path,
    console: Console,
    extra: Mapping[str, str] | None = None,
    device: Device = "computer",
    previous: Run | None = None,
    tell: Callable[[str], None] = print,
) -> Result:
    """Run a task in an open environment and leave its record in `folder`; a `previous` run goes on in its own.

    tell: is given lines on how the previous run is built again
    Raises the typed errors of what cannot even begin: settings, prompt, folder, a run that cannot be continued.
    """
    dialect = make_dialect(config, adapter, device, environment.capabilities)
    approver = make_approver(config.approval)
    brain = make_brain(config.cache, adapter, config.sampling)
    try:
        settings = loop_settings(config)
        beginning = None
        if previous is None:
            header = {**run_header(config, adapter, task, environment.name), "dialect": dialect.name}
            file = Recorder.create(folder, {**header, **(extra or {})})
        else:
            check_settings(previous, config)
            check_parts(previous, adapter, dialect, environment)
            players = Players(brain, environment, dialect, approver, Interrupts(), settings, task)
            resumption = restore(previous, players, brain, tell)
            beginning, file = resumption.beginning, resumption.recorder()
        recorder: StepRecorder = KeepingRecorder(file, brain) if config.record.keep_session else file
        return run_episode(
            brain, environment, task, dialect, settings, approver, recorder, console, Interrupts(), beginning
        )
    finally:
        brain.close()


class Closing(AbstractContextManager[Environment]):
    """Leaves the environment in order even while Ctrl-C is being pressed."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def __enter__(self) -> Environment:
        return self._environment.__enter__()

    def __exit__(self, *exc: object) -> None:
        with shielded():
            self._environment.__exit__(*exc)
