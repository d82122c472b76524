"""`guikv bench env`, `reuse` and `session`: what is measured on this machine, without episodes of a benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from eval.options import BudgetOption, HistoryOption, JsonOption, PolicyOption, numbers, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from eval.bench.env import Track
    from eval.bench.session import Track as SessionTrack

Shape = Literal["small", "qwen2.5-vl-7b", "qwen3-vl-8b"]
_OWN = Path(__file__).resolve().parents[2] / "tests" / "data" / "trajectory"


def bench_env(
    environments: Annotated[
        str, typer.Option(help="which, with commas between: browser, desktop, android; empty: all")
    ] = "",
    steps: Annotated[int, typer.Option(min=4, help="steps in each environment, after four that do not count")] = 40,
    as_json: JsonOption = False,
) -> None:
    """What a step takes beside the model, in each environment on the same page; medians and 95th percentiles.

    The android device is simulated, under the real adb.

    Example: guikv bench env --environments browser,desktop --steps 80
    """
    from eval.bench.env import choose, opened, run_bench
    from eval.sweep.progress import long_progress

    names = choose(environments)
    with long_progress() as progress:
        bar = progress.add_task("starting", total=steps + 4)

        def report(step: int, tracks: Mapping[str, Track]) -> None:
            last = "  ".join(f"{name} {track.totals[-1]:.2f} s" for name, track in tracks.items() if track.kinds)
            progress.update(bar, completed=step + 1, description=last or "warming up")

        with opened(names) as places:
            result = run_bench(places, steps, 4, report)
    show(result, as_json, env_table)


def env_table(result: dict[str, Any]) -> Table:
    """One column per environment: milliseconds by phase, median and 95th percentile."""
    from rich.table import Table

    from eval.bench.env import PHASES

    table = Table(
        title=f"a step without the model, {result['steps']} steps each, in turns",
        caption="milliseconds, median (95th percentile)\nencode: PNG and the step's line on disk, as in a run",
    )
    columns = result["environments"]
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    table.add_row("picture", *("{}x{}".format(*column["size"]) for column in columns.values()))
    for phase in PHASES:
        table.add_row(phase, *(_shown(column["phases"][phase]) for column in columns.values()))
    table.add_section()
    table.add_row("step", *(_shown(column["step"]) for column in columns.values()))
    ratios = (column["ratio"] for column in columns.values())
    table.add_row("÷ browser", *("–" if ratio is None else f"{ratio:.2f} ×" for ratio in ratios))
    return table


def _shown(spread: dict[str, float]) -> str:
    return f"{spread['median'] * 1000:.0f} ({spread['p95'] * 1000:.0f})"


def bench_reuse(
    dialects: Annotated[str, typer.Option(help="which, with commas between; empty: all")] = "",
    steps: Annotated[int, typer.Option(min=2, help="steps of the episode")] = 12,
    history: HistoryOption = 5,
    budget: BudgetOption = "20%",
    policy: PolicyOption = "gui_kv",
    as_json: JsonOption = False,
) -> None:
    """How much of the ledger every step reuses: each dialect, appended and in its owners' layout, each window.

    A tiny random model and drawn screenshots; only tokens are counted.

    Example: guikv bench reuse --dialects qwen3,opencua
    """
    from eval.bench.reuse import LAYOUTS, WINDOWS, chosen, run_bench
    from eval.sweep.progress import long_progress

    names = chosen(dialects)
    with long_progress() as progress:
        bar = progress.add_task("starting", total=steps * len(names) * len(LAYOUTS) * len(WINDOWS))

        def report(name: str, step: int) -> None:
            progress.update(bar, advance=1, description=f"{name}: step {step + 1}")

        result = run_bench(names, steps, history, budget, policy, report=report)
    show(result, as_json, reuse_table)


def reuse_table(result: dict[str, Any]) -> Table:
    """One row per run: percent of the ledger reused in each step from the second on, and the tokens computed."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    s = result["settings"]
    table = Table(
        title=f"percent of the ledger that a step reuses, {s['policy']} at {s['budget']}, {s['history']} screenshots",
        caption="new: tokens that went through the model per step, on average",
        box=SIMPLE_HEAD,
        padding=0,
        pad_edge=False,
        show_edge=False,
    )
    for column in ("dialect", "layout", "window"):
        table.add_column(column)
    for column in (*map(str, range(2, s["steps"] + 1)), "mean", "new"):
        table.add_column(column, justify="right", min_width=3)
    before = ""
    for run in result["runs"]:
        if before and run["dialect"] != before:
            table.add_section()
        shares = (f"{100 * share:.0f}" for share in run["ledger_reused"])
        mean, computed = f"{100 * run['ledger_reused_mean']:.0f}", f"{run['tokens_computed_mean']:.0f}"
        name = "" if run["dialect"] == before else run["dialect"]
        before = run["dialect"]
        table.add_row(name, run["layout"], run["window"], *shares, mean, computed)
    return table


def bench_session(
    screenshots: Annotated[Path, typer.Option(help="folder of PNG screenshots, used in order")] = _OWN,
    steps: Annotated[int, typer.Option(min=6, help="steps of the episode; growth needs 30")] = 30,
    history: Annotated[int, typer.Option(min=1, help="screenshots that the stateless protocol sends")] = 5,
    budget: Annotated[str, typer.Option(help="what GUI-KV may keep: 20%, 2048 tokens, 64MiB")] = "20%",
    policy: Annotated[str, typer.Option(help="compression method of the two compressed runs")] = "gui_kv",
    new_tokens: Annotated[int, typer.Option(min=1, help="tokens that the model writes in each step")] = 16,
    model: Annotated[str, typer.Option(help="nano, a folder or a hub name; empty: random weights")] = "",
    shape: Annotated[Shape, typer.Option(help="random weights in this shape; the real ones need a GPU")] = "small",
    sessions: Annotated[
        str,
        typer.Option(help="so many sessions decoding in slots, with commas between; a real shape's default is 1,8,32"),
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Stateless recompute against a persistent session, full and compressed, at both moments.

    Then, with --sessions or a real --shape, milliseconds of a decoding step beside the time that reading its bytes
    takes, with PyTorch's attention and flash-attn.

    Example: guikv bench session --steps 30 --json, and on a GPU: guikv bench session --shape qwen2.5-vl-7b --steps 20
    """
    from rich.console import Console
    from rich.progress import Progress

    from eval.bench.session import run_bench, session_table, shaped
    from eval.bench.slots import decode_rates, slots_table
    from guikv.models import load_model

    wanted = sessions or ("" if shape == "small" or model else "1,8,32")
    counts = numbers(wanted, "--sessions") if wanted else ()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("bench session", total=steps)

        def report(step: int, tracks: dict[str, SessionTrack]) -> None:
            last = "  ".join(f"{name} {track.step[-1]:.2f} s" for name, track in tracks.items())
            progress.update(bar, completed=step + 1, description=f"step {step + 1}: {last}")

        adapter = load_model(model, device=device) if model else shaped(shape, device)
        result = run_bench(screenshots, steps, history, budget, policy, new_tokens, adapter=adapter, report=report)
        if counts:
            result["slots"] = decode_rates(adapter, counts, report=lambda what: progress.update(bar, description=what))
    show(result, as_json, session_table, *([lambda r: slots_table(r["slots"])] if counts else []))
