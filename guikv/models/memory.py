"""Whether a model fits a device's memory: asked before its weights are read, answered with the figures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from guikv.budget import Budget
from guikv.errors import DeviceMemoryError
from guikv.hybrid_cache import bytes_of_states
from guikv.models import images
from guikv.models.base import shape_of
from guikv.models.checkpoint import Stored
from guikv.models.quantization import BYTES, quantizable
from guikv.models.vision import LIMIT

GIB = 2**30
FLOATS = ("F64", "F32", "F16", "BF16")


@dataclass(frozen=True)
class Demand:
    """What is going to be kept.

    budget: of the KV cache, history: screenshots that a percentage is taken of; screen: their size in pixels;
    text: tokens of prompt and answers; sessions: with a slot each; 0 is one that has memory of its own
    """

    budget: Budget = field(default_factory=lambda: Budget(100, "percent"))
    history: int = 5
    screen: tuple[int, int] = (1920, 1080)
    text: int = 4096
    sessions: int = 0

    def cache_tokens(self, image: int, bytes_per_token: int) -> int:
        """Tokens in all caches when they are fullest: what the budget keeps, and the newest screenshot whole."""
        if self.sessions:
            # One slot more than sessions, in which a compression gathers.
            return (self.sessions + 1) * self.capacity(image, bytes_per_token)
        return self.budget.entries(self.text + self.history * image, bytes_per_token) + image

    def capacity(self, image: int, bytes_per_token: int) -> int:
        """Entries of a slot: what the budget keeps, the newest screenshot and the one before it whole."""
        return self.budget.entries(self.text + self.history * image, bytes_per_token) + 2 * image


@dataclass(frozen=True)
class Need:
    """Bytes: of the weights, of the KV cache with `tokens` tokens, of the vision cache, of one step's activations."""

    weights: int
    cache: int
    tokens: int
    vision: int
    working: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.vision + self.working

    def __str__(self) -> str:
        return (
            f"weights {gib(self.weights)} + KV cache {gib(self.cache)} for {self.tokens:,} tokens "
            f"+ vision cache {gib(self.vision)} + working memory {gib(self.working)} = {gib(self.total)}"
        )


def gib(count: int) -> str:
    return f"{count / GIB:.2f} GiB"


def weight_bytes(weights: tuple[Stored, ...], dtype: torch.dtype, quantization: str | None = None) -> int:
    """Bytes of the weights once loaded: floating point ones become `dtype`, or fewer bits where they are quantized."""
    total = 0.0
    for tensor in weights:
        if tensor.kind not in FLOATS:
            total += tensor.nbytes
        elif quantization is not None and quantizable(tensor.name, len(tensor.shape)):
            total += tensor.count * BYTES[quantization]
        else:
            total += tensor.count * dtype.itemsize
    return int(total)


def need(weights: int, config: Any, processor: Any, dtype: torch.dtype, demand: Demand) -> Need:
    """What loading and running takes. weights: bytes; config: the model's; processor: its image processor.

    Raises ImageError when the screen that is demanded for is none.
    """
    shape = shape_of(config.get_text_config())
    width, height = images.resized(demand.screen, processor)
    image = width * height // (processor.patch_size * processor.merge_size) ** 2
    per_token = shape.bytes_per_token(dtype)
    tokens = demand.cache_tokens(image, per_token)
    outputs = 1 + len(getattr(config.vision_config, "deepstack_visual_indexes", ()))
    vision = min(LIMIT, demand.history * image * shape.hidden * outputs * dtype.itemsize)
    # One layer at a time: gate, up and their product, and the hidden states around them.
    working = (image + demand.text) * (3 * shape.intermediate + 8 * shape.hidden) * dtype.itemsize
    working += 4 * shape.vocabulary + bytes_of_states(config.get_text_config(), dtype)
    return Need(weights, tokens * per_token, tokens, vision, working)


def check(name: str, wanted: Need, device: torch.device) -> None:
    """Raise DeviceMemoryError with the figures when the device's free memory is less than what is needed."""
    free = free_bytes(device)
    if free is not None and wanted.total > free:
        raise DeviceMemoryError(
            f"{name} does not fit on {device}: {wanted}, but {gib(free)} are free: choose a smaller model, fewer bits "
            "(--dtype bfloat16, --quantization 4bit), a smaller budget, or lower --max-pixels"
        )


def free_bytes(device: torch.device) -> int | None:
    """Memory that can still be had on the device, or None where nobody tells."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type != "cpu":
        return None
    known = [n for n in (_available(), _left_in_group()) if n is not None]
    return min(known) if known else None


def _available(path: Path = Path("/proc/meminfo")) -> int | None:
    """Free and reclaimable memory of a Linux machine."""
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", path.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def _left_in_group(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """What a container's limit leaves; file pages that can be dropped count as free."""
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        pages = re.search(r"^inactive_file (\d+)", (folder / "memory.stat").read_text(), re.MULTILINE)
    except (OSError, ValueError):
        return None
    return None if limit == "max" else int(limit) - used + (int(pages[1]) if pages else 0)
