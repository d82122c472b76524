"""What a token costs once the prompt is cached, and what eight sessions gain by decoding in one batch.

Our sessions, transformers' DynamicCache and vLLM decode behind the same number of entries.

CPU milliseconds a token, medians of rounds in which all take turns. Drafts are off: a model of random weights repeats
itself far more than a real one, so they would flatter us.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from rich.table import Table
from transformers import DynamicCache

from eval.bench.machine import cpu_threads, machine_facts, plain_transformers, save_random_model
from eval.bench.session import SMALL
from eval.bench.vllm_process import HOW, WORKER, VllmProcess
from guikv.budget import parse_budget
from guikv.engine.batch import advance
from guikv.engine.reply import Reply
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.random_weights import Sizes
from guikv.policies import Full
from guikv.prompt import NO_FRAME, Prompt
from guikv.session import Session
from guikv.settings import Settings

PEERS = ("transformers", "vllm")
OURS = "guikv"
Round = Callable[[], float]
"""CPU milliseconds a token."""


@dataclass(frozen=True)
class DecodePlan:
    """What `run_decode` does.

    entries: cached tokens at which a token is timed; new: tokens in each round
    sessions, batch_entries: how many decode in one batch, and over about how many entries each
    """

    dtypes: tuple[str, ...] = ("float32", "bfloat16")
    entries: tuple[int, ...] = (500, 2000, 5000)
    rounds: int = 5
    new: int = 25
    sessions: int = 8
    batch_entries: int = 500
    threads: int = 1
    sizes: Sizes = SMALL


def text_prompt(adapter: Adapter, length: int, seed: int) -> Prompt:
    """So many tokens of text, one byte each."""
    draw = random.Random(seed)
    none = torch.full((length,), NO_FRAME)
    return Prompt(
        ids=torch.tensor([draw.randint(60, 200) for _ in range(length)]),
        positions=adapter.positions_of_text(0, length),
        frames=none,
        turns=none,
        protected=torch.zeros(length, dtype=torch.bool),
    )


def session_round(adapter: Adapter, prompt: Prompt, new: int) -> Round:
    """`Session.generate`, with what it does once at the end of a reply."""
    session = _session(adapter)

    def measure() -> float:
        session.extend(prompt)
        start = time.process_time()
        session.generate(new, min_new_tokens=new, drafts=False)
        return 1000 * (time.process_time() - start) / new

    return measure


def transformers_round(adapter: Adapter, prompt: Prompt, new: int) -> Round:
    """transformers' decoder over its own growing cache, without what its `generate` does around each token."""
    decoder, cache = adapter.model.model.language_model, DynamicCache()

    def run(ids: torch.Tensor, start: int) -> torch.Tensor:
        positions = adapter.positions_of_text(start, len(ids))[:, None]
        embeds = adapter.embed_text(ids)[None]
        hidden = decoder(inputs_embeds=embeds, position_ids=positions, past_key_values=cache, use_cache=True)
        return adapter.logits(hidden.last_hidden_state[0, -1]).argmax()

    with torch.inference_mode():
        first = run(prompt.ids, 0)

    @torch.inference_mode()
    def measure() -> float:
        token = first
        start = time.process_time()
        for number in range(new):
            token = run(token[None], len(prompt) + number)
            int(token)  # whoever streams or stops looks at it
        taken = time.process_time() - start
        cache.crop(-new)
        return 1000 * taken / new

    return measure


def vllm_round(vllm: VllmProcess, prompt: Prompt, new: int) -> Round:
    """vLLM from its second token on; its prompt is cached after the first round."""
    return lambda: 1000 * vllm.write("decode", prompt, new).cpu_token


def alone_and_together(adapter: Adapter, plan: DecodePlan) -> dict[str, float]:
    """CPU milliseconds a token of several sessions, one after the other and in one batch, and what is gained."""
    sessions = [_session(adapter) for _ in range(plan.sessions)]
    prompts = [text_prompt(adapter, plan.batch_entries + 8 * number, number) for number in range(plan.sessions)]

    def timed(write: Callable[[], None]) -> float:
        for session, prompt in zip(sessions, prompts, strict=True):
            session.extend(prompt)
        start = time.process_time()
        write()
        return 1000 * (time.process_time() - start) / (plan.new * plan.sessions)

    def alone() -> None:
        for session in sessions:
            session.generate(plan.new, min_new_tokens=plan.new, drafts=False)

    def together() -> None:
        _write_together(adapter, sessions, plan.new)

    taken = [(timed(alone), timed(together)) for _ in range(plan.rounds + 1)][1:]
    one, batch = (median(column) for column in zip(*taken, strict=True))
    return {"alone": round(one, 3), "together": round(batch, 3), "speedup": round(one / batch, 3)}


@torch.inference_mode()
def _write_together(adapter: Adapter, sessions: Sequence[Session], new: int) -> None:
    replies: dict[Reply, Session] = {s.reply(new, min_new_tokens=new, drafts=False): s for s in sessions}
    going = list(replies)
    while going:
        over = advance(adapter, going)
        for reply in over:
            if reply.error is not None:
                raise reply.error
            replies[reply].finish(reply)
        going = [reply for reply in going if reply not in over]


