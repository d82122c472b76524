"""`guikv demo`: the shipped model on playground tasks in a real browser, on a desktop and on a phone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from agent.commands.common import (
    EXIT_FAILED,
    EXIT_STOPPED,
    EXIT_USAGE,
    BudgetOption,
    ConfigOption,
    HistoryOption,
    ModelOption,
    MomentOption,
    PolicyOption,
    SetOption,
    WindowOption,
    settings,
)

TASKS = "click,form,remember_1,remember_2,dialog,order"
"""What is shown when nothing is asked for: single clicks, and episodes that need what is no longer on the screen."""
ALL_TASKS = "click,form,remember_1"
"""The same for all screens at once, where twenty pages of each are shown."""
ScreenKind = Literal["browser", "desktop", "android", "all"]
SCREENS: tuple[str, ...] = tuple(kind for kind in get_args(ScreenKind) if kind != "all")
WANTED = 0.7
"""Share of the tasks that must be done for exit code 0."""
MAX_SEEDS = 1000
BASE = {"model.max_new_tokens": 64, "limits.steps": 12}
"""Defaults that fit the playground: its answers and episodes are short."""


def demo(
    tasks: Annotated[str | None, typer.Option("--tasks", help="Playground tasks, separated by commas.")] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", help="Pages of each task: 0-9 or 3,5,8.")] = None,
    screen: Annotated[
        ScreenKind, typer.Option("--env", help="Where the pages are shown: a tab, a desktop, a simulated phone, all.")
    ] = "browser",
    model: ModelOption = None,
    policy: PolicyOption = None,
    budget: BudgetOption = None,
    history: HistoryOption = None,
    window: WindowOption = None,
    moment: MomentOption = None,
    max_steps: Annotated[int | None, typer.Option("--max-steps", help="Steps of a task at most.")] = None,
    headed: Annotated[bool | None, typer.Option("--headed/--headless", help="Show the window.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the records.")] = None,
    config: ConfigOption = None,
    assign: SetOption = None,
) -> None:
    """Let the model that ships with the package do small tasks in a real browser.

    Example: guikv demo --tasks click,form --seeds 0-4 --policy gui_kv --budget 20%

    --env desktop shows the pages in a window on an X desktop of its own (mss, pyautogui), --env android on a
    simulated phone behind the real adb, --env all on each in turn with a table that compares them.

    Without --tasks and --seeds: click,form,remember_1,remember_2,dialog,order on pages 0 and 1; for --env all
    click,form,remember_1 on pages 0 to 19. Needs no network: the pages are made here from a seed. Exit code 0
    when it ran to the end and at least 7 of 10 tasks were done. Nothing is asked for (--approve never), as the
    pages cannot do harm.
    """
    options = {
        "model.name": model,
        "cache.policy": policy,
        "cache.budget": budget,
        "cache.history": history,
        "cache.window": window,
        "cache.moment": moment,
        "limits.steps": max_steps,
        "browser.headed": headed,
        "approval.mode": "never",
        "browser.viewport": [280, 280],
    }
    resolved = settings(config, assign, options, base=BASE)
    screens = SCREENS if screen == "all" else (screen,)
    numbers = read_seeds(seeds or ("0-19" if screen == "all" else "0-1"))
    names = [name.strip() for name in (tasks or (ALL_TASKS if screen == "all" else TASKS)).split(",") if name.strip()]

    from rich.console import Console as Screen

    from agent.assemble import cache_policy, load_adapter, make_dialect
    from agent.demo import run_demo, show_tables, write_index
    from envs.playground import TASKS as KNOWN

    if not names:
        raise typer.BadParameter("at least one task is needed", param_hint="--tasks")
    for name in names:
        if name not in KNOWN:
            raise typer.BadParameter(f"there is no task {name!r}; there are {', '.join(KNOWN)}", param_hint="--tasks")
    folder = out or resolved.record.runs / f"demo-{datetime.now():%Y%m%d-%H%M%S}"
    if (folder / "index.html").exists():
        typer.echo(f"error: {folder} holds a demo already (choose another name with --out)", err=True)
        raise typer.Exit(EXIT_USAGE)
    terminal = Screen()
    cache_policy(resolved.cache)
    adapter = load_adapter(resolved)
    make_dialect(resolved, adapter)
    episodes = [(name, seed) for name in names for seed in numbers]
    outcomes = run_demo(resolved, adapter, episodes, folder, screens)
    show_tables(terminal, outcomes)
    typer.echo(f"report: {write_index(folder, resolved, outcomes)}")
    if any(outcome.result.status == "stopped" for outcome in outcomes):
        raise typer.Exit(EXIT_STOPPED)
    complete = len(outcomes) == len(episodes) * len(screens)
    done = sum(outcome.result.success for outcome in outcomes)
    raise typer.Exit(0 if complete and done >= WANTED * len(outcomes) else EXIT_FAILED)


def read_seeds(text: str) -> list[int]:
    """`0-9`, `3,5,8` or both → numbers in order. Raises typer.BadParameter."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)) or len(part) > 20:
            raise typer.BadParameter(f"{part!r} is not a seed or a range such as 0-9", param_hint="--seeds")
        begin, end = int(first), int(last) if dash else int(first)
        if end < begin or end - begin >= MAX_SEEDS:
            raise typer.BadParameter(f"{part!r} is no range of 1 to {MAX_SEEDS} seeds", param_hint="--seeds")
        numbers += range(begin, end + 1)
    return list(dict.fromkeys(numbers))
