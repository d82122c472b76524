"""What a measurement is made on: this machine, its load, the versions of what runs; and the 101 M model as files."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from eval.bench.session import SMALL
from guikv.models.random_weights import Sizes, random_model
from guikv.nano import SPECIAL


def machine_facts(threads: int, versions: Mapping[str, str | None]) -> dict[str, Any]:
    """Cores, the load average of the last minute, and versions: torch's, transformers' and those given."""
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "threads": threads,
        "load": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in ("torch", "transformers")} | dict(versions),
    }


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """PyTorch computes with so many threads within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
