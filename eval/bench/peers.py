"""Our session beside what a user would pick instead: transformers without a memory, and vLLM in three layouts.

All runners see the same drawn screenshots and take turns step by step, so that whatever else the machine does hits all
of them; each goes on with its own replies, of exactly as many tokens. Drafts are off: a model of random weights repeats
itself far more than a real one, so they would flatter us.

What is compared are CPU seconds, all threads of the process that computes; wall seconds stand beside them. Turning the
conversation into tokens counts for us and for transformers; vLLM gets tokens as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any, get_args

from PIL import Image
from rich.table import Table

from envs.geometry import Size
from eval.bench import session
from eval.bench.machine import cpu_threads, machine_facts, plain_transformers, save_random_model
from eval.bench.reuse_world import screenshot
from eval.bench.session import SMALL, Track, opening
from eval.bench.vllm_process import HOW, WORKER, VllmProcess
from guikv.budget import parse_budget
from guikv.compression import Moment
from guikv.content import Frame, Message, Reply, frames_of, last_frames
from guikv.files import replace_file
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.random_weights import Sizes
from guikv.policies import make_policy
from guikv.session import Session
from guikv.settings import Settings

Layout = Callable[[tuple[Message, ...], int], tuple[Message, ...]]
"""(the whole episode, screenshots of history) → what is sent of it."""

SCREEN = Size(1024, 768)
"""Becomes 851 image tokens in the 101 M model."""
STATELESS = "transformers_stateless"
OURS: tuple[Moment, ...] = get_args(Moment)
BASE: Moment = "next_observation"
"""What the ratios are over: how an agent runs."""
BANDS = ((6, 10), (16, 20), (26, 30))
"""First and last step of each."""
WARM = 5
"""Steps that do not count: the history fills, and libraries choose their kernels."""


@dataclass(frozen=True)
class PeersPlan:
    """What `run_peers` does.

    new: tokens that each step writes, one episode for each number; every: the stateless runner, which needs no steps
    before, takes every so manieth; size: of a screenshot; sizes: of the model
    """

    steps: int = 30
    new: tuple[int, ...] = (16, 100)
    dtype: str = "bfloat16"
    history: int = 5
    budget: str = "20%"
    policy: str = "gui_kv"
    every: int = 5
    threads: int = 1
    size: Size = SCREEN
    sizes: Sizes = SMALL


@dataclass(frozen=True)
class Taken:
    """What one step took: CPU and wall seconds, tokens of the prompt, those computed, KV bytes after it."""

    step: int
    cpu: float
    wall: float
    tokens: int
    computed: int
    kv_bytes: int


Runner = Callable[[int, tuple[Message, ...]], tuple[Reply, Taken | None]]
"""(step from 1, the episode) → its reply, and what that took where it was computed."""


def dropped_at_once(messages: tuple[Message, ...], history: int) -> tuple[Message, ...]:
    """From `history` to 2·history − 1 screenshots: when there are more, the oldest `history` go at once, so that a
    prefix cache loses its prefix only then."""
    count = len(frames_of(messages))
    return messages if count < 2 * history else last_frames(messages, history + count % history)


LAYOUTS: dict[str, Layout] = {
    "vllm_rolling": last_frames,
    "vllm_append_only": lambda messages, history: messages,
    "vllm_dropped_at_once": dropped_at_once,
}


def stateless_runner(adapter: Adapter, plan: PeersPlan, new: int) -> Runner:
    """transformers' own `generate` over the last screenshots, in the first step and every few."""
    run, track = session.stateless(adapter, plan.history, new), Track()

    def step(number: int, messages: tuple[Message, ...]) -> tuple[Reply, Taken | None]:
        if number % plan.every and number != 1:
            return Reply((adapter.tokenizer.encode("A")[0],) * new, ""), None
        reply, cpu, wall = _clocked(run, messages, track)
        return reply, Taken(number, cpu, wall, track.tokens[-1], track.tokens[-1], track.kv_bytes[-1])

    return step


