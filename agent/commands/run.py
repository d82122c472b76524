"""`guikv run`: one task in a live environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.commands.common import (
    BudgetOption,
    ConfigOption,
    DeviceOption,
    HistoryOption,
    ModelOption,
    MomentOption,
    PolicyOption,
    SetOption,
    WindowOption,
    exit_code,
    settings,
)

app = typer.Typer(no_args_is_help=True, help="Do one task in a live environment.")


@app.command()
def browser(
    task: Annotated[str, typer.Option("--task", help="What to do, in words.")],
    url: Annotated[str | None, typer.Option("--url", help="First page.")] = None,
    model: ModelOption = None,
    device: DeviceOption = None,
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
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Only these hosts (repeatable, *.example.com).")
    ] = None,
    headed: Annotated[bool | None, typer.Option("--headed/--headless", help="Show the window.")] = None,
    cdp: Annotated[str | None, typer.Option("--cdp", help="Join a running Chrome at this address.")] = None,
    profile: Annotated[Path | None, typer.Option("--profile", help="Folder of a lasting profile.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the record.")] = None,
    config: ConfigOption = None,
    assign: SetOption = None,
) -> None:
    """Do one task in a browser.

    Example: guikv run browser --url https://example.org --task "Open the first link" --budget 20%

    Ends with exit code 0 on success, 130 when stopped with Ctrl-C, 1 otherwise. A page has no check of its
    own, so success is what the model says; the record shows what it did. One tab is looked at, at most 8192
    pixels each way; JavaScript dialogs are answered and recorded.
    """
    options = {
        "browser.url": url,
        "model.name": model,
        "model.device": device,
        "cache.policy": policy,
        "cache.budget": budget,
        "cache.history": history,
        "cache.window": window,
        "cache.moment": moment,
        "approval.mode": approve,
        "limits.steps": max_steps,
        "limits.seconds": max_seconds,
        "browser.allow_hosts": allow_host or None,
        "browser.headed": headed,
        "browser.cdp": cdp,
        "browser.profile": profile,
        "record.out": out,
    }
    resolved = settings(config, assign, options)

    from agent.assemble import (
        browser_options,
        cache_policy,
        load_adapter,
        make_approver,
        make_dialect,
        new_folder,
    )
    from agent.console import Terminal
    from agent.live import Closing, run_recorded
    from agent.recorder import refuse_taken
    from agent.report import build_report
    from agent.runs import load_run
    from envs.browser import Browser

    # All settings are tried before a model is loaded and a browser opened for them.
    launch = browser_options(resolved)
    make_approver(resolved.approval)
    folder = new_folder(resolved, task)
    refuse_taken(folder)
    cache_policy(resolved.cache)
    adapter = load_adapter(resolved)
    make_dialect(resolved, adapter)
    with Closing(Browser.launch(launch)) as environment:
        result = run_recorded(resolved, adapter, environment, task, folder, Terminal())
    report = build_report(load_run(folder))
    typer.echo(f"report: {report}")
    raise typer.Exit(exit_code(result))
