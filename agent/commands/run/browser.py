"""`guikv run browser`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from agent.commands.run.common import Common, run, run_command


@run_command
def browser(
    common: Common,
    url: Annotated[str | None, typer.Option("--url", help="First page.")] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Only these hosts (repeatable, *.example.com).")
    ] = None,
    headed: Annotated[bool | None, typer.Option("--headed/--headless", help="Show the window.")] = None,
    cdp: Annotated[str | None, typer.Option("--cdp", help="Join a running Chrome at this address.")] = None,
    profile: Annotated[Path | None, typer.Option("--profile", help="Folder of a lasting profile.")] = None,
) -> None:
    """Do one task in a browser.

    Example: guikv run browser --url https://example.org --task "Open the first link" --budget 20%

    Ends with exit code 0 on success, 130 when stopped with Ctrl-C, 1 otherwise. A page has no check of its
    own, so success is what the model says; the record shows what it did. One tab is looked at, at most 8192
    pixels each way; JavaScript dialogs are answered and recorded.

    Continue a run that was stopped, killed or ran into a limit: guikv run browser --cdp http://127.0.0.1:9222 --resume
    RUN. Task and settings are the run's; those on which no answer depends (limits, approval, the browser) may be
    others. Its memory is computed again from the record, or read where --keep-session saved it. Without --cdp a new
    browser opens the page that was shown last.
    """
    resolved = common.settings(
        {
            "browser.url": url,
            "browser.allow_hosts": allow_host or None,
            "browser.headed": headed,
            "browser.cdp": cdp,
            "browser.profile": profile,
        }
    )

    from agent.assemble import browser_options
    from envs.registry import launch

    if common.resume is not None and resolved.browser.cdp is None and resolved.browser.url is None:
        from agent.resume import last_address

        address = last_address(common.resume)
        typer.echo(f"this is a new browser, which begins at {address or 'a blank page'}; --cdp joins one that stands")
        resolved = resolved.model_copy(update={"browser": replace(resolved.browser, url=address)})
    run(resolved, common, "browser", lambda: launch("browser", browser_options(resolved)))
