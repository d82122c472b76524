"""What a measurement is made on: this machine, its load, the versions of what runs; and the 101 M model as files."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from eval.bench.session import SMALL
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.random_weights import Sizes, random_model
from guikv.nano import SPECIAL


def machine_facts(threads: int, versions: Mapping[str, str | None]) -> dict[str, Any]:
    """The processor, cores, the last minute's load average, and versions: torch's, transformers' and those given."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "load": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in ("torch", "transformers")} | dict(versions),
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except (OSError, UnicodeDecodeError):
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """PyTorch computes with so many threads within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def plain_transformers(checkpoint: Path, dtype: str) -> Adapter:
    """The checkpoint as whoever uses transformers alone has it: none of our attention, no packed weights.

    The adapter is there to make tokens and patches; no session can be kept on it.
    """
    adapter = load_model(str(checkpoint), "cpu", dtype, pack_weights=False)
    kind = type(adapter.model)
    adapter.model = kind.from_pretrained(checkpoint, dtype=adapter.dtype, attn_implementation="sdpa").eval()
    return adapter


def save_random_model(folder: Path, sizes: Sizes = SMALL) -> Path:
    """A Qwen2.5-VL of random weights as a checkpoint that any library can load; returns its folder.

    Control tokens have embeddings of zeros and, the embeddings being tied, logits of zero: no model ever writes one,
    so that every reply can stand in the next prompt.
    """
    adapter = random_model(sizes)
    with torch.no_grad():
        adapter.model.get_input_embeddings().weight[adapter.tokenizer.convert_tokens_to_ids(list(SPECIAL))] = 0
    for part in (adapter.model, adapter.tokenizer, adapter.processor):
        part.save_pretrained(folder)
    return folder
