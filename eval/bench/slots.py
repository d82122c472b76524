"""How near decoding in slots comes to the speed of the memory: sessions of a model in one batch, on any device.

A step cannot be faster than its weights and the cached keys and values can be read. The bandwidth is measured on the
device by copying one large tensor; PyTorch's attention and flash-attn, where that is installed, are timed both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import torch
from rich.table import Table

from eval.bench.decode import text_prompt
from guikv.budget import parse_budget
from guikv.costs import decoder_flops
from guikv.engine.batch import advance
from guikv.engine.graphs import GraphDecoder
from guikv.engine.reply import Reply
from guikv.engine.slots import Slots
from guikv.models.base import Adapter
from guikv.models.device import flash_usable
from guikv.policies import Full
from guikv.session import Session
from guikv.settings import Settings

ROUNDS = 5
WARM = 4
"""Tokens that are not timed: graphs are captured in them."""
COPIED = 2**30
"""Bytes of the tensor that the bandwidth is measured with on a GPU; a quarter of it elsewhere."""


def decode_rates(
    adapter: Adapter,
    counts: Sequence[int],
    entries: int = 5000,
    new: int = 50,
    report: Callable[[str], None] = lambda what: None,
) -> dict[str, Any]:
    """Milliseconds of a step by number of sessions and kind of attention, and ÷ the time that its bytes take.

    entries: cached in each session; new: tokens in each of five rounds
    Raises DeviceMemoryError where the slots do not fit.
    """
    rows: list[dict[str, Any]] = []
    bandwidth = bytes_per_second(adapter.device)
    weights, per_token = decoder_bytes(adapter), adapter.shape.bytes_per_token(adapter.dtype)
    kinds = [True, False] if flash_usable(adapter.device, adapter.dtype) else [False]
    base = Session(adapter, Settings(Full(), parse_budget("100%")))
    base.extend(text_prompt(adapter, entries, 0))
    for count in counts:
        for flash in kinds:
            name = "flash-attn" if flash else "PyTorch"
            report(f"{count} sessions in slots, {name}")
            # All rounds write behind the same entries.
            taken, peak = _timed(base, count, entries + new + WARM + 2, new, flash)
            least = 1000 * (weights + count * (entries + new // 2) * per_token) / bandwidth
            rows.append(
                {
                    "sessions": count,
                    "attention": name,
                    "ms_per_step": round(taken, 3),
                    "ms_per_token": round(taken / count, 3),
                    "over_memory": round(taken / least, 3),
                    "peak_memory": peak,
                }
            )
    return {"rows": rows, "entries": entries, "bytes_per_second": round(bandwidth), "weights": weights}


def _timed(base: Session, count: int, capacity: int, new: int, flash: bool) -> tuple[float, int | None]:
    """Milliseconds of one step of all, the median of rounds; the device's peak memory, where it counts."""
    adapter = base.adapter
    gpu = adapter.device.type == "cuda"
    if gpu:
        torch.cuda.reset_peak_memory_stats(adapter.device)
    numbers = [number for number, _ in base.cache.kv]
    slots = Slots(adapter.shape, numbers, count, capacity, adapter.dtype, adapter.device)
    decoder = GraphDecoder(adapter, slots, flash=flash)
    sessions = [Session(adapter, base.settings) for _ in range(count)]
    for session in sessions:
        session.state = base.state.moved(adapter.device, slots)
    times = []
    with torch.inference_mode():
        for _ in range(ROUNDS):
            replies = [s.reply(new + WARM, new + WARM, drafts=False) for s in sessions]
            _write(adapter, replies, decoder, WARM)
            start = time.perf_counter()
            _write(adapter, replies, decoder, new)
            times.append(1000 * (time.perf_counter() - start) / new)
            for reply in replies:
                reply.writing.undo()
    return median(times), torch.cuda.max_memory_allocated(adapter.device) if gpu else None


def _write(adapter: Adapter, replies: list[Reply], decoder: GraphDecoder, tokens: int) -> None:
    for _ in range(tokens):
        for reply in advance(adapter, replies, decoder):
            if reply.error is not None:
                raise reply.error


def decoder_bytes(adapter: Adapter) -> int:
    """Bytes of the weights that a token reads: each of them takes part in one multiply-add."""
    return decoder_flops(adapter.shape, 1, [0] * adapter.shape.layers) // 2 * adapter.dtype.itemsize


def bytes_per_second(device: torch.device) -> float:
    """What the device reads and writes, from the fastest of ten copies."""
    source = torch.zeros(COPIED if device.type == "cuda" else COPIED // 4, dtype=torch.uint8, device=device)
    target, best = torch.empty_like(source), float("inf")
    for _ in range(10):
        _wait(device)
        start = time.perf_counter()
        target.copy_(source)
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return 2 * len(source) / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def slots_table(result: dict[str, Any]) -> Table:
    """One row per number of sessions and kind of attention."""
    table = Table(
        title=f"decoding in slots, {result['entries']:,} entries a session",
        caption=f"{result['weights'] / 2**30:.2f} GiB of weights; "
        f"copying moves {result['bytes_per_second'] / 1e9:.0f} GB/s",
    )
    for head in ("sessions", "attention", "ms a step", "ms a token", "÷ memory", "peak GiB"):
        table.add_column(head, justify="left" if head == "attention" else "right")
    for row in result["rows"]:
        peak = "–" if row["peak_memory"] is None else f"{row['peak_memory'] / 2**30:.1f}"
        table.add_row(
            str(row["sessions"]),
            row["attention"],
            f"{row['ms_per_step']:.2f}",
            f"{row['ms_per_token']:.2f}",
            f"{row['over_memory']:.2f} ×",
            peak,
        )
    return table
