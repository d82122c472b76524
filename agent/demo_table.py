"""The demo's result as a table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.demo import COLUMNS, Outcome, total_row
from agent.text import plain

_RIGHT = ("steps", "time", "tokens", "reused")


def show_table(screen: Console, outcomes: Sequence[Outcome]) -> None:
    """One row an episode, and the total."""
    done = sum(outcome.result.success for outcome in outcomes)
    table = Table(
        title=f"{done} of {len(outcomes)} tasks done", expand=screen.width < 110, box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for name in COLUMNS:
        justify: Literal["left", "right"] = "right" if name in _RIGHT else "left"
        # Only the goal gives way on a narrow terminal.
        table.add_column(name, justify=justify, no_wrap=True, overflow="ellipsis", ratio=1 if name == "goal" else None)
    for outcome in outcomes:
        style = "green" if outcome.result.success else "red"
        cells = [Text(plain(cell, 60)) for cell in outcome.row]
        cells[2].stylize(style)
        table.add_row(*cells)
    if outcomes:
        table.add_section()
        table.add_row(*total_row(outcomes))
    screen.print(table)
