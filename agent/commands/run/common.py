"""What all runs have in common: their options, and everything around the environment."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.assemble import Device
from agent.commands.common import (
    BudgetOption,
    ConfigOption,
    DeviceOption,
    DtypeOption,
    HistoryOption,
    MaxPixelsOption,
    ModelOption,
    MomentOption,
    PolicyOption,
    QuantizationOption,
    SetOption,
    WindowOption,
    exit_code,
    settings,
)
from agent.config import Config
from envs.base import Environment

if TYPE_CHECKING:
    from agent.runs import Run


@dataclass(frozen=True)
class Common:
    """The options that every run has. `options` are settings by key, None where not given.

    resume: the run that is continued, if one is
    """

    task: str
    options: Mapping[str, Any]
    config: Path | None
    assign: list[str] | None
    resume: Run | None = None

    def settings(self, options: Mapping[str, Any]) -> Config:
        """All settings, with the environment's own `options`. Raises ConfigError.

        A run that is continued brings its own, which others may only differ from where no answer depends on them.
        """
        given = {**options, **self.options}
        if self.resume is None:
            return settings(self.config, self.assign, given)
        from agent.recorder import RUN_FILE
        from agent.resume import check_settings, recorded_settings

        base = recorded_settings(self.resume)
        resolved = settings(self.config, self.assign, given, base, str(self.resume.folder / RUN_FILE))
        check_settings(self.resume, resolved)
        return resolved


def _common(
    task: Annotated[
        str | None, typer.Option("--task", help="What to do, in words; needed unless a run is continued.")
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    quantization: QuantizationOption = None,
    max_pixels: MaxPixelsOption = None,
    policy: PolicyOption = None,
    budget: BudgetOption = None,
    history: HistoryOption = None,
    window: WindowOption = None,
    moment: MomentOption = None,
    approve: Annotated[
        str | None, typer.Option("--approve", help="Ask before an action: never, risky or always.")
    ] = None,
    max_steps: Annotated[int | None, typer.Option("--max-steps", help="Steps at most.")] = None,
    max_seconds: Annotated[float | None, typer.Option("--max-seconds", help="Wall time at most.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the record.")] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="RUN", help="Continue this run, where its screen still stands.")
    ] = None,
    keep_session: Annotated[
        bool | None,
        typer.Option("--keep-session/--no-keep-session", help="Save the memory at each step, for a quick --resume."),
    ] = None,
    config: ConfigOption = None,
    assign: SetOption = None,
) -> Common:
    options = {
        "model.name": model,
        "model.device": device,
        "model.dtype": dtype,
        "model.quantization": quantization,
        "model.max_pixels": max_pixels,
        "cache.policy": policy,
        "cache.budget": budget,
        "cache.history": history,
        "cache.window": window,
        "cache.moment": moment,
        "approval.mode": approve,
        "limits.steps": max_steps,
        "limits.seconds": max_seconds,
        "record.out": out,
        "record.keep_session": keep_session,
    }
    if resume is None:
        if task is None:
            raise typer.BadParameter("it is needed: what to do, in words", param_hint="--task")
        return Common(task, options, config, assign)
    from agent.resume import open_run

    if out is not None:
        raise typer.BadParameter("a run that is continued goes on in its own folder", param_hint="--out")
    run = open_run(resume)
    if task not in (None, run.header["task"]):
        raise typer.BadParameter(f"the run in {resume} has the task {run.header['task']!r}", param_hint="--task")
    return Common(run.header["task"], options, config, assign, run)


def run_command(command: Callable[..., None], window: Any = WindowOption) -> Callable[..., None]:
    """The command with the common options added to its own; it gets them as its parameter `common`.

    `window` is how the cache's option of that name is written there.
    """
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "common"]
    shared = list(inspect.signature(_common, eval_str=True).parameters.values())
    shared = [p.replace(annotation=window) if p.name == "window" else p for p in shared]

    def both(**given: Any) -> None:
        common = _common(**{parameter.name: given.pop(parameter.name) for parameter in shared})
        command(common=common, **given)

    functools.update_wrapper(both, command, updated=())
    # Typer reads the signature; one that leads back to the original would hide the common options.
    del both.__wrapped__  # type: ignore[attr-defined]
    first, *rest = shared
    # By name, so that one that must be given may come after one that need not.
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (first, *own, *rest)]
    both.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    both.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return both


def run(resolved: Config, common: Common, device: Device, launch: Callable[[], Environment]) -> None:
    """Load the model, `launch` the environment, do the task, write the report; ends the program with its exit code.

    All settings are tried before a model is loaded and an environment started for them. `device` is what
    the prompt is written for.
    """
    from agent.assemble import cache_policy, load_adapter, make_approver, make_dialect, new_folder
    from agent.console import Terminal
    from agent.recorded_episode import Closing, run_recorded
    from agent.recorder import refuse_taken
    from agent.report import build_report
    from agent.runs import load_run

    make_approver(resolved.approval)
    if common.resume is None:
        folder = new_folder(resolved, common.task)
        refuse_taken(folder)
    else:
        folder = common.resume.folder
    cache_policy(resolved.cache)
    adapter = load_adapter(resolved)
    make_dialect(resolved, adapter, device)
    with Closing(launch()) as environment:
        result = run_recorded(
            resolved, adapter, environment, common.task, folder, Terminal(), device=device, previous=common.resume
        )
    report = build_report(load_run(folder))
    typer.echo(f"report: {report}")
    raise typer.Exit(exit_code(result))
