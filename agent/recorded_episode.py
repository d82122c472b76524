"""One recorded episode with everything that has to be opened and closed around it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.assemble import Device, loop_settings, make_approver, make_brain, make_dialect, run_header
from agent.config import Config
from agent.console import Console
from agent.interrupts import Interrupts, shielded
from agent.loop import run_episode
from agent.recorder import Recorder
from agent.records import Result
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
) -> Result:
    """Run a task in an open environment and leave its record in `folder`.

    Raises the typed errors of what cannot even begin: settings, prompt, folder.
    """
    dialect = make_dialect(config, adapter, device, environment.capabilities)
    approver = make_approver(config.approval)
    brain = make_brain(config.cache, adapter, config.sampling)
    try:
        header = {**run_header(config, adapter, task, environment.name), "dialect": dialect.name}
        recorder = Recorder.create(folder, {**header, **(extra or {})})
        settings = loop_settings(config)
        return run_episode(brain, environment, task, dialect, settings, approver, recorder, console, Interrupts())
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
