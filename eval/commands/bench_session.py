"""`guikv bench session`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

Shape = Literal["small", "qwen2.5-vl-7b", "qwen3-vl-8b"]
_OWN = Path(__file__).resolve().parents[2] / "tests" / "data" / "trajectory"


def bench_session(
    screenshots: Annotated[Path, typer.Option(help="folder of PNG screenshots, used in order")] = _OWN,
    steps: Annotated[int, typer.Option(min=6, help="steps of the episode; growth needs 30")] = 30,
    history: Annotated[int, typer.Option(min=1, help="screenshots that the stateless protocol sends")] = 5,
    budget: Annotated[str, typer.Option(help="what GUI-KV may keep: 20%, 2048 tokens, 64MiB")] = "20%",
    policy: Annotated[str, typer.Option(help="compression method of the two compressed runs")] = "gui_kv",
    new_tokens: Annotated[int, typer.Option(min=1, help="tokens that the model writes in each step")] = 16,
    model: Annotated[str, typer.Option(help="nano, a folder or a hub name; empty: random weights")] = "",
    shape: Annotated[Shape, typer.Option(help="random weights in this shape; the real ones need a GPU")] = "small",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """Stateless recompute against a persistent session, full and compressed, at both moments.

    Example: guikv bench session --steps 30 --json, and on a GPU: guikv bench session --shape qwen2.5-vl-7b --steps 20
    """
    from rich.console import Console
    from rich.progress import Progress

    from eval.bench.session import Track, run_bench, session_table
    from eval.bench.shapes import shaped
    from guikv.models import load_model

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("bench session", total=steps)

        def report(step: int, tracks: dict[str, Track]) -> None:
            last = "  ".join(f"{name} {track.step[-1]:.2f} s" for name, track in tracks.items())
            progress.update(bar, completed=step + 1, description=f"step {step + 1}: {last}")

        result = run_bench(
            screenshots,
            steps,
            history,
            budget,
            policy,
            new_tokens,
            adapter=load_model(model, device=device) if model else shaped(shape, device),
            report=report,
        )
    if as_json:
        typer.echo(json.dumps(result, indent=1))
        return
    Console().print(session_table(result))