def run_decode(
    plan: DecodePlan,
    vllm_python: Path | None = None,
    report: Callable[[str], None] = lambda what: None,
    worker: Path = WORKER,
) -> dict[str, Any]:
    """All types and numbers of entries; `report` is told before each.

    vllm_python: interpreter of an environment with vLLM; without it vLLM is left out
    Raises BenchError when vLLM does not come up or ends.
    """
    tokens: dict[str, dict[str, dict[str, float]]] = {}
    batches: list[dict[str, Any]] = []
    version: str | None = None
    with TemporaryDirectory(prefix="guikv-bench-") as folder, cpu_threads(plan.threads):
        facts = machine_facts(plan.threads, {})
        checkpoint = save_random_model(Path(folder) / "model", plan.sizes)
        for dtype in plan.dtypes:
            ours = load_model(str(checkpoint), "cpu", dtype)
            plain = plain_transformers(checkpoint, dtype)
            with ExitStack() as stack:
                vllm = None
                if vllm_python is not None:
                    report(f"{dtype}: vLLM is starting")
                    vllm = stack.enter_context(
                        VllmProcess(vllm_python, checkpoint, dtype, threads=plan.threads, worker=worker)
                    )
                    version = vllm.versions.get("vllm")
                tokens[dtype] = {}
                for entries in plan.entries:
                    report(f"{dtype}: {entries} entries")
                    prompt = text_prompt(ours, entries, entries)
                    rounds = {"transformers": transformers_round(plain, prompt, plan.new)}
                    if vllm is not None:
                        rounds["vllm"] = vllm_round(vllm, prompt, plan.new)
                    rounds[OURS] = session_round(ours, prompt, plan.new)
                    tokens[dtype][str(entries)] = _medians(rounds, plan.rounds)
            for name, adapter in _models(ours, dtype):
                report(f"{dtype}: {plan.sessions} sessions of {name}")
                batches.append({"model": name, "dtype": dtype, **alone_and_together(adapter, plan)})
    facts["versions"]["vllm"] = version
    facts["load_after"] = machine_facts(plan.threads, {})["load"]
    first = [row for row in batches if row["dtype"] == plan.dtypes[0]]
    return {
        "ms_per_token": tokens,
        **{f"over_{peer}": _over(tokens, peer) for peer in PEERS},
        "batch_speedup": {row["model"]: row["speedup"] for row in first},
        "batches": batches,
        "settings": {
            "rounds": plan.rounds,
            "new": plan.new,
            "sessions": plan.sessions,
            "batch_entries": plan.batch_entries,
        },
        "machine": facts,
    }


def _session(adapter: Adapter) -> Session:
    return Session(adapter, Settings(Full(), parse_budget("100%")))


def _models(small: Adapter, dtype: str) -> Iterator[tuple[str, Adapter]]:
    yield "101m", small
    yield "nano", load_model("nano", "cpu", dtype)


def _medians(rounds: Mapping[str, Round], count: int) -> dict[str, float]:
    """Of `count` rounds in which all take turns, after one that does not count."""
    taken = [{name: measure() for name, measure in rounds.items()} for _ in range(count + 1)][1:]
    return {name: round(median(row[name] for row in taken), 3) for name in rounds}


def _over(tokens: Mapping[str, Mapping[str, Mapping[str, float]]], peer: str) -> dict[str, dict[str, float]]:
    """Ours ÷ the peer's, by type and entries; {} without the peer."""
    return {
        dtype: {entries: round(row[OURS] / row[peer], 3) for entries, row in rows.items()}
        for dtype, rows in tokens.items()
        if all(peer in row for row in rows.values())
    }


def decode_tables(result: Mapping[str, Any]) -> Iterator[Table]:
    """A token's cost by runner, and what a batch gains."""
    machine, settings = result["machine"], result["settings"]
    caption = (
        f"medians of {settings['rounds']} rounds in turns, {machine['threads']} thread(s) each, {machine['cores']} "
        f"cores, load average {machine['load']} to {machine['load_after']}"
    )
    if not result["over_vllm"]:
        caption += f"\nvLLM is left out: it needs {HOW}"
    table = Table(title="CPU milliseconds a token", caption=caption)
    names = list(next(iter(next(iter(result["ms_per_token"].values())).values())))
    over = [peer for peer in PEERS if result[f"over_{peer}"]]
    for head in ("dtype", "entries", *names, *(f"{OURS} ÷ {peer}" for peer in over)):
        table.add_column(head, justify="left" if head == "dtype" else "right")
    for dtype, rows in result["ms_per_token"].items():
        for entries, row in rows.items():
            ratios = (f"{result[f'over_{peer}'][dtype][entries]:.2f}" for peer in over)
            table.add_row(dtype, entries, *(f"{row[name]:.1f}" for name in names), *ratios)
    yield table
    batch = Table(title=f"{settings['sessions']} sessions of about {settings['batch_entries']} entries, a token each")
    for head in ("model", "dtype", "one by one, ms", "in one batch, ms", "gain"):
        batch.add_column(head, justify="left" if head in ("model", "dtype") else "right")
    for row in result["batches"]:
        batch.add_row(
            row["model"], row["dtype"], f"{row['alone']:.2f}", f"{row['together']:.2f}", f"{row['speedup']:.2f} ×"
        )
    yield batch