def session_runner(kept: Session, new: int) -> Runner:
    """A session of ours, for the whole episode."""
    run, track = session.persistent(kept, new, drafts=False), Track()

    def step(number: int, messages: tuple[Message, ...]) -> tuple[Reply, Taken]:
        reply, cpu, wall = _clocked(run, messages, track)
        cost = kept.cost
        tokens = cost.tokens_new + cost.tokens_reused
        return reply, Taken(number, cpu, wall, tokens, cost.tokens_new, kept.kv_bytes)

    return step


def vllm_runner(
    vllm: VllmProcess, name: str, adapter: Adapter, plan: PeersPlan, new: int, files: Mapping[int, Path]
) -> Runner:
    """vLLM with all of its caches on, over one layout."""
    layout, per_token = LAYOUTS[name], adapter.shape.bytes_per_token(adapter.dtype)

    def step(number: int, messages: tuple[Message, ...]) -> tuple[Reply, Taken]:
        prompt = adapter.encode(layout(messages, plan.history))
        answer = vllm.write(name, prompt, new, files)
        blocks = -(-(answer.prompt + new) // vllm.block)
        held = blocks * vllm.block * per_token
        computed = answer.prompt - answer.cached
        return Reply(answer.ids, ""), Taken(number, answer.cpu, answer.wall, answer.prompt, computed, held)

    return step


def run_peers(
    plan: PeersPlan,
    vllm_python: Path | None = None,
    report: Callable[[int, int, Mapping[str, Sequence[Taken]]], None] = lambda new, step, rows: None,
    worker: Path = WORKER,
) -> dict[str, Any]:
    """All runners, one episode for each number of new tokens; `report` is called after every step.

    vllm_python: interpreter of an environment with vLLM; without it its rows are left out
    Raises BenchError when vLLM does not come up or ends.
    """
    pictures = [screenshot(number, plan.size) for number in range(plan.steps)]
    with TemporaryDirectory(prefix="guikv-bench-") as folder, cpu_threads(plan.threads), ExitStack() as stack:
        checkpoint = save_random_model(Path(folder) / "model", plan.sizes)
        files = {number: Path(folder) / f"{number}.rgb" for number in range(plan.steps)} if vllm_python else {}
        for number, path in files.items():
            replace_file(path, pictures[number].tobytes())
        ours, plain = load_model(str(checkpoint), "cpu", plan.dtype), plain_transformers(checkpoint, plan.dtype)
        ours.vision_cache.limit = 0
        vllm = None
        if vllm_python is not None:
            size = (plan.size.width, plan.size.height)
            vllm = stack.enter_context(
                VllmProcess(vllm_python, checkpoint, plan.dtype, size, plan.threads, worker=worker)
            )
        facts = machine_facts(plan.threads, {"vllm": vllm.versions.get("vllm") if vllm else None})
        episodes = []
        for new in plan.new:
            runners: dict[str, Runner] = {STATELESS: stateless_runner(plain, plan, new)}
            if vllm is not None:
                vllm.forget()
                runners |= {name: vllm_runner(vllm, name, ours, plan, new, files) for name in LAYOUTS}
            for moment in OURS:
                settings = Settings(make_policy(plan.policy), parse_budget(plan.budget), moment, "shrink", plan.history)
                runners[moment] = session_runner(Session(ours, settings), new)
            episodes.append(_episode(runners, pictures, new, report))
        facts["load_after"] = machine_facts(plan.threads, {})["load"]
    described = {**asdict(plan), "parameters": ours.parameters, "without": [] if vllm_python else [*LAYOUTS]}
    return {**summarise(episodes), "episodes": episodes, "settings": described, "machine": facts}


def _clocked(run: session.Runner, messages: tuple[Message, ...], track: Track) -> tuple[Reply, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    reply = run(messages, track)
    return reply, time.process_time() - cpu, time.perf_counter() - wall


def _episode(
    runners: Mapping[str, Runner],
    pictures: Sequence[Image.Image],
    new: int,
    report: Callable[[int, int, Mapping[str, Sequence[Taken]]], None],
) -> dict[str, Any]:
    """Rows by runner; `agree`: how many of its first reply's tokens each runner shares with transformers'."""
    names = list(runners)
    talks = {name: list(opening()) for name in names}
    rows: dict[str, list[Taken]] = {name: [] for name in names}
    first: dict[str, Reply] = {}
    for step, picture in enumerate(pictures):
        turn = step % len(names)
        for name in names[turn:] + names[:turn]:
            talks[name].append(Message("user", (Frame(picture, step),)))
            reply, taken = runners[name](step + 1, tuple(talks[name]))
            talks[name].append(Message("assistant", (reply,)))
            first.setdefault(name, reply)
            if taken is not None:
                rows[name].append(taken)
        report(new, step + 1, rows)
    agree = {name: _agreeing(first[STATELESS].ids, reply.ids) for name, reply in first.items()}
    return {"new": new, "agree": agree, "rows": {name: [asdict(row) for row in r] for name, r in rows.items()}}


def _agreeing(one: Sequence[int], other: Sequence[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), len(one))


def summarise(episodes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`ratios`: peer → new tokens → mean over the steps from 6 on of its CPU seconds ÷ ours at `next_observation`;
    `ratios_prefill` over ours at `prefill`; `wall_ratios` the first in wall seconds."""
    return {
        "ratios": _ratios(episodes, BASE, "cpu"),
        "ratios_prefill": _ratios(episodes, "prefill", "cpu"),
        "wall_ratios": _ratios(episodes, BASE, "wall"),
    }


def _ratios(episodes: Sequence[Mapping[str, Any]], over: str, clock: str) -> dict[str, dict[str, float]]:
    out: dict[str, dict[str, float]] = {}
    for episode in episodes:
        base = {row["step"]: row[clock] for row in episode["rows"][over]}
        for name, rows in episode["rows"].items():
            shares = [row[clock] / base[row["step"]] for row in late(rows)]
            if name not in OURS and shares:
                out.setdefault(name, {})[str(episode["new"])] = round(mean(shares), 3)
    return out


def late(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows that count; of an episode that is over before, all."""
    return [row for row in rows if row["step"] > WARM] or list(rows)


def peers_table(result: Mapping[str, Any], episode: Mapping[str, Any]) -> Table:
    """One row per runner: CPU seconds a step early and late, KV bytes, and ratios."""
    plan, machine = result["settings"], result["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items() if number)
    caption = (
        f"{plan['parameters'] / 1e6:.0f} M parameters, {plan['dtype']}, {machine['threads']} thread(s) each, "
        f"{machine['cores']} cores ({machine['processor']}), load average "
        f"{machine['load']} to {machine['load_after']}; {versions}"
    )
    if plan["without"]:
        caption += f"\nvLLM is left out: it needs {HOW}"
    new = str(episode["new"])
    table = Table(title=f"CPU seconds a step, {plan['steps']} steps, {new} new tokens in each", caption=caption)
    table.add_column("")
    heads = [f"{first}–{last}" for first, last in BANDS if first <= plan["steps"]]
    for head in (*heads, f"mean {WARM + 1}–", "wall", "KV MB", "÷ next_observation", "÷ prefill"):
        table.add_column(head, justify="right")
    for name, rows in episode["rows"].items():
        bands = [[r["cpu"] for r in rows if first <= r["step"] <= last] for first, last in BANDS[: len(heads)]]
        counted = late(rows)
        ratios = (result[key].get(name, {}).get(new) for key in ("ratios", "ratios_prefill"))
        table.add_row(
            name,
            *(f"{mean(band):.2f}" if band else "–" for band in bands),
            *(f"{mean(row[clock] for row in counted):.2f}" if counted else "–" for clock in ("cpu", "wall")),
            f"{rows[-1]['kv_bytes'] / 1e6:.1f}" if rows else "–",
            *("" if ratio is None else f"{ratio:.2f} ×" for ratio in ratios),
        )
    return table
